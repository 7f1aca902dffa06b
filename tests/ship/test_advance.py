"""A rollout that moves by itself: promoted on proof alone, taken back on harm, paused where somebody has to look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis.criteria import Criteria
from shipworthy.errors import GateClosedError, InvalidInputError, PreconditionError
from shipworthy.ideas.register import find_idea
from shipworthy.live.ledger.ledger import read_ledger
from shipworthy.problem import OnFail, Problem
from shipworthy.project import Project, open_project
from shipworthy.ship.advance import Action, advance, findings
from shipworthy.ship.back import pause_idea, resume_idea, retire_idea, roll_back
from shipworthy.ship.conduct import Conduct
from shipworthy.ship.reading import Trial, read_live
from shipworthy.ship.release import build_release
from shipworthy.ship.rollout import AUTOMATIC, Draw, Move, Phase, Rollout, make_move, read_rollout, rollout_history
from shipworthy.ship.rules import Rules
from shipworthy.ship.shadow import LiveEvidence
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.standing import standing
from tests.problems import replay_of
from tests.ship import kiosk

GOOD, BAD = 13.0, -13.0
Ruled = Callable[..., Project]


@pytest.fixture
def ruled(shadowed: Project) -> Iterator[Ruled]:
    """Opens the kiosk, its first idea in shadow, under rules of its own."""
    opened: list[Project] = []

    def rule(text: str = "automatic = true", problem: str = "") -> Project:
        with (shadowed.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
            file.write(f"[rollout{problem}]\n{text}\n")
        opened.append(open_project(shadowed.root))
        return opened[-1]

    yield rule
    for project in opened:
        project.records.close()


def _phases(project: Project) -> list[str]:
    return [str(move.phase) for move in rollout_history(project, "kiosk")]


def _now(project: Project) -> Rollout:
    found = read_rollout(project, "kiosk")
    assert found is not None
    return found


def test_a_proven_gain_goes_live_by_itself_step_by_step(ruled: Ruled):
    """Each step has its share and its periods; every move says that nobody asked for it, what moved it and on what numbers."""
    project = ruled("automatic = true\nsteps = [0.1, 0.5]\nperiods = 10")
    for first in range(0, 70, 10):
        kiosk.live(project, first, [GOOD] * 10)
        advance(project, "kiosk")
    moves = rollout_history(project, "kiosk")[2:]
    assert [(move.phase, move.share) for move in moves] == [(Phase.CANARY, 0.1), (Phase.CANARY, 0.5), (Phase.LIVE, 0.0)]
    assert {(move.by, move.trigger) for move in moves} == {(AUTOMATIC, "gain")}
    assert [move.evidence["periods"] for move in moves] == [30, 40, 50]
    assert moves[-1].evidence["money"]["mean"] == GOOD
    assert moves[-1].champion == moves[0].challenger


@pytest.mark.parametrize("seed", range(3))
def test_a_harm_that_begins_after_the_promotion_is_taken_back(ruled: Ruled, seed: int):
    """Proven, live, and harmful from some day on: the old champion is back within weeks, and it stays there."""
    project, draws = ruled(), np.random.default_rng(seed)
    for first in range(0, 56, 14):
        kiosk.live(project, first, draws.normal(GOOD, 5.0, size=14))
        advance(project, "kiosk")
    assert _now(project).phase is Phase.LIVE
    baseline, day = _now(project).challenger, 56
    while _now(project).phase is Phase.LIVE and day < 130:
        kiosk.live(project, day, draws.normal(-3 * GOOD, 5.0, size=2))
        found = advance(project, "kiosk")
        day += 2
    back = _now(project)
    assert (back.phase, back.champion, back.by) == (Phase.ROLLED_BACK, baseline, AUTOMATIC)
    assert back.trigger in {"interval", "cusum"}
    assert found.moved
    with pytest.raises(GateClosedError, match="sticky"):
        ship_idea(project, 1)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_inconclusive_never_promotes(ruled: Ruled, seed: int):
    """However often an idea without effect is looked at, it stays in the shadow, where it costs nothing."""
    project, draws = ruled(), np.random.default_rng(seed)
    for first in range(0, 70, 7):
        kiosk.live(project, first, draws.normal(0.0, 3.0, size=7))
        assert not advance(project, "kiosk").moved
    assert _phases(project) == ["live", "shadow"]


def test_promotion_is_by_hand_where_the_rules_do_not_say_otherwise(shadowed: Project):
    """By default a rollout takes back by itself, and goes on only when it is asked to."""
    kiosk.live(shadowed, 0, [GOOD] * 30)
    found = advance(shadowed, "kiosk")
    assert not found.moved
    assert found.why.startswith("Proven: 26 EUR a day (")
    assert found.why.endswith("). Promotion is by hand.")
    ship_idea(shadowed, 1)
    kiosk.live(shadowed, 30, [BAD * 4] * 40)
    assert advance(shadowed, "kiosk").rollout.phase is Phase.ROLLED_BACK


def test_a_problem_has_rules_of_its_own(ruled: Ruled):
    """What is said for one problem counts for it, before what is said for all."""
    project = ruled("automatic = true", ".kiosk")
    kiosk.live(project, 0, [GOOD] * 30)
    assert advance(project, "kiosk").rollout.phase is Phase.CANARY


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("steps = [0.5, 0.1]", "rollout.steps must grow"),
        ("steps = []", "rollout.steps must be a list of shares"),
        ("steps = [0.0]", "rollout.steps must grow from above 0"),
        ("steps = [0.5, 1.0]", "rollout.steps must grow from above 0 to below 1"),
        ("steps = [1.5]", "rollout.steps must be a number"),
        ("periods = 0", "rollout.periods must be a whole number"),
        ("automatic = 1", "rollout.automatic must be true or false"),
        ('draw = "coin"', "rollout.draw must be one of 'period', 'unit', 'unit-period'"),
        ('trial = "live"', "rollout.trial must be one of 'canary', 'switchback'"),
        ('on_fail = "cry"', "rollout.on_fail must be one of 'rollback', 'pause', 'hold'"),
        ("speed = 1", "rollout.speed is unknown. Known here: automatic"),
        ("kiosk = {speed = 1}", "rollout.kiosk.speed is unknown"),
    ],
)
def test_rules_that_cannot_be_read_are_said(ruled: Ruled, text: str, says: str):
    """A slip in shipworthy.toml names the field, and moves nothing."""
    project = ruled(text)
    kiosk.live(project, 0, [GOOD] * 30)
    with pytest.raises(InvalidInputError, match=says.replace(".", r"\.")):
        advance(project, "kiosk")
    assert _phases(project) == ["live", "shadow"]


def _spoil_guardrail(project: Project) -> None:
    """Forty days of far more loaves, for the same money."""
    rollout = _now(project)
    releases = {"champion": rollout.champion, "challenger": rollout.challenger}
    for i in range(40):
        day = f"2025-0{6 + i // 28}-{1 + i % 28:02d}"
        kiosk.append(project, "decisions", [kiosk.entry(day, releases, {"champion": 10.0, "challenger": 90.0})])
        kiosk.append(project, "outcomes", [kiosk.outcome(day, demand=90)])


@pytest.mark.parametrize(
    ("on_fail", "action"), [("rollback", Action.ROLL_BACK), ("pause", Action.PAUSE), ("hold", Action.HOLD)]
)
def test_a_harmed_guardrail_does_what_it_says(shadowed: Project, on_fail: OnFail, action: Action):
    """Of a guardrail that is worse beyond doubt the trigger is named, and its own word is done."""
    _spoil_guardrail(shadowed)
    reading = advance(shadowed, "kiosk").reading
    [found] = [one for one in findings(reading, Rules(), {"baked": on_fail}) if one.trigger == "guardrail baked"]
    assert found.action is action


def test_a_harmed_guardrail_takes_the_challenger_back_by_default(shadowed: Project):
    """Without a word on it, a guardrail that is worse beyond doubt is a rollback."""
    _spoil_guardrail(shadowed)
    found = advance(shadowed, "kiosk")
    assert (found.rollout.phase, found.rollout.trigger) == (Phase.ROLLED_BACK, "guardrail baked")


@pytest.mark.parametrize(("word", "phase"), [("pause", Phase.PAUSED), ("hold", Phase.SHADOW)])
def test_a_loss_does_what_the_rules_say(ruled: Ruled, word: str, phase: Phase):
    """A loss of money is paused or held where the rules want that; held means that nothing moves, and that it is said."""
    project = ruled(f'on_fail = "{word}"')
    kiosk.live(project, 0, [BAD] * 30)
    found = advance(project, "kiosk")
    assert _now(project).phase is phase
    assert found.moved is (word == "pause")
    assert word == "pause" or found.why.startswith("Held: ")


def test_arms_that_were_not_filled_as_planned_pause(shadowed: Project):
    """Where all of the challenger's periods are lost, the arms compare unlike things: a human is asked, whatever they earn."""
    kiosk.live(shadowed, 0, [GOOD] * 14)
    ship_idea(shadowed, 1)
    rollout = _now(shadowed)
    releases = {"champion": rollout.champion, "challenger": rollout.challenger}
    for i in range(60):
        day = str(kiosk.FIRST + timedelta(days=kiosk.DAYS + 14 + i))
        entry = kiosk.entry(day, releases, {"champion": 63.0, "challenger": 50.0}, rollout=rollout.version)
        kiosk.append(shadowed, "decisions", [entry])
        kiosk.append(shadowed, "outcomes", [kiosk.outcome(day)])
    with pytest.raises(GateClosedError, match="arms were not filled as planned: 60 went to the champion, 0 to"):
        ship_idea(shadowed, 1)
    found = advance(shadowed, "kiosk")
    assert (found.rollout.phase, found.rollout.trigger) == (Phase.PAUSED, "arms")
    assert found.rollout.evidence["arms"] == [60, 0]


