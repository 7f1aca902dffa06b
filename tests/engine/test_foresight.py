"""Perfect foresight: the best that could be decided, through the same step, and shown to nobody who decides."""

import itertools
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from shipworthy.engine import fit_decider, foresee, replay
from shipworthy.step import History
from tests.engine.test_state import BATTERY
from tests.problems import FIRST, HERE, SHOP, THERE, deciding, make_project, replay_of, sales, shop

SHELF = (
    SHOP
    + """
import numpy as np

@shop.constraint
def whole(decided):
    return pl.col("stock") == pl.col("stock").round()

@shop.constraint
def fits_the_shelf(decided):
    return pl.col("stock").sum() <= 9

def fill(now, wanted):
    stock, room = np.zeros(len(wanted)), 9
    for place in np.argsort(-now.rows["price"].to_numpy()):
        stock[place] = min(room, wanted[place])
        room -= stock[place]
    return stock

class Never:
    def fit(self, X, y):
        raise RuntimeError("foresight needs no fit")

@shop.policy
def seeing():
    return sw.PredictThenOptimize(model=Never(), features=["price"], target="sold", optimise=fill)
"""
)
DECLARED = (
    "\n@shop.oracle\ndef ideal(now, happened):\n"
    "    assert happened['item'].to_list() == now.rows['item'].to_list()\n    return fill(now, happened['sold'].to_numpy())\n"
)


def best_of(rows):
    """The most that one period's rows could have earned on a shelf for nine, by trying every plan."""
    plans = itertools.product(range(10), repeat=rows.height)
    return max(
        sum(min(n, row["sold"]) * row["price"] - n for n, row in zip(plan, rows.to_dicts(), strict=True))
        for plan in plans
        if sum(plan) <= 9
    )


@pytest.mark.parametrize("declared", ["", DECLARED])
def test_foresight_reaches_the_optimum_of_every_period(tmp_path, declared):
    """By a policy's own optimiser or by a declared oracle: what trying every plan finds, without any fit."""
    source = (SHELF + declared).replace("made_up_rows(days=40)", "made_up_rows(days=18)")
    replayed = replay_of(make_project(tmp_path / "shop", source))
    track = foresee(replayed, ["seeing", "today"], HERE)
    earned = track.table.group_by("day", maintain_order=True).agg(pl.col("value").sum())

    assert track.policy == ("ideal" if declared else "seeing")
    assert track.table["rung"].unique().to_list() == ["policy"]
    assert earned.height == 12
    assert earned["value"].to_list() == [best_of(replayed.history.settled(day)) for day in earned["day"]]


def test_nobody_has_foresight_by_himself(tmp_path):
    """Without a declared oracle and without foresee there is none, and nothing is computed for it."""
    replayed = replay_of(make_project(tmp_path / "shop"))
    told = []
    assert foresee(replayed, ["better", "today"], HERE, lambda n, of: told.append(n)) is None
    assert told == []


def test_the_next_policy_is_asked_where_one_cannot_foresee(tmp_path):
    """A model of something else than the outcome has no perfect forecast; the champion has one here."""
    source = SHELF.replace('target="sold"', 'target="price"').replace(
        "    def decide(self, now, fitted):\n        yesterday",
        "    def foresee(self, now, outcome):\n        return fill(now, outcome.to_numpy())\n\n"
        "    def decide(self, now, fitted):\n        yesterday",
    )
    why: list[str] = []
    track = foresee(replay_of(make_project(tmp_path / "shop", source)), ["seeing", "today"], HERE, blind=why.append)
    assert track.policy == "today"
    assert "forecasts 'price', not the outcome 'sold'" in why[0]


