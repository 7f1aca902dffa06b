"""A switchback in a rollout: published before it starts, answered by its plan, judged by its blocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.trials.schedule import SwitchbackPlan
from shipworthy.analysis.trials.trial_verdict import TrialDecision
from shipworthy.errors import InvalidInputError
from shipworthy.project import Project, open_project
from shipworthy.ship.back import pause_idea, resume_idea
from shipworthy.ship.conduct import Conduct
from shipworthy.ship.reading import Trial, read_live
from shipworthy.ship.rollout import Phase, Rollout, read_rollout
from shipworthy.ship.shadow import LiveEvidence
from shipworthy.ship.ship import ship_idea
from tests.cli.typed import typed
from tests.ship import kiosk

NOW = datetime(2025, 5, 20, 12, tzinfo=UTC)
START = datetime(2025, 6, 2)


@pytest.fixture
def turning(shadowed: Project) -> Iterator[Project]:
    """The kiosk, its idea ready to leave the shadow, where arms are to take turns."""
    with (shadowed.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write('[rollout]\ntrial = "switchback"\n')
    kiosk.live(shadowed, 0, [13.0] * 14)
    project = open_project(shadowed.root)
    yield project
    project.records.close()


def test_its_plan_is_published_by_the_move_that_begins_it(turning: Project):
    """Seed and blocks stand in the record and in the history before the first block; who answers when follows from them."""
    rollout = ship_idea(turning, 1, start=START, seed="autumn", now=NOW).rollout
    plan = rollout.plan
    assert (rollout.phase, plan.seed, plan.start) == (Phase.SWITCHBACK, "autumn", START)
    assert "A switchback begins on 2025-06-02 00:00: " in rollout.why
    blocks = plan.blocks()
    days = [start.date() for start in blocks["start"]]
    assert [rollout.arms_of(day, list(kiosk.BREADS)) for day in days] == blocks["arm"].to_list()
    for outside in (days[0] - timedelta(days=1), days[-1] + timedelta(days=1)):
        assert rollout.arms_of(outside, list(kiosk.BREADS)) == "champion"
    told = typed(turning.root, "history", "kiosk", "--json").json[-1]
    assert (told["plan"]["seed"], told["plan"]["digest"]) == ("autumn", plan.digest)
    assert len(told["plan"]["blocks"]) == 2 * plan.pairs
    assert read_rollout(turning, "kiosk").plan == plan
    kiosk.live(turning, 14, [13.0] * 28)
    assert ship_idea(turning, 1).rollout.phase is Phase.LIVE


def test_without_a_start_it_begins_at_the_midnight_after_the_next(turning: Project):
    """Nobody has to name an instant, and it is always ahead."""
    assert ship_idea(turning, 1, now=NOW).rollout.plan.start == datetime(2025, 5, 22)


def test_one_that_ended_in_its_pause_is_not_resumed(turning: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As long as blocks are left a paused switchback goes on by its plan; after the last one nothing could prove its gain."""
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat())
    monkeypatch.setenv("SHIPWORTHY_CLOCK", str(clock))
    begun = ship_idea(turning, 1, start=START, now=NOW).rollout
    end = START + timedelta(days=begun.plan.days)
    pause_idea(turning, 1, "the oven smokes")
    clock.write_text((end - timedelta(minutes=1)).isoformat())
    resumed = resume_idea(turning, 1, "it was the toaster")
    assert (resumed.phase, resumed.plan, resumed.share) == (begun.phase, begun.plan, begun.share)
    paused = pause_idea(turning, 1, "it smokes again")
    clock.write_text(end.isoformat())
    with pytest.raises(InvalidInputError, match=rf"over since {end:%Y-%m-%d %H:%M} UTC.*shipworthy rollback kiosk"):
        resume_idea(turning, 1, "it was the toaster again")
    assert read_rollout(turning, "kiosk") == paused


@pytest.mark.parametrize("start", [START, START.replace(tzinfo=UTC)])
def test_one_that_has_begun_is_refused(turning: Project, start: datetime):
    """A plan that is published after its start could have been chosen by what happened."""
    with pytest.raises(InvalidInputError, match="published before it starts, and 2025-06-02 00:00 is over"):
        ship_idea(turning, 1, start=start, now=datetime(2025, 6, 3, tzinfo=UTC))
    assert read_rollout(turning, "kiosk").phase is Phase.SHADOW


def test_every_instant_is_answered_as_the_blocks_say():
    """Of blocks of hours, and of days, each instant has the arm of the block that it lies in."""
    for hours in (6.0, 24.0, 48.0):
        plan = SwitchbackPlan(seed="s", start=START, days=8, block_hours=hours)
        for start, end, arm in plan.blocks().select("start", "end", "arm").rows():
            for instant in (start, end - timedelta(microseconds=1)):
                assert plan.arm_at(instant) == arm


@pytest.mark.parametrize(
    ("gain", "decision"), [(3.0, TrialDecision.SHIP), (0.0, TrialDecision.UNDECIDED), (-3.0, TrialDecision.ROLL_BACK)]
)
def test_it_is_judged_by_what_its_blocks_earned(gain: float, decision: TrialDecision):
    """Where only what was answered is known, pairs of blocks are compared, and guardrails are too."""
    plan = SwitchbackPlan(seed="s", start=START, days=56, block_hours=24.0)
    step = Rollout(
        phase=Phase.SWITCHBACK, champion="a", challenger="b", schedule=plan.to_dict(), share=0.5, idea="1", why="",
        problem="p", version=3, at=NOW, by="",
    )  # fmt: skip
    draws = np.random.default_rng(6)
    days = [date(2025, 6, 2) + timedelta(days=i) for i in range(56)]
    arms = [step.arms_of(day, ["all"]) for day in days]
    value = draws.normal(size=56) + gain * np.array([arm == "challenger" for arm in arms])
    answered = pl.DataFrame({"period": days, "unit": "all", "arm": arms, "rollout": 3, "value": value})
    live = LiveEvidence(table=pl.DataFrame(), answered=answered, conduct=Conduct())
    reading = read_live(live, pl.DataFrame(), Criteria(), Trial(step=[step], pairs=False))
    assert reading.money.decision is decision
    assert reading.in_step == 56