def test_one_awful_period_pauses_and_asks_a_human():
    """A period worse than anything the replay saw is no trend: nothing is taken back, and nobody goes on."""
    draws = np.random.default_rng(4)

    def paired(gains: np.ndarray) -> pl.DataFrame:
        columns = {"period": range(len(gains)), "unit": "all", "value_champion": 0.0, "value_challenger": gains}
        return pl.DataFrame(columns)

    live = LiveEvidence(
        table=paired(np.r_[draws.normal(1.0, 1.0, 40), -60.0]), answered=pl.DataFrame(), conduct=Conduct()
    )
    reading = read_live(live, paired(draws.normal(1.0, 1.0, 200)), Criteria(), Trial(is_live=True))
    [found] = findings(reading, Rules(), {})
    assert (found.action, found.trigger) == (Action.PAUSE, "breaker")
    assert "more than anything the backtest saw" in found.why


def test_what_is_paused_waits_for_a_human(ruled: Ruled):
    """The champion answers alone, and nothing moves; a resumed trial stands where it stood, and counts what comes then."""
    project = ruled()
    kiosk.live(project, 0, [GOOD] * 30)
    advance(project, "kiosk")
    canary = _now(project)
    kiosk.live(project, 30, [GOOD] * 30)
    paused = pause_idea(project, 1, "the oven smokes")
    assert (paused.phase, paused.champion, paused.challenger) == (Phase.PAUSED, canary.champion, canary.challenger)
    assert paused.arms_of("2026-01-01", ["rye", "white"]) == "champion"
    assert standing(project, find_idea(project, 1)).next == "shipworthy ship 1 --resume"
    found = advance(project, "kiosk")
    assert (found.moved, "the oven smokes" in found.why) == (False, True)
    for again in (ship_idea, lambda project, number: pause_idea(project, number, "again")):
        with pytest.raises(InvalidInputError, match="paused"):
            again(project, 1)
    with pytest.raises(GateClosedError, match="Idea 1 is paused on the same decision"):
        ship_idea(project, 2)
    resumed = resume_idea(project, 1, "it was the toaster")
    assert (resumed.phase, resumed.share, resumed.draw) == (canary.phase, canary.share, canary.draw)
    assert advance(project, "kiosk").why == "No live period has its outcome yet."
    kiosk.live(project, 60, [GOOD] * 30)
    assert advance(project, "kiosk").rollout.phase is Phase.LIVE


