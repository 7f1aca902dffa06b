"""A history opened for one more idea: what the ideas before it leave of the budget of errors, and what is then written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import polars as pl

from shipworthy.analysis.cleaning import cleaned
from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.judgement import FEWEST_PERIODS_TO_SHIP
from shipworthy.analysis.pairs import paired
from shipworthy.data.holdout import ABANDONED, UNSEEN, Holdout, Opening, holdout_for, marks_of, read_holdouts
from shipworthy.errors import NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import locked_criteria, read_lock
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.clock import now
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import Research, read_research
from shipworthy.statistics import Grant, fingerprint
from shipworthy.statistics import grant as granted
from shipworthy.statistics.spectrum import planned_count
from shipworthy.store import Change, canonical, digest

Terms = Callable[[Criteria, Mapping[str, Any], pl.DataFrame], Criteria]
"""Gives criteria the money that an idea locked, for its evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a verdict cost its history, and what is left.

    Attributes:
        holdout: The key of the history's ledger.
        idea: Which of the ideas tried on it this one is, from 1.
        ideas: How many were tried so far, abandoned ones among them.
        planned: How many it is planned for.
        spent: The share of the budget of errors that is spent.
        left: The probability that is left for shipping an idea without effect.
        looks: Candidates that the fits of all these ideas chose among.
        retirement: When it retires, in words.
    """

    holdout: str
    idea: int
    ideas: int
    planned: int
    spent: float
    left: float
    looks: int
    retirement: str

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        return (
            f"idea {self.idea} of {self.planned} planned on this history; {self.spent:.0%} of its budget of errors is "
            f"spent; this history retires {self.retirement}"
        ).replace("retires retired", "is retired")

    def to_dict(self) -> dict[str, Any]:
        """The budget as a record holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned."""
        return cls(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A history with an idea that is being judged on it.

    Attributes:
        holdout: Its ledger, this idea included.
        opening: The idea's line in it.
        is_answered: Whether the same evidence was judged by the same criteria before: then it costs nothing.
    """

    holdout: Holdout
    opening: Opening
    is_answered: bool

    @property
    def grant(self) -> Grant | None:
        """What the verdict has to keep to; None where nothing could be shipped anyway."""
        return self.holdout.grant_of(self.opening)

    @property
    def budget(self) -> Budget:
        """What it cost, and what is left."""
        found = self.holdout
        return Budget(
            holdout=found.key,
            idea=found.openings.index(self.opening) + 1,
            ideas=found.ideas,
            planned=found.planned,
            spent=found.spent,
            left=found.left,
            looks=found.looks,
            retirement=found.retirement,
        )

    def changes(self, decision: Decision) -> list[Change]:
        """What has to be written together with the verdict: nothing where it was answered before."""
        if self.is_answered:
            return []
        said = replace(self.opening, decision=str(decision), at=now().isoformat(timespec="seconds"))
        openings = tuple(said if one is self.opening else one for one in self.holdout.openings)
        return [replace(self.holdout, openings=openings).change]


def open_holdout(
    project: Project, idea: Idea, research: Research, evidence: pl.DataFrame, criteria: Criteria, terms: Terms
) -> Opened:
    """Opens the history for an idea; nothing is written yet.

    Raises:
        GateClosedError: the history is retired.
    """
    ledgers, asked = read_holdouts(project, idea.problem), digest(canonical(criteria.to_dict()))
    for ledger in reversed(ledgers):
        known = ledger.find(idea.key, research.evidence)
        if known is not None and known.evidence == research.evidence and known.criteria == asked:
            return Opened(holdout=ledger, opening=known, is_answered=True)
    locked = locked_criteria(project, idea) or {}
    found = holdout_for(
        ledgers,
        idea.problem,
        marks_of(evidence["period"]),
        planned=int(locked.get("ideas_planned", 20)),
        is_sealed=research.holdout is not None,
        alpha=criteria.alpha,
    )
    for other in abandoned(project, found, ledgers, criteria, terms):
        if other.idea != idea.key:
            found = found.with_opening(other)
    opening = found.find(idea.key, research.evidence)
    if opening is None or opening.decision != ABANDONED:
        _refuse_retired(idea, found)
        earlier = [run for run in _unjudged(project, idea.key, ledgers) if run.evidence != research.evidence]
        opening = _opening(project, found, idea.key, [*earlier, research], evidence, criteria)
    opening = replace(opening, evidence=research.evidence, criteria=asked)
    return Opened(holdout=found.with_opening(opening), opening=opening, is_answered=False)


