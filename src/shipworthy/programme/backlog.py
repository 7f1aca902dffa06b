"""The backlog: ideas that are not over, ranked by expected value over cost, by what the squad's own ideas came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import brief, money, step_for, step_of
from shipworthy.analysis.wording import sentence
from shipworthy.ideas.idea import Idea
from shipworthy.programme.claims import Claims, claims_of
from shipworthy.programme.facts import Facts, Measured
from shipworthy.programme.place import is_open
from shipworthy.programme.rates import DRAWS, SEED, Rates, rates_of
from shipworthy.programme.reason import believed, no_effort, on_average
from shipworthy.programme.terms import Terms, expected_a_year, terms_about
from shipworthy.project import Stage

Column = NDArray[np.float64]

EFFORT_DAYS = 10.0
"""What an idea is taken to cost in person-days where no idea of the squad says."""

LEFT: Mapping[Stage, float] = {
    Stage.IDEA: 1.0,
    Stage.DATA: 1.0,
    Stage.RESEARCH: 0.75,
    Stage.ANALYSIS: 0.25,
    Stage.SHIP: 0.25,
}
"""The share of an idea's cost that is still to be spent at a stage: what is spent says nothing of what to do next."""

_MEASURED_SHARE, _MEASURED_SD = 1.0, 0.0
_TOGETHER = 500
"""So many ideas are drawn at once: more would not fit into the caches of a processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is needed of an idea to rank it.

    Attributes:
        stage: Where it stands.
        gain: What it is expected to gain a year, should it ship: low, likely, high.
        effort: Person-days for all of it.
        cost: Money besides.
        measured: Whether the gain was measured by a verdict, and is no claim.
    """

    stage: Stage
    gain: tuple[float, float, float]
    effort: float
    cost: float = 0.0
    measured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What working on an idea is worth.

    Attributes:
        to_ship: How probable it is that it ships and stays.
        gain: What it gains a year, should it ship, as far as claims come true.
        days: Days until it would earn, by the squad's own times.
        value: What it is expected to earn within a year from today.
        low: Lower end of the 90 % interval of that expectation.
        high: Upper end.
        cost: What is still to be spent: money, or person-days where no day rate is set.
        ratio: The value over the cost.
        in_money: Whether the cost is money; else it is person-days.
    """

    to_ship: float
    gain: float
    days: float
    value: float
    low: float
    high: float
    cost: float
    ratio: float
    in_money: bool = False

    def cost_says(self, currency: str) -> str:
        """The cost with its unit."""
        if self.in_money:
            return brief(self.cost, currency)
        days = f"{self.cost:,.2f}".rstrip("0").rstrip(".")
        return f"{days} day{'' if days == '1' else 's'}"

    def ratio_says(self, currency: str) -> str:
        """The value over the cost with its unit, with no more digits than the value's interval leaves of it."""
        step = step_of([self.ratio], digits=2)
        return brief(self.ratio, "", step) if self.in_money else f"{brief(self.ratio, currency, step)} a day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An idea in the backlog.

    Attributes:
        project: The space of its project.
        squad: Its squad.
        idea: Its number.
        title: Its title.
        problem: Its problem.
        owner: Who answers for it.
        stage: At which stage it is.
        says: Where it stands there.
        currency: The currency of all money.
        worth: What working on it is worth; None where nobody knows what it would gain.
        is_guessed: Whether nobody said what it would gain, and the squad's mean is taken.
        why: Why it stands where it stands, in sentences.
    """

    project: str
    squad: str
    idea: int
    title: str
    problem: str
    owner: str
    stage: str
    says: str
    currency: str
    worth: Worth | None
    is_guessed: bool
    why: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "why": list(self.why)}


def worths(candidates: Sequence[Candidate], rates: Rates, claims: Claims, *, day_rate: float = 0.0) -> list[Worth]:
    """What working on each of some ideas is worth.

    Value is what one earns within a year from today: the probability that it ships, times its gain a year, times the share of the
    year that is left once it is live. Gains are drawn from a triangle, rates and shares from their posteriors; every idea is held
    against the same draws.
    """
    found: list[Worth] = []
    for start in range(0, len(candidates), _TOGETHER):
        some = candidates[start : start + _TOGETHER]
        lows, highs = _intervals(some, rates, claims)
        found += [
            _worth(one, rates, claims, day_rate, (float(low), float(high)))
            for one, low, high in zip(some, lows, highs, strict=True)
        ]
    return found


def _worth(candidate: Candidate, rates: Rates, claims: Claims, day_rate: float, interval: tuple[float, float]) -> Worth:
    share, _ = _share(candidate, claims)
    days, to_ship = rates.days_to(candidate.stage, "live"), rates.to_ship(candidate.stage)
    gain = share * sum(candidate.gain) / 3.0
    left = LEFT[candidate.stage]
    cost = max(left * (candidate.effort * (day_rate or 1.0) + (candidate.cost if day_rate else 0.0)), 1e-9)
    value = to_ship * gain * _earning(days)
    return Worth(
        to_ship=to_ship,
        gain=gain,
        days=days,
        value=value,
        low=interval[0],
        high=interval[1],
        cost=cost,
        ratio=value / cost,
        in_money=bool(day_rate),
    )


def _intervals(candidates: Sequence[Candidate], rates: Rates, claims: Claims) -> NDArray[np.float64]:
    """The ends of the 90 % intervals of the values: two rows."""
    rng = np.random.default_rng(SEED)
    uniform, normal = rng.random(DRAWS), rng.standard_normal(DRAWS)
    low, likely, high = (np.array([one.gain[i] for one in candidates])[:, None] for i in range(3))
    share, sd = np.array([_share(one, claims) for one in candidates]).T[:, :, None]
    drawn = _triangular(low, likely, high, uniform)
    drawn *= np.maximum(0.0, share + sd * normal)
    stages = list(Stage)
    drawn *= np.stack([rates.drawn(stage) * _earning(rates.days_to(stage, "live")) for stage in stages])[
        [stages.index(one.stage) for one in candidates]
    ]
    return np.quantile(drawn, (0.05, 0.95), axis=1)


def _triangular(low: Column, likely: Column, high: Column, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draws from triangles, by the inverse of their distribution function."""
    up, down, wide = likely - low, high - likely, high - low
    return np.where(
        uniform * wide < up, low + np.sqrt(uniform * wide * up), high - np.sqrt((1.0 - uniform) * wide * down)
    )


