"""Two examples go live, are harmed on purpose and go back by themselves, over HTTP and on a clock set by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.problem import Period, Problem
from shipworthy.project import Project
from shipworthy.project.clock import VARIABLE
from shipworthy.project.code import load_problem
from shipworthy.research.research import research_idea
from shipworthy.ship.advance import advance
from shipworthy.ship.back import roll_back
from shipworthy.ship.rollout import AUTOMATIC, Phase, Rollout, read_rollout, rollout_history
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.spare_server import SpareServer, spare_server
from shipworthy.step import History
from tests.walks.examples import DATA, full, lay, needs_data

KITCHEN_BAD_FROM, BATTERY_BAD_FROM = date(2014, 11, 23), date(2017, 8, 20)
KITCHEN = f"""

@kitchen.policy
class FourWeeks(LastWeek):
    memory = "28d"

    def decide(self, now, fitted):
        same = now.past.filter(pl.col("date").dt.weekday() == now.period.isoweekday())
        means = same.group_by("dish").agg(pl.col("demand").mean())
        wanted = now.rows.join(means, on="dish", how="left", maintain_order="left")
        minutes = (wanted["demand"] * wanted["prep_minutes"]).sum()
        share = min(1.0, KITCHEN_MINUTES / max(minutes, 1)) * (0.7 if str(now.period) >= "{KITCHEN_BAD_FROM}" else 1.0)
        return wanted.select("dish", portions=(pl.col("demand") * share).floor())
"""
BATTERY = """

def with_bought_forecast(raw):
    return one_row_per_hour(raw).with_columns(bought=raw["bought"])

battery.warm_up = "162w"
battery.rows = sw.frame(source.hourly).then(with_bought_forecast)

@battery.policy
class BoughtForecast(sw.Policy):
    def decide(self, now, fitted):
        return best_schedule(now, now.rows["bought"].to_numpy(), WEAR)
"""
IDEA = """
title = "The mean of four weeks instead of the last one"
problem = "kitchen"
challenger = "four_weeks"
change = "Prepare the mean demand of the last four same weekdays instead of last week's."
because = "One day's demand is a noisy guess at the next one's, and a mean of four is less so."
owner = "kitchen squad"

[worth]
smallest_gain = 500.0
per = "year"
"""
RULES = "[rollout]\nautomatic = true\n"


@dataclass
class Life:
    """A project whose days pass one after another, each decided and settled over HTTP."""

    project: Project
    problem: Problem
    history: History
    server: SpareServer
    clock: Path

    def live(self, day: Period, **more: Any) -> Rollout:
        """Lives through one day, and lets the rollout look at what it brought."""
        told = [name for name in (*self.problem.key, *self.problem.hidden) if name in self.history.rows.columns]
        self.decide(day, **more)
        self._await(shadow=0)
        self._post("/v1/outcomes", {"rows": self.history.settled(day).select(told).to_dicts()})
        found = advance(self.project, self.problem.name)
        assert found.rollout is not None
        if found.moved:
            self._await(rollout=found.rollout.version)
        return found.rollout

    def decide(self, day: Period, **more: Any) -> dict[str, Any]:
        """Asks for the decisions of a day, on that day."""
        set_clock(self.clock, day)
        rows = self.history.to_decide(day).drop(self.problem.period).to_dicts()
        return self._post("/v1/decide", {"period": day, "rows": rows, **more})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        status, answer = self.server.post(path, body)
        assert status == 200, answer
        return answer

    def _await(self, **state: Any) -> None:
        while not state.items() <= self.server.get("/v1/health")[1].items():
            time.sleep(0.02)


def set_clock(clock: Path, day: Period) -> None:
    """It is noon of that day, for every process that reads this clock."""
    clock.with_suffix(".new").write_text(f"{day}T12:00:00Z")
    clock.with_suffix(".new").replace(clock)


@contextmanager
def living(project: Project, name: str, raw: Any, clock: Path) -> Iterator[Life]:
    """The project's service, over all rows that there will ever be."""
    _, problem = load_problem(project, name)
    history = History(problem, problem.rows.prepare(raw))
    with spare_server(project, name) as server:
        yield Life(project, problem, history, server, clock)


def walk_to_shadow(project: Project, number: int) -> None:
    """Walks an idea up to its shadow."""
    assert examine_data(project, number).is_testable
    research_idea(project, number)
    assert analyse_idea(project, number).verdict.decision == "ship"
    assert ship_idea(project, number).rollout.phase is Phase.SHADOW


