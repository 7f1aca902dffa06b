"""The lint: advice on an idea while it is being written, by what it says and by what was tried before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from shipworthy.analysis.money import stated
from shipworthy.analysis.override import standing_override
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.alike import alike_among, words_of
from shipworthy.ideas.idea import FIELDS, Idea, idea_of
from shipworthy.ideas.register import list_ideas
from shipworthy.ideas.text import nested
from shipworthy.project import Project, clock
from shipworthy.project.section import Section
from shipworthy.ship.rollout import made_live, rollout_history

_FEWEST_WORDS = 5
_LOOKED_AT = 20
_PRAISE = words_of(
    "a an and are be because better best can earn earns faster gain gains good great help helps improve improved improves is it "
    "makes more of optimal optimise profit should smarter so that the this to well will with work works would"
)
"""Words that praise a change without saying why it should earn more."""


class Severity(StrEnum):
    """How much a piece of advice weighs: a gap closes the gate, a warning should be answered, a remark may be."""

    GAP = "gap"
    WARNING = "warning"
    REMARK = "remark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One piece of advice.

    Attributes:
        fields: The fields of the form that it is about.
        severity: How much it weighs.
        sentence: What is to be said.
        remedy: What to do about it.
        idea: The other idea that it is about; None where it is about none.
    """

    fields: tuple[str, ...]
    severity: Severity
    sentence: str
    remedy: str
    idea: int | None = None

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}"


def lint(
    project: Project,
    fields: Mapping[str, Any],
    *,
    number: int | None = None,
    ideas: Sequence[Idea] | None = None,
    currency: str = "",
) -> list[Advice]:
    """Advice on what a form says, the gravest first; it never refuses anything.

    Args:
        project: Where the idea belongs, or would.
        fields: What the form says, by the names of `FIELDS`; a field may be missing, or wrong.
        number: The idea's number; None where it is a new one.
        ideas: All ideas of the project, where the caller has them at hand.
        currency: Of the problem's money, where it is known.
    """
    draft, wrong = _draft(fields, number)
    known = [one for one in (list_ideas(project) if ideas is None else ideas) if one.number != number]
    refused = {name for advice in wrong for name in advice.fields}
    gaps = [
        Advice(fields=(name,), severity=Severity.GAP, sentence=gap.what, remedy=gap.remedy)
        for name, gap in draft.faults()
        if name not in refused
    ]
    found = [
        *wrong,
        *gaps,
        *_words(draft),
        *_dates(draft),
        *_money(project, draft, known, currency),
        *neighbours(project, draft, known),
    ]
    return sorted(found, key=lambda advice: list(Severity).index(advice.severity))


def neighbours(project: Project, idea: Idea, others: Sequence[Idea]) -> list[Advice]:
    """What other ideas mean for this one: those that say nearly the same, with their verdicts, and those on the same decision."""
    earlier = [other for other in others if other.number < idea.number]
    found = [
        Advice(
            fields=("title", "change"),
            severity=Severity.WARNING,
            sentence=f"Idea {other.number} says nearly the same: {other.title!r}{_outcome(project, other)}.",
            remedy="Say what is different this time, or go on with that one.",
            idea=other.number,
        )
        for other in alike_among(earlier, idea)
    ]
    return [*found, *_on_the_same_decision(project, idea, others)]


def _draft(fields: Mapping[str, Any], number: int | None) -> tuple[Idea, list[Advice]]:
    """The idea that the fields say, without those that are wrong, and what is wrong with them."""
    good, wrong = {}, []
    for name, value in fields.items():
        try:
            idea_of(1, "draft", Section("The idea", nested({name: value})))
            good[name] = value
        except InvalidInputError as refusal:
            about = (name,) if name in FIELDS else ()
            remedy = f"Correct {name}." if about else f"Leave {name!r} out."
            wrong.append(Advice(fields=about, severity=Severity.GAP, sentence=str(refusal), remedy=remedy))
    draft = idea_of(1, "draft", Section("The idea", nested(good)))
    return replace(draft, number=number if number is not None else _AFTER_ALL), wrong


_AFTER_ALL = 10**9
"""The number of an idea that has none yet: every other one is earlier."""


def _words(draft: Idea) -> Iterator[Advice]:
    mechanism = words_of(draft.because)
    if not mechanism:
        return
    if mechanism <= words_of(draft.change):
        vague = "The mechanism only repeats the change."
    elif len(mechanism - _PRAISE) < _FEWEST_WORDS - 2 or len(draft.because.split()) < _FEWEST_WORDS:
        vague = "The mechanism is vague: it does not say what the challenger knows or does that the champion misses."
    else:
        return
    remedy = "Say why the change should earn more, such as 'weekends sell half as much again, which yesterday does not know'."
    yield Advice(fields=("because",), severity=Severity.WARNING, sentence=vague, remedy=remedy)