def _share(candidate: Candidate, claims: Claims) -> tuple[float, float]:
    """The share of its gain that comes true, with its standard deviation."""
    return (_MEASURED_SHARE, _MEASURED_SD) if candidate.measured else (claims.share, claims.sd)


def _earning(days: float) -> float:
    """The share of a year that is left after some days."""
    return max(0.0, 1.0 - days / 365.0)


def backlog(facts: Sequence[Facts], *, ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None) -> list[Line]:
    """The ideas that are not over, the best first, those that are refused last; each is held against its own squad's ideas.

    Args:
        facts: What is known of each project.
        ledger: By a project's space the lines of its ledger, as `Line.to_dict` gives them: what claims came to. Without it,
            claims are held against what verdicts measured.
    """
    lines: list[Line] = []
    for squad in sorted({one.project.squad for one in facts}):
        lines += _of_squad([one for one in facts if one.project.squad == squad], ledger or {})
    return sorted(
        lines,
        key=lambda line: (line.says == _REFUSED, -(line.worth.ratio if line.worth else -1.0), line.project, line.idea),
    )


def _of_squad(facts: Sequence[Facts], ledger: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Line]:
    known = {one.project.space: _Known.of(one) for one in facts}
    rates = rates_of(course for one in facts for course in one.courses())
    expected = {(space, number): gain for space, own in known.items() for number, gain in own.expected.items()}
    shipped = {
        space: {number: _ends(one.year) for number, one in own.measured.items() if one.decision is Decision.SHIP}
        for space, own in known.items()
    }
    claims = _claims(expected, shipped, ledger)
    usual = _Usual.of([idea for own in known.values() for idea in own.ideas.values()], list(expected.values()))
    lines: list[Line] = []
    for one in facts:
        lines += _of_project(one, known[one.project.space], usual, rates, claims)
    return lines


