"""One idea's whole way over real HTTP: shadow, canary, live, harmed, taken back, and nobody lifts a finger."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np

from shipworthy.project import Project, open_project
from shipworthy.ship.advance import advance
from shipworthy.ship.rollout import AUTOMATIC, Phase, rollout_history
from shipworthy.ship.spare_server import SpareServer, spare_server
from tests.ship import kiosk

MOST_DAYS = 200


def _live_a_day(server: SpareServer, day: date, demand: dict[str, int]) -> str:
    """Asks what to bake, and tells what was asked for; gives the release that answered."""
    rows = [{"bread": bread} for bread in kiosk.BREADS]
    status, answer = server.post("/v1/decide", {"period": day, "rows": rows})
    assert status == 200, answer
    _wait_for(server, shadow=0)
    told = [{"day": day, "bread": bread, "demand": demand[bread]} for bread in kiosk.BREADS]
    assert server.post("/v1/outcomes", {"rows": told})[0] == 200
    return str(answer["release"])


def _wait_for(server: SpareServer, **state: object) -> None:
    """Waits until the service has looked at the rollout, or its shadow has caught up: here a day passes fast."""
    until = time.monotonic() + 60
    while not state.items() <= server.get("/v1/health")[1].items():
        assert time.monotonic() < until, f"it did not come to {state}"
        time.sleep(0.01)


def test_a_rollout_walks_by_itself_and_comes_back_by_itself(shadowed: Project):
    """As long as weekends are busy the idea earns and goes live; then demand goes up and down, and the old one is back."""
    with (shadowed.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write("[rollout]\nautomatic = true\n")
    project, draws = open_project(shadowed.root), np.random.default_rng(5)
    level, phases, answered = kiosk.busy_weekends, [], []
    with spare_server(project, "kiosk") as server:
        for i in range(MOST_DAYS):
            day = kiosk.FIRST + timedelta(days=kiosk.DAYS + i)
            demand = {bread: int(draws.poisson(mean * level(i, day))) for bread, mean in kiosk.BREADS.items()}
            answered.append(_live_a_day(server, day, demand))
            found = advance(project, "kiosk") if i % 7 == 6 else None
            if found is not None and found.moved:
                assert found.rollout is not None
                _wait_for(server, rollout=found.rollout.version)
                phases.append(found.rollout.phase)
                level = kiosk.ups_and_downs if found.rollout.phase is Phase.LIVE else level
                if found.rollout.phase is Phase.ROLLED_BACK:
                    day += timedelta(days=1)
                    answered.append(_live_a_day(server, day, demand))
                    break
    moves = rollout_history(project, "kiosk")
    project.records.close()
    assert phases == [Phase.CANARY, Phase.LIVE, Phase.ROLLED_BACK]
    assert {move.by for move in moves[2:]} == {AUTOMATIC}
    assert moves[-1].champion == answered[-1] == moves[0].champion
    assert set(answered[: moves[2].evidence["periods"]]) == {moves[0].champion}
    assert moves[1].challenger in answered