def phases(project: Project, problem: str) -> list[Phase]:
    """The phases that a problem's rollout went through, each once."""
    found: list[Phase] = []
    for move in rollout_history(project, problem):
        if not found or found[-1] is not move.phase:
            found.append(move.phase)
    return found


def assert_taken_back(project: Project, problem: str, bad_from: date) -> None:
    """The baseline serves again, moved by nobody, after the release turned bad and on what it lost since."""
    moves = rollout_history(project, problem)
    assert {move.by for move in moves[2:]} == {AUTOMATIC}
    back, before = moves[-1], moves[-2]
    assert back.champion == moves[0].champion
    assert before.phase is Phase.LIVE
    assert before.at.date() < bad_from < back.at.date()
    assert back.trigger in {"interval", "cusum"}
    assert back.evidence is not None
    assert back.evidence["money"]["mean"] is not None
    served = read_rollout(project, problem, at=before.at)
    assert served is not None
    assert served.champion == before.champion != back.champion


def bought_forecast(hours: pl.DataFrame) -> pl.DataFrame:
    """Prices with a forecast beside them that is good until the end of August, and hardly worth its name from then on."""
    noise = pl.Series(np.random.default_rng(7).normal(0.0, 1.0, hours.height))
    off_by = pl.when(pl.col("timestamp").dt.date() < BATTERY_BAD_FROM).then(0.5).otherwise(8.0)
    return hours.with_columns(bought=pl.col("price_eur_mwh") + off_by * noise)


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clock for this process and all that it starts."""
    path = tmp_path / "clock"
    set_clock(path, date(2014, 9, 1))
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_a_kitchen_takes_back_by_itself_what_turned_bad(tmp_path: Path, clock: Path) -> None:
    """Shadow, canary, live; on a day in November the release begins to prepare too little, and the kitchen is rid of it."""
    project = lay(tmp_path / "kitchen", "kitchen", KITCHEN, RULES)
    (project.root / "ideas" / "0004-four-weeks.toml").write_text(IDEA)
    path = project.root / "data" / "daily.parquet"
    raw = pl.read_parquet(path).sort("date")
    raw.filter(pl.col("date") < date(2014, 9, 1)).write_parquet(path)
    walk_to_shadow(project, 4)
    with living(project, "kitchen", raw, clock) as life:
        for day in life.history.periods:
            if day >= date(2014, 9, 1) and life.live(day).phase is Phase.ROLLED_BACK:
                break
    assert phases(project, "kitchen") == [Phase.LIVE, Phase.SHADOW, Phase.CANARY, Phase.LIVE, Phase.ROLLED_BACK]
    assert_taken_back(project, "kitchen", KITCHEN_BAD_FROM)


@needs_data
@full
def test_a_battery_stops_by_itself_and_asks(tmp_path: Path, clock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shadow, switchback, live, each day with what is stored; a forecast gone bad loses more in a day than was ever seen."""
    first = date(2017, 6, 1)
    hours = bought_forecast(pl.read_parquet(DATA / "nordpool_battery" / "hourly.parquet"))
    folder = tmp_path / "data" / "nordpool_battery"
    folder.mkdir(parents=True)
    hours.filter(pl.col("timestamp") < first).write_parquet(folder / "hourly.parquet")
    monkeypatch.setenv("SHIPWORTHY_DATA", str(tmp_path / "data"))
    set_clock(clock, first)
    project = lay(tmp_path / "battery", "battery", BATTERY, RULES + 'trial = "switchback"\n')
    idea = project.root / "ideas" / "0001-forecast-prices.toml"
    said = idea.read_text().replace('"price_forecast"', '"bought_forecast"')
    idea.write_text(said.replace("smallest_gain = 200.0", "smallest_gain = 1.0"))
    walk_to_shadow(project, 1)
    with living(project, "battery", hours, clock) as life:
        for day in life.history.periods:
            if day >= first and life.live(day, state={"soc": 2.0}).phase is Phase.PAUSED:
                break
        answer = life.decide(day + timedelta(days=1), state={"soc": 2.0})
    moves = rollout_history(project, "battery")
    assert phases(project, "battery") == [Phase.LIVE, Phase.SHADOW, Phase.SWITCHBACK, Phase.LIVE, Phase.PAUSED]
    assert (moves[-1].trigger, moves[-1].by, moves[-1].champion) == ("breaker", AUTOMATIC, moves[0].champion)
    assert moves[-2].at.date() < BATTERY_BAD_FROM <= moves[-1].at.date()
    assert answer["release"] == moves[0].champion
    assert roll_back(project, "battery", "its forecast went bad").phase is Phase.ROLLED_BACK
