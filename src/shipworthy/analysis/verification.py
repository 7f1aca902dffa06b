"""A recorded verdict reached once more from the stored evidence, on this machine or another one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shipworthy.analysis.analyse import read_whole_verdict, with_locked
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.verdicts import verdict
from shipworthy.errors import NotFoundError, TamperedError
from shipworthy.ideas.lock import read_lock
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.store import canonical, digest

_TOLERANCE = 1e-9
"""How far figures may differ in proportion: other builds of the arithmetic round the last digits otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a recorded verdict came out again.

    Attributes:
        recorded: The decision on record.
        again: The decision as it came out now.
        difference: The first field that differs, what it was and what it is now; None where none does.
        evidence: The object that was judged, whose bytes were checked against its name.
        criteria: The digest of what was locked, checked against what it says.
    """

    recorded: Decision
    again: Decision
    difference: str | None
    evidence: str
    criteria: str

    @property
    def is_same(self) -> bool:
        """Whether it is the same verdict in all that it says."""
        return self.difference is None


def verify_analysis(project: Project, number: int) -> Verification:
    """Judges the stored evidence of an idea again; needs its records and objects, and neither its code nor its data.

    Raises:
        NotFoundError: there is no verdict about the idea, or its evidence is gone.
        TamperedError: the evidence is not what was judged, or the criteria are not what was locked.
    """
    idea = find_idea(project, number)
    record, lock = project.records.get("verdict", idea.key), read_lock(project, idea.key)
    if record is None or lock is None:
        raise NotFoundError(
            f"There is no verdict about idea {number} to verify. Run `shipworthy analyse {number}` first."
        )
    if digest(canonical(lock.criteria)) != lock.digest:
        raise TamperedError(
            f"What is on record as locked for idea {number} is not what {lock.digest} was the digest of. Do not use it."
        )
    stored = read_whole_verdict(record)
    evidence = open_evidence(project, record.body["evidence"])
    again = verdict(evidence, with_locked(stored.criteria, lock.criteria, evidence), grant=stored.grant)
    difference = next(_differences(stored.to_dict(), again.to_dict()), None)
    if difference and record.body.get("is_sealed"):
        difference = f"{difference.partition(' ')[0]} differs; what it says is sealed"
    return Verification(
        recorded=stored.decision,
        again=again.decision,
        difference=difference,
        evidence=record.body["evidence"],
        criteria=lock.digest,
    )


def _differences(was: Any, now: Any, field: str = "") -> Iterator[str]:
    """Every field in which two verdicts differ, in words."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*was, *now]):
            yield from _differences(was.get(name), now.get(name), f"{field}.{name}" if field else str(name))
    elif isinstance(was, list | tuple) and isinstance(now, list | tuple) and len(was) == len(now):
        for i, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _differences(one, other, f"{field}[{i}]")
    elif not _alike(was, now):
        yield f"{field} was {was!r} and is now {now!r}"


def _alike(was: Any, now: Any) -> bool:
    if isinstance(was, float) and isinstance(now, float):
        return math.isclose(was, now, rel_tol=_TOLERANCE, abs_tol=0.0) or (math.isnan(was) and math.isnan(now))
    return bool(was == now)
