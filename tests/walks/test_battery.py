"""The battery walks from an idea to a verdict, with its charge carried from day to day."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.engine import Replay
from shipworthy.errors import NotFoundError
from shipworthy.problem import Now, Span
from shipworthy.research.research import research_idea
from shipworthy.step import Moment
from tests.walks.examples import DATA, full, lay, needs_data, per_period, replays

DAYS = 91
FIRST = date(2016, 12, 27)

TWIN = """
battery.policy(name="twin")(SimilarDay)
"""
HASTY = """
import time

@battery.policy
class Hasty(SimilarDay):
    time_limit = 1e-6

    def decide(self, now, fitted):
        time.sleep(0.05)  # a solver that takes longer than it may
        return super().decide(now, fitted)
"""
RECKLESS = """
@battery.policy
class Reckless(sw.Policy):
    def decide(self, now, fitted):
        empty = (pl.col("hour") < 4).cast(pl.Float64)
        return now.rows.select("hour", charge=pl.lit(0.0), discharge=empty)

@battery.policy
class Nobody(sw.Policy):
    def decide(self, now, fitted):
        return None

battery.fallback = "nobody"
"""


@pytest.fixture
def winter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the example, over data that end three months after the replay begins."""
    hours = pl.read_parquet(DATA / "nordpool_battery" / "hourly.parquet")
    ends = pl.lit(FIRST) + pl.duration(days=DAYS)
    (tmp_path / "data" / "nordpool_battery").mkdir(parents=True)
    hours.filter(pl.col("timestamp") < ends).write_parquet(tmp_path / "data" / "nordpool_battery" / "hourly.parquet")
    monkeypatch.setenv("SHIPWORTHY_DATA", str(tmp_path / "data"))
    return tmp_path / "battery"


def stored(table: pl.DataFrame, start: float = 2.0) -> np.ndarray[Any, Any]:
    """What the decisions of a whole track leave in the battery, hour by hour."""
    return start + (table["charge"] * 0.95 - table["discharge"] / 0.95).cum_sum().to_numpy()


@needs_data
def test_when_to_charge(winter: Path) -> None:
    """Two decision columns, a solver, state, a refitted forecast: a verdict, and below 150 lines to declare it."""
    project = lay(winter, "battery")
    assert len((winter / "problem.py").read_text().splitlines()) < 150
    answer = examine_data(project, 1)
    assert answer.is_testable, answer.gaps
    research = research_idea(project, 1)
    assert research.falls == {"champion": {"policy": DAYS}, "challenger": {"policy": DAYS}}
    assert research.blocks == 5  # the champion learns nothing; the forecast is fitted on days 1, 31, 61 and 91
    verdict = analyse_idea(project, 1).verdict
    assert verdict.exposure is not None
    assert verdict.exposure.periods == DAYS
    assert verdict.gain > 0


@needs_data
def test_two_names_for_one_policy_earn_the_same_to_the_last_bit(winter: Path) -> None:
    """A policy replayed against itself differs by exactly nothing, charge carried and solver included."""
    project = lay(winter, "battery", TWIN)
    _, (one, two) = replays(project, "battery", "similar_day", "twin")
    assert one.without_telemetry().equals(two.without_telemetry())
    assert (per_period(one, "day") - per_period(two, "day")).to_list() == [0.0] * DAYS


@needs_data
@pytest.mark.parametrize("start", [2.0, 0.5])
def test_energy_is_neither_made_nor_lost(winter: Path, start: float) -> None:
    """Summed over the whole replay, what is stored stays within the battery, and is the half of it when a day ends."""
    more = f'battery.initial_state = {{"soc": {start}}}'
    _, [track] = replays(lay(winter, "battery", more), "battery", "similar_day")
    assert track.table["rung"].unique().to_list() == ["policy"]
    level = stored(track.table, start)
    assert level.min() > -1e-3
    assert level.max() < 4 + 1e-3
    assert np.allclose(level.reshape(DAYS, 24)[:, -1], 2.0, atol=1e-3)
    assert (track.table["charge"] * track.table["discharge"]).max() == 0.0
    assert track.table.group_by("day").agg(pl.col("discharge").sum())["discharge"].to_numpy().max() <= 6 + 1e-6