def abandoned(
    project: Project, found: Holdout, ledgers: list[Holdout], criteria: Criteria, terms: Terms
) -> list[Opening]:
    """Ideas that were researched on this history while it was open, and that no ledger holds yet; the oldest first.

    Whoever researched them may have seen what they earn, so they count as tried. On a sealed history nobody has.
    """
    waiting = []
    for record in project.records.find("research"):
        versions = _unjudged(project, record.key, ledgers)
        if versions and versions[-1].problem == found.problem:
            waiting.append((record.at, record.key, versions))
    openings = list[Opening]()
    for _, key, versions in sorted(waiting, key=lambda one: one[0]):
        evidence = _evidence(project, versions[-1])
        lock = read_lock(project, key)
        if evidence is None or lock is None:
            continue
        marks = marks_of(evidence["period"])
        # Of the shorter of the two: a holdout that was cut out of a long open history is seen whole.
        either = min(len(marks), found.periods)
        if either - found.seen(marks) >= UNSEEN * either:
            continue
        before = replace(found, openings=(*found.openings, *openings))
        openings.append(_opening(project, before, key, versions, evidence, terms(criteria, lock.criteria, evidence)))
    return openings


def _refuse_retired(idea: Idea, found: Holdout) -> None:
    if found.is_retired:
        what = f"The history that idea {idea.number} would be judged on is {found.retirement}."
        gap = Gap(what, f"Wait for it; `shipworthy holdout {found.problem}` shows who opened this one.")
        refuse_closed(f"Research to Analysis for idea {idea.number}", [gap])


def _unjudged(project: Project, key: str, ledgers: list[Holdout]) -> list[Research]:
    """An idea's research on an open history that is on no ledger, each evidence once, the oldest first."""
    paid = {address for ledger in ledgers for one in ledger.openings if one.idea == key for address in one.versions}
    runs = [read_research(record) for record in project.records.history("research", key)]
    newest = {run.evidence: run for run in runs if run.evidence not in paid and run.problem == runs[-1].problem}
    return [run for run in newest.values() if run.holdout is None]


def _opening(
    project: Project, found: Holdout, key: str, versions: list[Research], evidence: pl.DataFrame, criteria: Criteria
) -> Opening:
    """A line of the ledger for an idea, with what it is granted."""
    newest = versions[-1]
    print_ = _fingerprint(evidence, criteria)
    prints = [] if print_ is None else [print_]
    for run in versions[:-1] if print_ else []:
        table = _evidence(project, run)
        older = None if table is None else _fingerprint(table, criteria, len(print_ or ()) - 1)
        prints += [older] if older else []
    before = [one.spent for one in found.openings]
    critical = granted(before, prints, planned=found.planned, alpha=found.alpha).critical if prints else None
    return Opening(
        idea=key,
        evidence=newest.evidence,
        versions=tuple(run.evidence for run in versions),
        criteria="",
        fingerprints=tuple(prints),
        critical=critical,
        decision=ABANDONED,
        looks=sum(newest.looks.values()),
        repetitions=newest.repetitions,
    )


def _evidence(project: Project, run: Research) -> pl.DataFrame | None:
    try:
        return open_evidence(project, run.evidence)
    except NotFoundError:
        return None


def _fingerprint(evidence: pl.DataFrame, criteria: Criteria, cosines: int | None = None) -> tuple[float, ...] | None:
    """What evidence leaves on the history; None where it could not have been shipped, whatever it earned."""
    found = cleaned(evidence, replace(criteria, guardrails=()))
    if found.refusal or found.frame.is_empty():
        return None
    pairs = paired(found.frame, "value")
    sums, counts = pairs.series
    if not pairs.is_money or counts.size < FEWEST_PERIODS_TO_SHIP:
        return None
    many = planned_count(counts.size) if cosines is None else cosines
    if many >= counts.size:
        return None
    return tuple(fingerprint(sums, counts, many, min_effect=criteria.min_effect).tolist())
