"""Judged file: the findings about evidence that came from elsewhere, without any project around it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.evidence_file import EvidenceFile
from shipworthy.analysis.report.findings import Findings, course_of, units_of, usable_pairs
from shipworthy.analysis.stated import Stated
from shipworthy.analysis.verdicts import verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedFile(Findings):
    """The findings about a file.

    Attributes:
        file: Its name.
        digest: The SHA-256 of its bytes.
        rows: How many rows it has.
        columns: What period, unit, champion and challenger are called in it.
        command: What was typed to judge it.
    """

    file: str
    digest: str
    rows: int
    columns: Mapping[str, str]
    command: str


def judge_file(read: EvidenceFile, stated: Stated, command: str) -> JudgedFile:
    """Judges evidence by what is stated; what had to be taken for granted stands among the notes.

    Raises:
        InvalidInputError: The criteria contradict themselves.
        UnavailableError: The file cannot be read any more.
    """
    cadence = stated.cadence_in(read.frame["period"])
    pairs = usable_pairs(read.frame, Criteria(cadence=cadence))
    each = pairs.height / pairs["period"].n_unique() if pairs.height else 1.0
    criteria = stated.criteria(each, cadence)
    found = verdict(read.frame, criteria)
    taken = stated.notes(criteria, each, read.frame["period"])
    with read.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return JudgedFile(
        title=stated.title or read.path.name.partition(".")[0],
        verdict=replace(found, notes=(*found.notes, *read.notes, *taken)),
        currency=stated.currency,
        unit_noun=read.columns.get("unit", "unit").replace("_", " "),
        claimed=None,
        is_sealed=False,
        course=course_of(pairs),
        units=units_of(pairs),
        file=read.path.name,
        digest=digest,
        rows=read.frame.height,
        columns=read.columns,
        command=command,
    )