@dataclass(frozen=True, slots=True)
class _Known:
    """What a project's ideas are expected to gain a year."""

    ideas: Mapping[int, Idea]
    terms: Mapping[str, Terms]
    expected: Mapping[int, tuple[float, float, float]]
    measured: Mapping[int, Measured]

    @classmethod
    def of(cls, facts: Facts) -> Self:
        ideas, terms = facts.ideas(), facts.terms()
        said = {n: expected_a_year(idea, terms_about(terms, idea.problem)) for n, idea in ideas.items()}
        return cls(ideas, terms, {n: gain for n, gain in said.items() if gain is not None}, facts.measured())


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is taken where nobody said: the effort in person-days, and the gain a year."""

    effort: float
    gain: tuple[float, float, float] | None
    is_effort_known: bool

    @classmethod
    def of(cls, ideas: Iterable[Idea], gains: Sequence[tuple[float, float, float]]) -> Self:
        efforts = [idea.effort for idea in ideas if idea.effort]
        low, likely, high = (fmean(gain[i] for gain in gains) if gains else 0.0 for i in range(3))
        return cls(median(efforts) if efforts else EFFORT_DAYS, (low, likely, high) if gains else None, bool(efforts))


@dataclass(frozen=True, slots=True)
class _Said:
    """What an idea is taken to gain a year, and the sentence that tells who said so."""

    year: tuple[float, float, float] | None
    sentence: str
    is_guessed: bool = False


def _of_project(facts: Facts, known: _Known, usual: _Usual, rates: Rates, claims: Claims) -> list[Line]:
    project = facts.project
    asked = [(known.ideas[one.number], one) for one in facts.stands() if is_open(one) and one.number in known.ideas]
    gains = {idea.number: _gain(idea, known, usual, claims) for idea, _ in asked}
    candidates = {
        idea.number: Candidate(
            stage=stands.stage,
            gain=gain,
            effort=idea.effort or usual.effort,
            cost=idea.cost or 0.0,
            measured=idea.number in known.measured,
        )
        for idea, stands in asked
        if (gain := gains[idea.number].year) is not None
    }
    day_rate = float(project.settings["programme"]["day_rate"])
    worth = dict(zip(candidates, worths(list(candidates.values()), rates, claims, day_rate=day_rate), strict=True))
    return [
        Line(
            project=project.space,
            squad=project.squad,
            idea=idea.number,
            title=idea.title,
            problem=idea.problem,
            owner=idea.owner,
            stage=str(stands.stage),
            says=stands.says,
            currency=(terms := terms_about(known.terms, idea.problem)).currency,
            worth=(found := worth.get(idea.number)),
            is_guessed=gains[idea.number].is_guessed,
            why=(
                *(
                    (f"It is refused, so it ranks last. {sentence(stands.gaps[0].what)}",)
                    if stands.says == _REFUSED
                    else ()
                ),
                *((_chance(stands.stage, found, rates),) if found else ()),
                gains[idea.number].sentence,
                *((_when(found, terms),) if found else ()),
                *(
                    ()
                    if idea.effort
                    else (no_effort(usual.effort, is_known=usual.is_effort_known, left=LEFT[stands.stage]),)
                ),
            ),
        )
        for idea, stands in asked
    ]


_REFUSED = "refused"


def _gain(idea: Idea, known: _Known, usual: _Usual, claims: Claims) -> _Said:
    """What an idea gains a year: as measured, else as expected, else what is usual."""
    terms = terms_about(known.terms, idea.problem)
    if idea.number in known.measured:
        one = known.measured[idea.number]
        return _Said(_ends(one.year), f"Its verdict measured {terms.says(one.year.gain, one.step)} a year.")
    if idea.number in known.expected:
        gain = known.expected[idea.number]
        return _Said(gain, f"Expected {terms.says(gain[1])} a year{on_average(gain, terms)}{believed(claims)}.")
    if usual.gain is not None:
        says = "Nobody said what it would gain, so the mean of the squad's ideas is taken"
        return _Said(
            usual.gain,
            f"{says}: {terms.says(usual.gain[1])} a year{on_average(usual.gain, terms)}{believed(claims)}.",
            is_guessed=True,
        )
    return _Said(
        None, "Nobody said what it, or any other idea of the squad, would gain: write expected_gain under [worth]."
    )


def _ends(gain: Gain) -> tuple[float, float, float]:
    return gain.low, gain.gain, gain.high


def _claims(
    expected: Mapping[tuple[str, int], tuple[float, float, float]],
    shipped: Mapping[str, Mapping[int, tuple[float, float, float]]],
    ledger: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Claims:
    """How far claims came true: by the ledger where it has any, else by what verdicts to ship measured."""
    realised = [
        (expected[space, line["idea"]][1], line["realised"]["gain"] * line["periods_per_year"])
        for space, lines in ledger.items()
        for line in lines
        if line.get("realised") and (space, line["idea"]) in expected
    ]
    if realised:
        return claims_of(realised, "realised")
    known = [
        (gain[1], shipped[space][number][1]) for (space, number), gain in expected.items() if number in shipped[space]
    ]
    return claims_of(known, "measured")


def _chance(stage: Stage, found: Worth, rates: Rates) -> str:
    """How many ideas at a stage ship and stay, and whose ideas say so."""
    tried = stage is Stage.SHIP
    counted = rates.of[Stage.SHIP if tried else Stage.ANALYSIS]
    says = f"{money(100.0 * found.to_ship, '%')} of ideas at this stage ship and stay"
    if not counted.of:
        return f"{says}: what is usual; this squad has {'tried' if tried else 'judged'} none yet."
    did = "that stayed when tried" if tried else "judged to ship"
    return f"{says}, going by {counted.passed} of {counted.of} {did}."


def _when(found: Worth, terms: Terms) -> str:
    """When an idea could earn, and what that comes to within a year."""
    live = "It could be live" + (f" in about {found.days:.0f} days" if found.days >= 0.5 else " at once")
    step = step_for(Gain(gain=found.value, low=found.low, high=found.high), 0.0)
    return f"{live}; that is worth {terms.says(found.value, step)} within a year from today."