def _dates(draft: Idea) -> Iterator[Advice]:
    if draft.deadline is not None and draft.deadline < clock.now().date():
        yield Advice(
            fields=("deadline",),
            severity=Severity.WARNING,
            sentence=f"The deadline, {draft.deadline}, is over.",
            remedy="Set a later one, or let the idea go.",
        )


def _money(project: Project, draft: Idea, others: Sequence[Idea], currency: str) -> Iterator[Advice]:
    """What is worth shipping, and expected, against what the data stage found out about the problem's money."""
    if draft.expected_gain is None and draft.smallest_gain is not None:
        yield Advice(
            fields=("expected_gain",),
            severity=Severity.REMARK,
            sentence="It does not say what gain is expected.",
            remedy="Give low, likely and high: the backlog is ranked by it.",
        )
    if draft.effort is None and draft.cost is None and draft.smallest_gain is not None:
        yield Advice(
            fields=("effort",),
            severity=Severity.REMARK,
            sentence="It does not say what it would take.",
            remedy="Give the effort in person-days, or a cost: the backlog is ranked by it.",
        )
    shown = _shown(project, draft, others)
    if shown is None or draft.smallest_gain is None or draft.smallest_gain < 0:
        return
    times = 1.0 if draft.per == "period" else shown["periods_per_year"]
    smallest, detectable = draft.smallest_gain, times * shown["smallest_detectable"]
    ceiling = None if shown["ceiling"] is None else times * shown["ceiling"]
    if ceiling is not None and smallest > ceiling:
        yield Advice(
            fields=("smallest_gain", "per"),
            severity=Severity.WARNING,
            sentence=f"Worth shipping from {stated(smallest, currency)} a {draft.per}: perfect foresight would gain no more than "
            f"{stated(ceiling, currency)}.",
            remedy="Correct the gain, or what it is counted per.",
        )
    elif smallest < detectable:
        least = f"{stated(detectable, currency)} and more" if isfinite(detectable) else "no gain at all"
        yield Advice(
            fields=("smallest_gain", "per"),
            severity=Severity.REMARK,
            sentence=f"{stated(smallest, currency)} a {draft.per} is less than the history can show, which is {least}.",
            remedy="Ask for more, or wait for more history.",
        )


def _shown(project: Project, draft: Idea, others: Sequence[Idea]) -> Mapping[str, Any] | None:
    """What the data stage said last that the history of this problem can show."""
    same = sorted((one.number for one in others if one.problem == draft.problem and draft.problem), reverse=True)
    for number in [draft.number, *same][:_LOOKED_AT]:
        record = project.records.get("data", f"{number:04d}")
        shown = record.body.get("provable") if record and record.body["problem"] == draft.problem else None
        if shown is not None:
            return {"ceiling": None, **shown}
    return None


def _on_the_same_decision(project: Project, idea: Idea, others: Sequence[Idea]) -> Iterator[Advice]:
    same = [other for other in others if other.problem == idea.problem and idea.problem]
    moves = rollout_history(project, idea.problem) if idea.problem else []
    titles = {other.key: other for other in same}
    trial = moves[-1] if moves and moves[-1].phase.is_trial else None
    live = made_live(moves)
    for move, remedy in (
        (trial, "Two at once could not be told apart: it can ship once that trial is over."),
        (live, "It will be compared with what serves then: name that as the champion."),
    ):
        if move is not None and move.idea in titles:
            other = titles[move.idea]
            is_so = "live" if move is live else f"in {move.phase}"
            yield Advice(
                fields=("problem",),
                severity=Severity.WARNING if move is trial else Severity.REMARK,
                sentence=f"Idea {other.number} is {is_so} on the same decision: {other.title!r}.",
                remedy=remedy,
                idea=other.number,
            )
    twins = [other for other in same if other.challenger == idea.challenger and idea.challenger]
    if twins:
        yield Advice(
            fields=("challenger",),
            severity=Severity.WARNING,
            sentence=f"Idea {twins[-1].number} is carried by the same challenger{_outcome(project, twins[-1])}.",
            remedy="Two ideas in one policy have one verdict: give this one a policy of its own.",
            idea=twins[-1].number,
        )


def _outcome(project: Project, idea: Idea) -> str:
    """What came of an idea that was judged."""
    judged = project.records.get("verdict", idea.key)
    if judged is None:
        return ", not judged yet"
    override = standing_override(project, idea, judged)
    if override is not None and override.counts:
        return f", judged: {override.instead_of}, overridden to {override.to}"
    return f", judged: {judged.body['verdict']['decision']}"
