"""`shipworthy verdict`: the verdict about a file of evidence from elsewhere, without a project around it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from shipworthy.analysis.evidence_file import read_evidence
from shipworthy.analysis.report.faces import FACES, write_faces
from shipworthy.analysis.report.judged_file import JudgedFile, judge_file
from shipworthy.analysis.stated import Entities, Per, Stated, margin
from shipworthy.analysis.stated_file import read_stated
from shipworthy.cli.faces import in_faces
from shipworthy.cli.figures import gains
from shipworthy.cli.show import as_json, tell
from shipworthy.errors import GateClosedError, InvalidInputError, UnavailableError

_COLUMNS = ("period", "unit", "champion", "challenger")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--period", metavar="COLUMN", help="The column of the period: dates, times or whole numbers.")
@click.option("--unit", metavar="COLUMN", help="The column of the unit.")
@click.option("--champion", metavar="COLUMN", help="The column of what is earned as it is decided today.")
@click.option("--challenger", metavar="COLUMN", help="The column of what the idea earns.")
@click.option(
    "--criteria", type=click.Path(path_type=Path), help="A TOML file that states what follows; options go first."
)
@click.option(
    "--smallest-gain", type=float, help="The smallest gain worth shipping; any gain that is proved, if none is said."
)
@click.option("--target", type=float, help="The gain that was claimed.")
@click.option("--per", type=click.Choice(get_args(Per)), help="What both are counted per; a year, if nothing is said.")
@click.option(
    "--guardrail", "guardrails", metavar="NAME:MARGIN[:lower]", multiple=True, help="What must not get worse."
)
@click.option("--cadence", metavar="LENGTH", help="The length of a period, such as 1d, 1w or 6h.")
@click.option("--refit-periods", type=int, help="The challenger is refitted every so many periods; 0 for never.")
@click.option(
    "--entities", type=click.Choice(get_args(Entities)), help="Are these all units to be served, or a sample?"
)
@click.option("--alpha", type=float, help="The two-sided error of every interval; 0.05, if nothing is said.")
@click.option("--units-per-year", type=float, help="How many pairs a year has.")
@click.option("--currency", help="The currency of all money.")
@click.option("--title", help="What is judged, in a line.")
@in_faces
@click.option(
    "--report",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Where the report goes, instead of beside FILE; further forms lie beside it.",
)
@click.option("--no-report", is_flag=True, help="Write no report.")
@as_json
def verdict(file: Path, faces: list[str], report: Path | None, no_report: bool, json_: bool, **asked: Any) -> int:
    """Judge the paired evidence in FILE: CSV, Parquet or JSON lines, whoever wrote it.

    FILE has a row for each period and unit, with what champion and challenger earned there.
    """
    named = {role: column for role in _COLUMNS if (column := asked.pop(role)) is not None}
    stated = _stated(asked.pop("criteria"), asked)
    read = read_evidence(file, named, [rail.name for rail in stated.guardrails])
    stem = _stem(file, report, faces)
    found = judge_file(read, stated, shlex.join(["shipworthy", *sys.argv[1:]]))
    written, why_not = ([], None) if no_report else _written(found, stem, faces, is_asked=report is not None)
    decided = found.verdict
    tell(
        {
            "Verdict": str(decided.decision),
            "Because": list(decided.reasons),
            **gains(decided, found.currency),
            "Notes": list(decided.notes) or None,
            "Report": written or why_not,
        },
        record=_record(found, written) if json_ else None,
    )
    return 0 if decided.decision == "ship" else GateClosedError.exit_code


def _stated(file: Path | None, asked: dict[str, Any]) -> Stated:
    typed = {name: value for name, value in asked.items() if value is not None and value != ()}
    if "guardrails" in typed:
        typed["guardrails"] = tuple(margin(text) for text in typed["guardrails"])
    return Stated(**((read_stated(file) if file else {}) | typed))


def _stem(file: Path, report: Path | None, faces: Sequence[str]) -> Path:
    """Where the report goes, without the ending of its name; no form of it takes the place of the evidence."""
    endings = [FACES[name].ending for name in faces]
    if report is None:
        name = file.name.removesuffix(".gz")
        return file.with_name(f"{name.rpartition('.')[0] or name}.verdict")
    fits = [ending for ending in endings if report.name.endswith(ending) and report.name != ending]
    if not fits:
        raise InvalidInputError(f"{report} is to be a report. Give it a name that ends with {' or '.join(endings)}.")
    stem = report.with_name(report.name.removesuffix(max(fits, key=len)))
    if file.resolve() in [stem.with_name(f"{stem.name}{ending}").resolve() for ending in endings]:
        raise InvalidInputError(f"The report would take the place of {file}, the evidence. Name another --report.")
    return stem


def _written(found: JudgedFile, stem: Path, faces: Sequence[str], *, is_asked: bool) -> tuple[list[str], str | None]:
    """What was written, or why nothing was; that is an error only where somebody said where to."""
    try:
        return [str(path) for path in write_faces(found, stem.parent, stem.name, faces)], None
    except UnavailableError as error:
        if is_asked:
            raise
        return [], f"none: {error}"


def _record(found: JudgedFile, written: Sequence[str]) -> dict[str, Any]:
    decided = found.verdict
    return {
        "file": found.file,
        "sha256": found.digest,
        "columns": dict(found.columns),
        "decision": str(decided.decision),
        "currency": found.currency or None,
        "per_period": asdict(decided.per_period()),
        "per_year": asdict(decided.per_year()),
        "verdict": decided.to_dict(),
        "report": written[0] if written else None,
        "reports": list(written),
    }
