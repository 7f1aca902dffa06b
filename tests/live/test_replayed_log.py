"""Logged requests can be decided again by any release, with what was known then."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from shipworthy.live.answering import Answering
from shipworthy.live.outcomes import archive_of
from shipworthy.live.replayed_log import Match, replay_log
from shipworthy.live.serving import open_serving
from shipworthy.log import read_decisions
from shipworthy.log.compaction import compact
from tests.cli.typed import typed
from tests.live.stall import Stall, stall_rows

DAYS = [str(date(2026, 1, 31) + timedelta(days=n)) for n in range(6)]
SOLD = {"apple": 3, "fig": 12, "plum": 40}


@pytest.fixture
def lived(stall: Stall) -> Stall:
    """A stall that lived through six days, each decided with the outcomes of those before; half of it was compacted."""
    stall.move("mean_of_three_days")
    folder = stall.project.log_folder / "stock"
    for days in (DAYS[:3], DAYS[3:]):
        answering = Answering("stock", folder, archive_of(stall.project, "stock", folder))
        serving = open_serving(stall.project, "stock")
        for day in days:
            rows = stall_rows(price=float(DAYS.index(day) + 1))
            answering.decide(serving, json.dumps({"period": day, "rows": rows}).encode(), None)
            sold = [{"day": day, "fruit": fruit, "sold": n + DAYS.index(day)} for fruit, n in SOLD.items()]
            if day != DAYS[-1]:
                answering.note(serving, json.dumps({"rows": sold}).encode())
        answering.close()
        if days[0] == DAYS[0]:
            compact(stall.project, "stock", grace=0)
    return stall


def test_the_same_release_decides_the_same_again(lived: Stall) -> None:
    """Each day's decisions are reproduced, although more is known today than was known then."""
    decided = {
        json.dumps(entry["answers"]["champion"]["decisions"]) for entry in read_decisions(lived.project, "stock")
    }
    assert len(decided) == len(DAYS)  # what was known made a difference every day
    found = replay_log(lived.project, "stock", lived.releases["mean_of_three_days"])
    assert [one.match for one in found.decisions] == [Match.EQUAL] * len(DAYS)
    assert [one.gain for one in found.decisions] == [0.0] * (len(DAYS) - 1) + [None]


def test_another_release_is_compared_unit_by_unit_and_in_money(lived: Stall) -> None:
    """One more of everything costs and sells what the value says, over the periods whose outcomes are known."""
    out = lived.project.root / "again.parquet"
    release = lived.releases["one_more"]
    said = typed(lived.project.root, "replay-log", "stock", "--release", release, "--out", out, "--json")
    assert said.code == 0
    [row] = said.json
    table = pl.read_parquet(out)
    assert (row["answer"], row["decisions"], row["units"], row["changed"], row["known"]) == ("different", 6, 18, 18, 5)
    assert table["laid_in_again"].to_list() == pytest.approx((table["laid_in"] + 1).to_list())
    known = table.drop_nulls("value")
    prices = {fruit["fruit"]: fruit["price"] for fruit in stall_rows()}
    for again in known.to_dicts():
        price = float(DAYS.index(again["period"]) + 1) if again["unit"] == "apple" else prices[again["unit"]]
        sold = SOLD[again["unit"]] + DAYS.index(again["period"])
        for suffix in ("", "_again"):
            laid_in = again[f"laid_in{suffix}"]
            assert again[f"value{suffix}"] == pytest.approx(min(laid_in, sold) * price - laid_in * price / 2)
    assert row["gain"] == pytest.approx((known["value_again"] - known["value"]).sum())


def test_a_span_of_time_and_falls_are_told(lived: Stall) -> None:
    """Only what was decided in the span is decided again; a policy that fails is told with its reason."""
    instants = [entry["at"] for entry in read_decisions(lived.project, "stock")]
    words = ("--release", lived.releases["broken"], "--since", instants[1], "--until", instants[4])
    said = typed(lived.project.root, "replay-log", *words)
    assert said.out.splitlines()[1].split()[:3] == ["equal", "3", "9"]  # its fallback is the champion
    assert "Why: broken" in said.out
    none = typed(lived.project.root, "replay-log", "--release", lived.releases["broken"], "--since", "2099-01-01")
    assert none.out == "Nothing was decided in that time.\n"
    assert typed(lived.project.root, "replay-log", "--release", "nothing").code == 3
    assert typed(lived.project.root, "replay-log", "--release", "nothing", "--since", "soon").code == 2