@needs_data
def test_without_time_to_think_the_champion_decides(winter: Path) -> None:
    """A policy that may take a microsecond never decides: the fallback does, each day, on a battery within bounds."""
    _, (hasty, champion) = replays(lay(winter, "battery", HASTY), "battery", "hasty", "similar_day")
    assert hasty.table["rung"].unique().to_list() == ["fallback"]
    assert hasty.table["falls"].unique().to_list() == ["hasty: no decisions within 1e-06 s"]
    assert per_period(hasty, "day").equals(per_period(champion, "day"))
    assert stored(hasty.table).min() > -1e-3
    assert stored(hasty.table).max() < 4 + 1e-3


@needs_data
def test_a_schedule_is_checked_against_what_is_really_stored(winter: Path) -> None:
    """Four MWh cannot come out of a battery that is half full."""
    _, [track] = replays(lay(winter, "battery", RECKLESS), "battery", "reckless")
    assert track.table["rung"].unique().to_list() == ["none"]
    assert "reckless: violates constraint 'within_energy'" in track.table["falls"][0]
    assert track.table["value"].null_count() == track.table.height


def test_without_its_data_the_example_says_where_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file that is missing, its source, and how to name the folder."""
    monkeypatch.setenv("SHIPWORTHY_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(
        NotFoundError, match=r"nowhere/nordpool_battery/hourly.parquet.*Zenodo.*export SHIPWORTHY_DATA="
    ):
        examine_data(lay(tmp_path / "battery", "battery"), 1)


@needs_data
@full
def test_the_figures_of_the_data_come_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the published two years: the rules and perfect foresight to the euro, the forecast at least as good.

    With `-s` it prints the table of the example's page.
    """
    monkeypatch.setenv("SHIPWORTHY_DATA", str(DATA))
    names = ("similar_day", "same_weekdays", "similar_day_without_wear", "price_forecast")
    replayed, tracks = replays(lay(tmp_path / "battery", "battery"), "battery", *names)
    earned = {}
    for name, track in zip(names, tracks, strict=True):
        daily = per_period(track, "day")
        earned[name] = (round(daily.sum()), round(_error(replayed, name), 3), int((daily < 0).sum()))
        print(f"{name:30} {earned[name][0]:7,} EUR   MAE {earned[name][1]:.3f}   days with loss {earned[name][2]}")
    best = round(_foresight(replayed))
    print(f"{'perfect foresight':30} {best:7,} EUR")
    assert earned["similar_day"] == (7_923, 3.165, 163)
    assert earned["same_weekdays"] == (8_178, 4.032, 165)
    assert best == 12_184
    assert earned["price_forecast"][0] > 8_948
    assert earned["price_forecast"][1] < 2.198


def _replayed_days(replayed: Replay) -> list[date]:
    return [day for day in replayed.history.periods if day >= FIRST]


def _foresight(replayed: Replay) -> float:
    """What the best schedule for the real prices earns."""
    best_schedule = sys.modules["schedule"].best_schedule
    total = 0.0
    for day in _replayed_days(replayed):
        rows = replayed.history.settled(day)
        now = Now(period=day, key=("day", "hour"), rows=rows, past=rows.clear(), state={"soc": 2.0})
        total += best_schedule(now, rows["price"].to_numpy()).objective
    return total


def _error(replayed: Replay, name: str) -> float:
    """The mean absolute error of the prices that a policy expects."""
    policy: Any = replayed.problem.make_policy(name)
    days, errors, fitted = _replayed_days(replayed), [], None
    for i, day in enumerate(days):
        if policy.refit and i % 30 == 0:
            fitted = policy.fit(replayed.history.known(day, Span.of(policy.train_window)))
        moment = Moment(period=day, rows=replayed.history.to_decide(day), history=replayed.history)
        now = moment.now(replayed.problem, policy)
        prices = fitted.predict(policy.matrix(policy.table(now))) if fitted else policy.expected(now)
        errors.append(np.abs(prices - replayed.history.settled(day)["price"].to_numpy()).mean())
    return float(np.mean(errors))
