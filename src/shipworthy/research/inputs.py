"""Everything that evidence depends on: what makes it worth computing again, and what explains that it was."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from shipworthy.engine.block import functions_behind
from shipworthy.errors import NotFoundError
from shipworthy.project import Project
from shipworthy.project.code import installed_packages
from shipworthy.research.opening import Opened
from shipworthy.store import canonical, digest, get_content, put_content

_FOLDER = "inputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What two policies' replays were computed from; equal inputs give equal evidence.

    Attributes:
        policies: The policy of each role, champion and challenger.
        files: The project's files behind each role, each with the digest of its content.
        snapshot: The object that holds the rows.
        asked: What was asked of the replay beside that: its seed, its window, its repetitions.
        packages: Python and every installed package, each with its version.
    """

    policies: Mapping[str, str]
    files: Mapping[str, Mapping[str, str]]
    snapshot: str
    asked: Mapping[str, Any]
    packages: Mapping[str, str]

    @classmethod
    def of(cls, opened: Opened, asked: Mapping[str, Any]) -> Self:
        """The inputs as they are now."""
        return cls(
            policies=opened.policies,
            files={role: _files(opened, policy) for role, policy in opened.policies.items()},
            snapshot=opened.snapshot,
            asked=dict(asked),
            packages={"Python": platform.python_version()}
            | dict(package.split("==", 1) for package in installed_packages()),
        )

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned."""
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)

    @property
    def address(self) -> str:
        """The object that holds them, once they are kept."""
        return f"{_FOLDER}/{digest(canonical(self.to_dict()))}"

    def keep(self, project: Project) -> str:
        """Keeps them under their digest, and gives the address."""
        return put_content(project.objects, _FOLDER, canonical(self.to_dict()))

    def explained(self, before: Inputs | None, *, fits: int) -> list[str]:
        """Why something was computed, in sentences."""
        if before is None:
            return ["It is the first run."]
        gone = [f"Nothing changed, but {fits:,} blocks were not kept any more."] if fits else []
        return self.changes_since(before) or gone

    def changes_since(self, before: Inputs) -> list[str]:
        """What differs from earlier inputs, in sentences; empty where nothing does.

        >>> same = {"policies": {}, "snapshot": "snapshots/1", "packages": {"numpy": "2.0"}}
        >>> was = Inputs(files={"champion": {"p.py": "1"}}, asked={"seed": 1}, **same)
        >>> Inputs(files={"champion": {"p.py": "2"}}, asked={"seed": 2}, **same).changes_since(was)
        ['champion: p.py changed.', 'seed was 1 and is 2.']
        """
        return [
            *_told("{name} was the policy {was!r} and is {is_now!r}.", before.policies, self.policies),
            *(line for role in self.files for line in _code(role, before.files.get(role, {}), self.files[role])),
            *(["The rows are of another snapshot."] if self.snapshot != before.snapshot else []),
            *_told("{name} was {was} and is {is_now}.", before.asked, self.asked),
            *_told("{name} was {was} and is {is_now}.", before.packages, self.packages),
        ]


def read_inputs(project: Project, address: str) -> Inputs | None:
    """The inputs that were kept there; None where they are gone, or were never kept."""
    try:
        return Inputs.from_dict(json.loads(get_content(project.objects, address))) if address else None
    except NotFoundError:
        return None


def _files(opened: Opened, policy: str) -> dict[str, str]:
    code = opened.code
    files = code.files_behind(*functions_behind(opened.problem, policy))
    return {str(file.relative_to(code.folder)): digest(file.read_bytes()) for file in files}


def _told(sentence: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*before, *now}, key=str.lower):
        was, is_now = before.get(name, "absent"), now.get(name, "absent")
        if was != is_now:
            yield sentence.format(name=name, was=was, is_now=is_now)


def _code(role: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for file in sorted({*before, *now}):
        if before.get(file) != now.get(file):
            what = "is new" if file not in before else "is gone" if file not in now else "changed"
            yield f"{role}: {file} {what}."