def test_what_is_live_is_paused_to_the_release_from_before_it(ruled: Ruled):
    """Pausing what is live lets the old champion answer; resuming it makes it live again, with the old one in its shadow."""
    project = ruled()
    for first in (0, 30, 60):
        kiosk.live(project, first, [GOOD] * 30)
        advance(project, "kiosk")
    live = _now(project)
    paused = pause_idea(project, 1, "why")
    assert (live.phase, paused.champion, paused.challenger) == (Phase.LIVE, live.challenger, live.champion)
    resumed = resume_idea(project, 1, "go on")
    assert (resumed.phase, resumed.champion, resumed.challenger) == (Phase.LIVE, live.champion, live.challenger)
    with pytest.raises(InvalidInputError, match="nothing to resume"):
        resume_idea(project, 1, "again")
    paused = pause_idea(project, 1, "why")
    back = roll_back(project, "kiosk", "enough")
    assert (back.phase, back.champion) == (Phase.ROLLED_BACK, live.challenger)


def test_what_is_live_is_retired(ruled: Ruled):
    """A retired idea gives way to the release from before it, and is not shipped again; what is on trial cannot be retired."""
    project = ruled()
    with pytest.raises(InvalidInputError, match="it is not live alone"):
        retire_idea(project, 1, "early")
    for first in (0, 30, 60):
        kiosk.live(project, first, [GOOD] * 30)
        advance(project, "kiosk")
    live = _now(project)
    retired = retire_idea(project, 1, "its gain has faded")
    assert (retired.phase, retired.champion, retired.challenger) == (Phase.RETIRED, live.challenger, None)
    assert standing(project, find_idea(project, 1)).says == "retired"
    assert advance(project, "kiosk").why.endswith("there is nothing to judge.")
    with pytest.raises(GateClosedError, match="It was retired"):
        ship_idea(project, 1)


