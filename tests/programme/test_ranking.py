"""The ranking of the backlog, in made-up squads whose truth is known: it earns at least as much as simpler orders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shipworthy.programme.backlog import Candidate, Worth, worths
from shipworthy.programme.claims import Claims, claims_of
from shipworthy.programme.course import Course
from shipworthy.programme.rates import Rates, rates_of
from shipworthy.project import Stage

DAYS = 60.0
SQUADS = 200
IDEAS = 16
STAGES = (Stage.DATA, Stage.RESEARCH, Stage.ANALYSIS, Stage.SHIP)
TRUE_RATES = {Stage.DATA: 0.7, Stage.ANALYSIS: 0.3, Stage.SHIP: 0.8}
AHEAD = {Stage.DATA: 3, Stage.RESEARCH: 2, Stage.ANALYSIS: 2, Stage.SHIP: 1}


def worth(candidate: Candidate, rates: Rates, claims: Claims, *, day_rate: float = 0.0) -> Worth:
    """What one of them is worth."""
    return worths([candidate], rates, claims, day_rate=day_rate)[0]


def history(rng: np.random.Generator, ideas: int = 25) -> tuple[Rates, Claims]:
    """What a squad knows of itself: ideas that went as the true rates say, and claims of which half came true."""
    found = []
    for number in range(ideas):
        testable, decision = bool(rng.random() < TRUE_RATES[Stage.DATA]), None
        if testable:
            decision = "ship" if rng.random() < TRUE_RATES[Stage.ANALYSIS] else "stop"
        found.append(Course(number, testable=testable, decision=decision))
    claims = claims_of([(10.0, 10.0 * rng.normal(0.5, 0.2)) for _ in range(6)], "realised")
    return rates_of(found), claims


def squad(rng: np.random.Generator) -> tuple[list[Candidate], np.ndarray]:
    """Ideas with claims and efforts, and what each truly earns."""
    candidates, earns = [], []
    for _ in range(IDEAS):
        stage = STAGES[rng.integers(len(STAGES))]
        claimed = float(rng.lognormal(3.0, 1.0))
        effort = float(rng.lognormal(2.5, 0.7))
        candidates.append(Candidate(stage=stage, gain=(0.5 * claimed, claimed, 1.5 * claimed), effort=effort))
        probability = np.prod(list(TRUE_RATES.values())[-AHEAD[stage] :])
        earns.append(0.5 * claimed * rng.normal(1.0, 0.2) * (rng.random() < probability))
    return candidates, np.array(earns)


def earned(order: list[int], candidates: list[Candidate], earns: np.ndarray) -> float:
    """What a squad with a fixed number of days earns that takes ideas in an order, passing over what does not fit any more."""
    left, total = DAYS, 0.0
    for place in order:
        left_of = {Stage.RESEARCH: 0.75, Stage.ANALYSIS: 0.25, Stage.SHIP: 0.25}
        days = candidates[place].effort * left_of.get(candidates[place].stage, 1.0)
        if days <= left:
            left -= days
            total += earns[place]
    return total


def test_ranked_by_it_a_squad_earns_more_than_first_come_and_by_claim():
    """Over two hundred squads with sixty days each, the ranking earns most, by more than chance explains."""
    rng = np.random.default_rng(20260101)
    totals = []
    for _ in range(SQUADS):
        rates, claims = history(rng)
        candidates, earns = squad(rng)
        worths = [worth(one, rates, claims).ratio for one in candidates]
        orders = (
            np.argsort([-ratio for ratio in worths]),
            range(IDEAS),
            np.argsort([-one.gain[1] for one in candidates]),
        )
        totals.append([earned([int(i) for i in order], candidates, earns) for order in orders])
    found = np.array(totals)
    for other in (1, 2):
        more = found[:, 0] - found[:, other]
        assert more.mean() > 2.0 * more.std() / SQUADS**0.5


def test_more_gain_less_cost_and_less_still_ahead_never_rank_lower():
    """Each of them alone, all else equal, raises the ratio."""
    rng = np.random.default_rng(3)
    rates, claims = history(rng)
    one = Candidate(stage=Stage.DATA, gain=(5.0, 10.0, 15.0), effort=8.0)
    ratio = worth(one, rates, claims).ratio
    assert worth(replace(one, gain=(6.0, 12.0, 18.0)), rates, claims).ratio > ratio
    assert worth(replace(one, effort=4.0), rates, claims).ratio > ratio
    assert worth(one, rates, claims, day_rate=800.0).ratio == pytest.approx(ratio / 800.0)
    assert worth(replace(one, cost=1000.0), rates, claims, day_rate=800.0).ratio < ratio / 800.0
    ratios = [worth(replace(one, stage=stage), rates, claims).ratio for stage in STAGES]
    assert ratios == sorted(ratios)


def test_rates_start_at_their_prior_and_follow_the_squad():
    """Without a history a third is judged to ship; with many ideas the squad's own share counts, and the interval narrows."""
    nobody = rates_of([]).of[Stage.ANALYSIS]
    assert nobody.mean == pytest.approx(1.0 / 3.0)
    courses = [Course(number, decision="ship" if number < 30 else "stop") for number in range(100)]
    many = rates_of(courses).of[Stage.ANALYSIS]
    assert many.mean == pytest.approx(31.0 / 103.0)
    assert many.high - many.low < 0.5 * (nobody.high - nobody.low)


def test_the_interval_of_the_value_covers_what_the_truth_is_worth():
    """The true expectation lies in the 90 % interval in nine of ten squads, within what chance allows."""
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(SQUADS):
        rates, claims = history(rng, ideas=40)
        low, likely, high = np.sort(rng.uniform(50, 150, 3))
        one = Candidate(stage=Stage.RESEARCH, gain=(low, likely, high), effort=1.0)
        gain = rng.triangular(low, likely, high)
        found = worth(one, rates, claims)
        truth = TRUE_RATES[Stage.ANALYSIS] * TRUE_RATES[Stage.SHIP] * 0.5 * gain * (1.0 - found.days / 365.0)
        covered += found.low <= truth <= found.high
    assert covered >= 0.85 * SQUADS