def test_a_policy_that_decides_is_never_shown_an_outcome(tmp_path):
    """A plain replay asks no oracle and no foresee, and keeps its results apart from those of foresight."""
    trap = "    def foresee(self, now, outcome):\n        raise SystemExit('asked')\n\n    def fit(self, past):\n"
    trapped = SHELF.replace('refit = "7d"', "refit = None")
    trapped = trapped.replace("    def fit(self, past):\n", trap, 1) + DECLARED
    project = make_project(
        tmp_path / "shop", trapped.replace("return fill(now, happened", "raise SystemExit('asked')  #")
    )
    replayed = replay_of(project)
    plain = replay(replayed, "today", HERE)
    foreseen = replay(replace(replayed, foresight=True), "today", HERE)
    again = replay(replayed, "today", HERE)

    assert "asked" not in "".join(plain.table["falls"].fill_null("").to_list())
    assert foreseen.table["falls"].str.contains("SystemExit: asked").all()
    assert foreseen.table["rung"].unique().to_list() == ["none"]
    assert (foreseen.blocks, foreseen.fits, again.fits) == (1, 1, 0)
    assert again.table.equals(plain.table)


def test_an_oracle_is_checked_like_any_policy(tmp_path):
    """One that breaks a constraint, or is asked about an outcome that is not there yet, has not decided that period."""
    source = (SHELF + DECLARED).replace(
        "    return fill(now, happened",
        "    return [9.0, 9.0, 9.0] if now.period == FIRST + timedelta(days=20) else fill(now, happened",
    )
    source = source.replace(
        "frame(made_up_rows)",
        "frame(lambda: made_up_rows().with_columns(sold=pl.when("
        "(pl.col('day') < FIRST + timedelta(days=39)) | (pl.col('item') != 'tea')).then('sold')))",
    )
    track = foresee(replay_of(make_project(tmp_path / "shop", source)), ["today"], HERE)
    missing = {FIRST + timedelta(days=n) for n in range(13, 40)} - set(track.table["day"])
    assert missing == {FIRST + timedelta(days=20), FIRST + timedelta(days=39)}


def test_an_oracle_that_decides_nothing_is_named_itself(tmp_path):
    """The policy in whose place it decides is not to blame."""
    source = (SHELF + DECLARED).replace(
        "    return fill(now, happened", "    return [9.0, 9.0, 9.0] or fill(now, happened"
    )
    said: list[str] = []
    assert foresee(replay_of(make_project(tmp_path / "shop", source)), ["today"], HERE, blind=said.append) is None
    assert said[0].startswith("ideal: violates constraint")


def test_foresight_carries_its_own_state(tmp_path):
    """In a closed loop the oracle meets what it left itself; it sees one hour only, and never saves for the next."""
    source = BATTERY + (
        "\n@shop.oracle\ndef greedy(now, happened):\n"
        "    charge = now.state['cell']['charge']\n"
        "    return [-min(charge, 1.0) if happened['paid'][0] > 1 else 0.0]\n"
    )
    track = foresee(replay_of(make_project(tmp_path / "battery", source)), ["idle"], HERE)
    assert track.table["flow"].to_list()[:6] == [0.0, -1.0, -1.0, 0.0, 0.0, 0.0]
    assert track.table["flow"].sum() == -2.0


def test_foresight_is_the_same_on_every_engine(tmp_path):
    """Two processes share the periods among them, and give the rows of one."""
    source = (SHELF + DECLARED).replace("days=40", "days=600")
    here = foresee(replay_of(make_project(tmp_path / "here", source)), ["today"], HERE)
    there = foresee(replay_of(make_project(tmp_path / "there", source)), ["today"], THERE)
    assert (here.blocks, there.blocks) == (2, 2)
    assert here.table.drop("seconds").equals(there.table.drop("seconds"))


def test_a_placebo_is_fitted_without_one_stretch_of_a_fifth():
    """Which one goes by its seed alone; what the policy looks back on when it decides stays whole."""
    policy = deciding(lambda now: None, fit=lambda self, past: past["day"].unique().sort().to_list())()
    problem = shop()
    history = History(problem, sales(50))
    at = history.periods[-1]
    whole = fit_decider("placebo", policy, history, at).fitted
    kept = [fit_decider("placebo", policy, history, at, seed).fitted for seed in (1, 2, 3, 1)]

    assert [len(one) for one in kept] == [len(whole) - len(whole) // 5] * 4
    gaps = [sorted(set(whole) - set(one)) for one in kept]
    assert all((gap[-1] - gap[0]).days == len(gap) - 1 for gap in gaps)
    assert gaps[0] == gaps[3]
    assert len({gap[0] for gap in gaps}) == 3
