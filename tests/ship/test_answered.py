"""Where outcomes depend on what is decided, an idea is rolled out by what the arm earned that answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from uuid import uuid4

import numpy as np
import pytest

import shipworthy.ship.parity
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError
from shipworthy.live.ledger.ledger import read_ledger
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.ship.advance import advance
from shipworthy.ship.parity import Parity
from shipworthy.ship.rollout import Draw, Phase, Rollout, read_rollout, rollout_history
from shipworthy.ship.ship import ship_idea
from tests.data.test_counterfactual import offers

GUESTS = 30
FIRST_DAY = 150


@pytest.fixture(scope="module")
def judged_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop of offers with a verdict to ship; to be copied, not changed."""
    project = offers(tmp_path_factory.mktemp("offers"))
    for walk in (examine_data, research_idea, analyse_idea):
        walk(project, 1)
    project.records.close()
    return project.root


@pytest.fixture
def shop(judged_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A shop of the test's own, its idea in shadow, promoted by itself where that is proven."""
    holds = Parity(periods=10, equal=10, tied=0, broken=())
    monkeypatch.setattr(shipworthy.ship.parity, "prove_parity", lambda project, release: holds)
    folder = copytree(judged_once, tmp_path / "shop")
    with (folder / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write("[rollout]\nautomatic = true\nsteps = [0.2, 0.5]\n")
    project = open_project(folder)
    ship_idea(project, 1)
    yield project
    project.records.close()


def _now(project: Project) -> Rollout:
    found = read_rollout(project, "shop")
    assert found is not None
    return found


def live(
    project: Project, days: int, gain: float, *, draws: np.random.Generator, lost: float = 0.0, is_shadowed: bool = True
) -> None:
    """So many days: a guest spends `gain` more where the challenger answered; a share of its outcomes is lost.

    Without its shadow only the arms that answer have decided.
    """
    folder = project.log_folder / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    rollout = _now(project)
    began = len(list(folder.glob("decisions-*")))
    for day in range(FIRST_DAY + 100 * began, FIRST_DAY + 100 * began + days):
        guests = [day * GUESTS + i for i in range(GUESTS)]
        drawn = rollout.arms_of(day, guests)
        arms = [drawn] * GUESTS if isinstance(drawn, str) else drawn
        releases = {"champion": rollout.champion, "challenger": rollout.challenger}
        offered = {"champion": 0.0, "challenger": 2.0}
        answers = {
            arm: {
                "release": release,
                "rung": "policy",
                "seconds": 0.01,
                "decisions": [{"guest": guest, "offer": offered[arm]} for guest in guests],
            }
            for arm, release in releases.items()
            if is_shadowed or arm in arms
        }
        said = {"arm": drawn} if isinstance(drawn, str) else {"arm": "mixed", "arms": arms}
        rows = [{"guest": guest, "loyal": 0.0} for guest in guests]
        head = {"id": uuid4().hex, "at": f"2026-01-01T00:00:{day:06d}", "problem": "shop"}
        entry = {**head, "period": day, "rollout": rollout.version, **said, "rows": rows, "answers": answers}
        spent = 2.0 + draws.normal(size=GUESTS) + np.where(np.array(arms) == "challenger", gain + 0.2, 0.0)
        told = [arm == "champion" or draws.random() >= lost for arm in arms]
        outcomes = [
            {"day": day, "guest": guest, "spent": money, "chance": 0.5}
            for guest, money, is_told in zip(guests, spent.tolist(), told, strict=True)
            if is_told
        ]
        for stem, line in (("decisions", entry), ("outcomes", {**head, "rows": outcomes})):
            with (folder / f"{stem}-{began}.jsonl").open("a", encoding="utf-8") as segment:
                segment.write(json.dumps(line) + "\n")


def test_the_shadow_tells_no_money_and_the_canary_does(shop: Project):
    """From shadow to canary on conduct alone, by steps, and live on a gain that the answered arms prove."""
    draws = np.random.default_rng(1)
    live(shop, 13, 0.0, draws=draws)
    assert not advance(shop, "shop").moved
    live(shop, 1, 0.0, draws=draws)
    found = advance(shop, "shop")
    assert (found.reading.money, found.reading.conduct.otherwise) == (None, 1.0)
    for _ in range(4):
        live(shop, 20, 0.5, draws=draws)
        found = advance(shop, "shop")
        if found.rollout.phase is Phase.LIVE:
            break
    moves = rollout_history(shop, "shop")[1:]
    assert [(move.phase, move.share) for move in moves] == [
        (Phase.SHADOW, 0.0),
        (Phase.CANARY, 0.2),
        (Phase.CANARY, 0.5),
        (Phase.LIVE, 0.0),
    ]
    assert {move.draw for move in moves[1:3]} == {Draw.UNIT_PERIOD}
    assert [move.trigger for move in moves] == [None, "no harm", "gain", "gain"]
    [line] = read_ledger(shop)
    assert line.realised.low < 0.5 * GUESTS < line.realised.high
    assert line.periods == line.answered == len(line.course)
    assert 0.0 < line.earned < sum(one.gain for one in line.course)


def test_without_its_shadow_nothing_goes_on(shop: Project):
    """Where the champion's outcomes are all that is known, an idea that never decided stays, by itself and by hand."""
    draws = np.random.default_rng(5)
    live(shop, 20, 0.0, draws=draws, is_shadowed=False)
    assert "new release decided in 0 of the 14 periods that this step needs" in advance(shop, "shop").why
    with pytest.raises(GateClosedError, match="new release decided in 0 of the 14 periods"):
        ship_idea(shop, 1)
    live(shop, 14, 0.0, draws=draws)
    assert advance(shop, "shop").rollout.phase is Phase.CANARY


def test_no_gain_never_goes_live(shop: Project):
    """Without a gain the last step of the canary is where it stays, and by hand the gate is closed."""
    draws = np.random.default_rng(2)
    for _ in range(6):
        live(shop, 20, 0.0, draws=draws)
        advance(shop, "shop")
    assert _now(shop).phase is Phase.CANARY
    assert _now(shop).share == 0.5
    with pytest.raises(GateClosedError, match="not beyond doubt"):
        ship_idea(shop, 1)


def test_harm_is_taken_back(shop: Project):
    """A canary whose guests spend less is taken back by what they spent."""
    draws = np.random.default_rng(3)
    live(shop, 14, 0.0, draws=draws)
    advance(shop, "shop")
    for _ in range(3):
        live(shop, 20, -1.0, draws=draws)
        advance(shop, "shop")
    assert (_now(shop).phase, _now(shop).trigger) == (Phase.ROLLED_BACK, "interval")


def test_lost_outcomes_of_one_arm_pause(shop: Project):
    """Where outcomes of the challenger are lost, what is left compares unlike things, and a human is asked."""
    draws = np.random.default_rng(4)
    live(shop, 14, 0.0, draws=draws)
    advance(shop, "shop")
    live(shop, 40, 0.5, draws=draws, lost=0.7)
    found = advance(shop, "shop")
    assert (found.rollout.phase, found.rollout.trigger) == (Phase.PAUSED, "arms")
