"""The calls walk from an idea to a verdict: a yes or no per contact, a budget, months as periods."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.engine import Replay, first_replayed
from shipworthy.errors import NotFoundError
from shipworthy.problem import Now
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import research_idea
from tests.walks.examples import DATA, full, lay, needs_data, replays

KNOWN_BEFORE = """
calls.known_after = ()
"""
DRAWS = 100


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the example, which reads the data where they are."""
    monkeypatch.setenv("SHIPWORTHY_DATA", str(DATA))
    return tmp_path / "calls"


@needs_data
def test_whom_to_call(campaign: Path) -> None:
    """A binary outcome and a budget, below 80 lines to declare them; and no verdict to ship on 21 months, however good."""
    project = lay(campaign, "calls")
    assert len((campaign / "problem.py").read_text().splitlines()) < 80
    answer = examine_data(project, 1)
    assert answer.is_testable, answer.gaps
    assert answer.profile["n_periods"] == 26
    research = research_idea(project, 1)
    assert research.falls == {"champion": {"policy": 21}, "challenger": {"policy": 21}}
    evidence = open_evidence(project, research.evidence)
    assert evidence.height == 17_124
    assert evidence.select("call_champion", "value_champion").sum().row(0) == (4_136, 85_394.0)
    verdict = analyse_idea(project, 1).verdict
    assert verdict.decision == "inconclusive"
    assert "21 months; shipping needs 28" in verdict.reasons[0]
    assert verdict.low > verdict.criteria.min_effect


@needs_data
def test_how_long_a_call_took_is_no_feature(campaign: Path) -> None:
    """The famous leak of these data, the duration of a call, is refused by its name."""
    answer = examine_data(lay(campaign, "calls"), 2)
    assert [leak["columns"] for leak in answer.leaks] == [["duration"]]
    assert not answer.is_testable


def test_without_its_data_the_example_says_where_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file that is missing, its source, and how to name the folder."""
    monkeypatch.setenv("SHIPWORTHY_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(NotFoundError, match=r"nowhere/bank_marketing/contacts.parquet.*UCI.*export SHIPWORTHY_DATA="):
        examine_data(lay(tmp_path / "calls", "calls"), 1)


@needs_data
@full
def test_the_figures_of_the_data_come_out_again(campaign: Path) -> None:
    """Over the 21 months: the rule and the oracle to the euro, the models nearly, chance within its spread.

    With `-s` it prints the table of the example's page.
    """
    names = ("earlier_outcome", "likeliest_buyers", "likeliest_buyers_by_duration")
    replayed, tracks = replays(lay(campaign, "calls", KNOWN_BEFORE), "calls", *names)
    found = {track.policy: (float(track.table["value"].sum()), int(track.table["call"].sum())) for track in tracks}
    found["oracle"] = _called(replayed, lambda rows: rows["bought"].to_numpy().astype(float))
    generator = np.random.default_rng(1)
    draws = np.array([_at_random(replayed, generator) for _ in range(DRAWS)])
    for name, (value, called) in found.items():
        print(f"{name:30} {value:9,.0f} EUR   {called:6,} calls")
    print(f"{'at random':30} {draws.mean():9,.0f} EUR   standard deviation {draws.std():,.0f} over {DRAWS} draws")
    assert found["earlier_outcome"] == (85_394.0, 4_136)
    assert found["oracle"] == (242_204.0, 2_852)
    assert found["likeliest_buyers"][0] == pytest.approx(104_723, rel=0.02)
    assert found["likeliest_buyers_by_duration"][0] > 1.25 * found["likeliest_buyers"][0]
    assert abs(66_086 - draws.mean()) < 3 * draws.std()


def _months(replayed: Replay) -> list[pl.DataFrame]:
    first = first_replayed(replayed.problem, replayed.history)
    return [replayed.history.settled(month) for month in replayed.history.periods if month >= first]


def _called(replayed: Replay, chance: Any) -> tuple[float, int]:
    """What those chosen by a chance brought in, and how many they are."""
    within_budget = sys.modules["choice"].within_budget
    value, called = 0.0, 0
    for rows in _months(replayed):
        now = Now(period=rows["contact_month"][0], key=("contact_month", "seq"), rows=rows, past=rows.clear())
        call = within_budget(now, chance(rows))["call"]
        value += float((call * (90 * rows["bought"] - rows["cost"])).sum())
        called += call.sum()
    return value, called


def _at_random(replayed: Replay, generator: np.random.Generator) -> float:
    """What calling in a random order brings in, until the budget is spent."""
    total = 0.0
    for rows in _months(replayed):
        mixed = rows[generator.permutation(rows.height)]
        called = mixed.filter(pl.col("cost").cum_sum() <= 0.3 * pl.col("cost").sum())
        total += float((90 * called["bought"] - called["cost"]).sum())
    return total
