"""A canary of units over real HTTP: each unit's decision is its own arm's, and a mixture that breaks a constraint is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, get_args

import polars as pl
import pytest

from shipworthy.live.mixture import answer_in, who_answered
from shipworthy.problem import Constraint
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Draw, Move, Phase, make_move, read_rollout
from shipworthy.statistics.assignment import Arm
from shipworthy.store import read_log
from tests.live.stall import Server, Stall, stall_rows


@pytest.fixture
def canary(stall: Stall, serve: Callable[..., Server]) -> Server:
    """A service whose canary draws half of the units anew each period."""
    move = Move(
        phase=Phase.CANARY,
        champion=stall.releases["mean_of_three_days"],
        challenger=stall.releases["one_more"],
        share=0.5,
        draw=Draw.UNIT_PERIOD,
        idea="1",
        why="a test",
    )
    make_move(stall.project, "stock", None, move)
    return serve(workers=1)


def _entries(stall: Stall) -> list[dict[str, Any]]:
    return list(read_log(stall.project.log_folder / "stock", "decisions"))


def test_each_unit_is_answered_by_its_own_arm(stall: Stall, canary: Server):
    """The answer is put together by unit from both arms' decisions; the log has both, and who answered each row."""
    rollout = read_rollout(stall.project, "stock")
    kinds = set()
    for day in range(1, 13):
        period = f"2026-02-{day:02d}"
        body = canary.decide(period).body
        entry = next(entry for entry in _entries(stall) if entry["id"] == body["id"])
        drawn = rollout.arms_of(date.fromisoformat(period), [row["fruit"] for row in stall_rows()])
        kinds.add(body["arm"])
        if isinstance(drawn, str):
            assert (body["arm"], entry.get("arms")) == (drawn, None)
            continue
        assert (body["arm"], entry["arms"]) == ("mixed", drawn)
        assert entry["answers"].keys() == {"champion", "challenger"}
        assert body["decisions"] == [entry["answers"][arm]["decisions"][i] for i, arm in enumerate(drawn)]
    assert "mixed" in kinds


def test_a_mixture_is_repeated_as_it_was(canary: Server):
    """The same Idempotency-Key gets the very same mixture."""
    first = canary.decide("2026-02-03", Idempotency_Key="order-1")
    assert canary.decide("2026-02-03", Idempotency_Key="order-1").body == first.body


def test_the_lower_rung_of_a_mixture_is_told():
    """Where one arm fell, the mixed answer says so."""
    answers = {
        arm: {"release": arm, "rung": rung, "status": "decided", "falls": [], "decisions": [{"unit": 1, "n": arm}]}
        for arm, rung in (("champion", "policy"), ("challenger", "fallback"))
    }
    answer = answer_in({"arm": "mixed", "arms": ["champion"], "answers": answers})
    assert (answer["rung"], answer["decisions"]) == ("fallback", [{"unit": 1, "n": "champion"}])


def test_a_mixture_that_breaks_a_constraint_is_the_champions(stall: Stall):
    """What was drawn stays in the log, with the reason, so that every unit counts for the arm that it was meant for."""
    problem = open_release(stall.project, stall.releases["one_more"]).problem
    problem.constraints.append(Constraint(name="alike", holds=lambda decided: pl.col("laid_in").n_unique() == 1))
    rows = pl.DataFrame(stall_rows())
    answers: dict[Arm, dict[str, Any]] = {
        arm: {"release": arm, "rung": "policy", "decisions": [{"fruit": f, "laid_in": n} for f in rows["fruit"]]}
        for arm, n in zip(get_args(Arm), (1.0, 2.0), strict=True)
    }
    drawn: list[Arm] = ["champion", "challenger", "champion"]
    said = who_answered(problem, rows, {}, drawn, answers)
    assert (said["arm"], said["drawn"], said["instead"]) == ("champion", drawn, "violates constraint 'alike'")
    assert answer_in({**said, "answers": answers})["decisions"] == answers["champion"]["decisions"]
    answers["challenger"]["rung"] = "none"
    assert who_answered(problem, rows, {}, drawn, answers)["instead"] == "the challenger decided nothing"
    lacking = who_answered(problem, rows, {}, "challenger", answers, "has no price")
    assert lacking == {"arm": "champion", "drawn": ["challenger"] * 3, "instead": "has no price"}