def test_of_two_that_move_it_at_once_one_wins(ruled: Ruled, monkeypatch: pytest.MonkeyPatch):
    """Somebody rolls back while the rollout promotes itself: nothing is overrun, and the loser is told to look again."""
    project = ruled()
    kiosk.live(project, 0, [GOOD] * 30)
    real = make_move

    def slow(*asked: Any) -> Rollout:
        monkeypatch.setattr("shipworthy.ship.ship.make_move", real)
        other = open_project(project.root)
        roll_back(other, "kiosk", "stop")
        other.records.close()
        return real(*asked)

    monkeypatch.setattr("shipworthy.ship.ship.make_move", slow)
    with pytest.raises(PreconditionError, match="somebody else moved it meanwhile"):
        advance(project, "kiosk")
    assert _now(project).phase is Phase.ROLLED_BACK


def test_nothing_to_move_is_no_error(judged: Project):
    """Before the first move, and where one release serves alone, there is nothing to judge."""
    assert advance(judged, "kiosk").rollout is None


def test_a_canary_of_units_mixes_them(shadowed: Project):
    """Drawn for units for good, each keeps its arm; drawn anew, it changes; both have their share, and so does a period alone."""
    canary = Rollout(
        phase=Phase.CANARY, champion="a", challenger="b", share=0.3, idea="1", why="", problem="p", version=3,
        at=_now(shadowed).at, by="", draw=Draw.UNIT,
    )  # fmt: skip
    units = list(range(400))
    kept = [canary.arms_of(day, units) for day in range(3)]
    anew = [replace(canary, draw=Draw.UNIT_PERIOD).arms_of(day, units) for day in range(3)]
    whole = [replace(canary, draw=Draw.PERIOD).arms_of(day, units) for day in range(400)]
    assert kept[0] == kept[1] == kept[2]
    assert anew[0] != anew[1] != anew[2]
    for arms in (kept[0], anew[0], whole):
        assert 0.2 < arms.count("challenger") / 400 < 0.4


@pytest.mark.parametrize(
    ("declared", "rules", "expected"),
    [
        ("", Rules(), (Phase.CANARY, Draw.UNIT_PERIOD)),
        ("felt", Rules(), (Phase.CANARY, Draw.UNIT)),
        ("constrained", Rules(), (Phase.CANARY, Draw.PERIOD)),
        ("felt constrained", Rules(), (Phase.SWITCHBACK, Draw.PERIOD)),
        ("felt constrained", Rules(trial=Phase.CANARY), (Phase.CANARY, Draw.PERIOD)),
        ("constrained", Rules(draw=Draw.UNIT), (Phase.CANARY, Draw.UNIT)),
        ("", Rules(trial=Phase.SWITCHBACK), (Phase.SWITCHBACK, Draw.UNIT_PERIOD)),
    ],
)
def test_what_is_drawn_follows_from_the_problem(declared: str, rules: Rules, expected: tuple[Phase, Draw]):
    """Units are mixed where neither a constraint nor a carry-over speaks against it; the rules may say otherwise."""
    problem = Problem(
        "p", rows=None, period="day", unit="u", outcome="o", carry_over="2h" if "felt" in declared else None
    )
    if "constrained" in declared:
        problem.constraint(lambda decided: True)
    assert rules.trial_of(problem) == expected


def test_a_refit_goes_on_with_the_evidence(shadowed: Project):
    """Another release of the same policy takes over within a phase: what the first one did counts for it, and in the ledger."""
    kiosk.live(shadowed, 0, [GOOD] * 7)
    before = _now(shadowed)
    kiosk.write_rows(shadowed.root, seed=8)
    refit = build_release(replay_of(shadowed, "kiosk"), "weekday", "0001")
    assert refit not in (before.champion, before.challenger)
    move = Move(phase=before.phase, champion=before.champion, challenger=refit, idea=before.idea, why="a refit")
    make_move(shadowed, "kiosk", before, move)
    kiosk.live(shadowed, 7, [GOOD] * 7)
    assert advance(shadowed, "kiosk").reading.periods == 14
    [line] = read_ledger(shadowed)
    assert (line.periods, line.realised.gain) == (14, 26.0)
