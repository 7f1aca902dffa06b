"""Stored research computed once more from nothing: the same evidence, or the first place where it differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from secrets import token_hex

from shipworthy.engine import Done, code_digest, engine_of, windows
from shipworthy.project import Project, refuse_closed
from shipworthy.research.both import replay_both
from shipworthy.research.difference import Difference, first_difference
from shipworthy.research.evidence import FOLDER, evidence_digest, open_evidence, pair
from shipworthy.research.gate import missing
from shipworthy.research.inputs import Inputs, read_inputs
from shipworthy.research.opening import open_idea
from shipworthy.research.repetitions import averaged
from shipworthy.research.research import last_research


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether stored evidence came out again.

    Attributes:
        evidence: The object that was stored.
        again: What it would be called as it came out now.
        difference: The first place where the two differ; None where they are the same.
        changes: What differs from what it was computed from then, in sentences: what may explain a difference.
    """

    evidence: str
    again: str
    difference: Difference | None
    changes: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether it is the same to the last byte."""
        return self.evidence == self.again


def verify_idea(project: Project, number: int, done: Done = lambda n, of: None) -> Verification:
    """Computes an idea's research again, with nothing that was kept of it, and compares; no record is written.

    Raises:
        GateClosedError: there is no research about the idea, its code and its data as they are now.
    """
    opened = open_idea(project, number)
    code = code_digest(opened.code, opened.problem, opened.idea.challenger)
    refuse_closed(f"Research to its verification for idea {number}", missing(project, opened.idea, code))
    stored = last_research(project, opened.idea)
    assert stored is not None, "the gate was open"
    replayed = replace(opened.replay(), salt=token_hex(8))
    with engine_of(project, replayed.history.rows) as engine:
        both = replay_both(replayed, opened.idea.challenger, engine, done, repetitions=stored.repetitions)
    paired = averaged(opened.problem, [pair(opened.problem, *tracks) for tracks in both])
    computed = windows(opened.problem, replayed.history).judged.cut(paired, "period")
    found = first_difference(open_evidence(project, stored.evidence), computed, ["period", "unit"])
    then = read_inputs(project, stored.inputs)
    return Verification(
        evidence=stored.evidence,
        again=f"{FOLDER}/{evidence_digest(computed)}",
        difference=_withheld(found) if found and stored.holdout else found,
        changes=tuple(Inputs.of(opened, then.asked).changes_since(then)) if then else (),
    )


def _withheld(found: Difference) -> Difference:
    """Where it is, but not what the sealed evidence says there."""
    return replace(found, was="sealed", is_now="sealed")
