"""The proof of a change: data, research and analysis of every idea that it touches, as Markdown for the pull request."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.errors import GateClosedError
from shipworthy.ideas.gate import missing
from shipworthy.ideas.register import find_idea
from shipworthy.programme.touched import Touched
from shipworthy.project import Project

_LONGEST = 60_000
"""A comment may hold 65,536 letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What became of an idea that a change touches.

    Attributes:
        idea: Its number.
        title: Its title.
        by: The files that touch it.
        answer: In a word or two: "ship", "stop", "not testable", "to be completed".
        report: Its report as Markdown, or why there is none.
        is_proved: Whether nothing speaks against the change: it is to ship, or nothing is claimed yet.
    """

    idea: int
    title: str
    by: tuple[str, ...]
    answer: str
    report: str
    is_proved: bool


def prove(project: Project, found: Sequence[Touched]) -> list[Proof]:
    """Walks each touched idea through data, research and analysis, by the verbs that anybody types."""
    return [_prove(project, one) for one in found]


def as_markdown(proofs: Sequence[Proof]) -> str:
    """All proofs as one comment; pictures stay with the reports, since a comment cannot hold them."""
    if not proofs:
        return "### shipworthy\n\nThis change touches no idea.\n"
    rows = [f"| {one.idea} | {_cell(one.title)} | {one.answer} | {_cell(', '.join(one.by))} |" for one in proofs]
    head = ["### shipworthy", "", "| idea | | answer | touched by |", "|---|---|---|---|", *rows, ""]
    text = "\n".join(head)
    for one in proofs:
        part = f"\n<details><summary>Idea {one.idea}: {one.answer}</summary>\n\n{one.report.strip()}\n\n</details>\n"
        if len(text) + len(part) > _LONGEST:
            part = f"\nIdea {one.idea}: its report is too long for a comment; it is among the files of this run.\n"
        text += part
    return text


def _prove(project: Project, one: Touched) -> Proof:
    about: dict[str, Any] = {"idea": one.idea, "title": one.title, "by": one.by}
    gaps = missing(find_idea(project, one.idea))
    if gaps:
        listed = "\n".join(f"- {_cell(str(gap))}" for gap in gaps)
        return Proof(**about, answer="to be completed", report=f"It still misses:\n\n{listed}", is_proved=True)
    for verb, refused in (("data", "not testable"), ("research", "not replayed")):
        code, _, said = _typed(project, verb, str(one.idea))
        if code:
            answer = refused if code == GateClosedError.exit_code else "failed"
            return Proof(**about, answer=answer, report=f"```\n{_fenced(said)}\n```", is_proved=False)
    code, out, said = _typed(project, "analyse", str(one.idea), "--format", "markdown", "--json")
    try:
        record = json.loads(out)
        report = (project.root / record["report"]).read_text(encoding="utf-8")
    except (ValueError, KeyError, TypeError, OSError):
        return Proof(**about, answer="failed", report=f"```\n{_fenced(said)}\n```", is_proved=False)
    return Proof(**about, answer=str(record["decision"]), report=_without_pictures(report), is_proved=code == 0)


def _without_pictures(report: str) -> str:
    """The report without its pictures, and without what says how each is read."""
    parts = report.split("\n\n")
    pictures = {i for i, part in enumerate(parts) if part.startswith("![")}
    return "\n\n".join(part for i, part in enumerate(parts) if not {i, i - 1} & pictures)


def _typed(project: Project, *words: str) -> tuple[int, str, str]:
    """How a verb ended, what it printed, and what it said of what went wrong."""
    done = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-m", "shipworthy", *words], cwd=project.root, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, f"{done.stdout}{done.stderr}"


def _fenced(text: str) -> str:
    """A text that cannot end the block it stands in."""
    return text.replace("```", "'''").strip()


def _cell(text: str) -> str:
    for letter in "\\`|<>[]*_":
        text = text.replace(letter, f"\\{letter}")
    return text.replace("\n", " ")


def write_proof(path: Path, proofs: Sequence[Proof]) -> None:
    """Writes all proofs as one file."""
    path.write_text(as_markdown(proofs), encoding="utf-8")
