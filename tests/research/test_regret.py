"""Regret: what perfect foresight would have earned more, split into what it was lost to, to the cent."""

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import shipworthy
from shipworthy.data.examine import examine_data
from shipworthy.engine import decide_again, foresee, replay
from shipworthy.project import open_project
from shipworthy.research.regret import Regret, regret_of
from shipworthy.research.research import read_research, research_idea
from tests.problems import HERE, SHOP, make_project, replay_of

KITCHEN = Path(shipworthy.__file__).parents[2] / "examples" / "kitchen"

KNOWN = "\n@shop.oracle\ndef known(now, happened):\n    return happened['sold'].to_numpy()\n"

SOLVER = (
    SHOP
    + KNOWN
    + """
@shop.policy
class Solver(sw.Policy):
    time_limit = 0.5

    def decide(self, now, fitted):
        odd = now.period.day % 3
        if odd == 0:
            raise ValueError("infeasible")
        if odd == 1:
            return [9.0] * 3                                      # proved optimal, of a poor forecast
        patient = now.time_limit > 1                              # stopped early, unless it has the time
        return sw.Plan(decisions=[5.0 if patient else 1.0] * 3, status="feasible", gap=0.1)
"""
)


def regret(folder, source, policy):
    """The regret of a policy of a small shop, and its track."""
    replayed = replay_of(make_project(folder, source))
    track, oracle = replay(replayed, policy, HERE), foresee(replayed, [policy], HERE)
    return regret_of(replayed, track, oracle, HERE), track, oracle, replayed


def earned(replayed, track, kept):
    """What a track earned in the periods whose day leaves that remainder."""
    return track.table.filter(pl.col("day").dt.day() % 3 == kept)["value"].sum()


def test_the_parts_are_what_each_cause_cost_and_sum_to_the_whole(tmp_path):
    """A ladder's periods, an optimiser that is given its time again, and the rest: each by hand, the sum exactly."""
    found, track, oracle, replayed = regret(tmp_path / "shop", SOLVER, "solver")
    patient, *_ = regret(tmp_path / "patient", SOLVER.replace("5.0 if patient else 1.0", "5.0"), "solver")
    more = regret(tmp_path / "more", SOLVER.replace("5.0 if patient else 1.0", "5.0"), "solver")[1]

    assert set(track.table["rung"].unique()) == {"policy", "incumbent", "fallback"}
    assert found.total == found.prediction + found.optimisation + found.infeasibility
    assert found.total == pytest.approx(oracle.table["value"].sum() - track.table["value"].sum())
    assert found.infeasibility == pytest.approx(earned(replayed, oracle, 0) - earned(replayed, track, 0))
    assert found.optimisation == pytest.approx(earned(replayed, more, 2) - earned(replayed, track, 2))
    assert found.optimisation > 0
    assert patient.optimisation == 0.0
    assert found.prediction == pytest.approx(patient.prediction)
    assert (found.periods, found.unpriced, found.oracle) == (27, 0, "known")
    assert found.per_period == pytest.approx(found.total / 27)
    assert found.share == pytest.approx(found.total / oracle.table["value"].sum())


def test_foresight_itself_has_no_regret(tmp_path):
    """A policy that happens to decide what the oracle decides loses nothing."""
    source = SHOP.replace("3 * place + day % 7", "3 * place") + KNOWN
    found, *_ = regret(tmp_path / "shop", source, "today")
    assert (found.total, found.share) == (0.0, 0.0)


def test_a_part_below_zero_is_shown_as_it_is(tmp_path):
    """With more time the solver finds another plan, which earned less: the loss to it is negative, and the sum holds."""
    found, *_ = regret(tmp_path / "shop", SOLVER.replace("5.0 if patient", "90.0 if patient"), "solver")
    assert found.optimisation < 0 < found.prediction
    assert found.total == found.prediction + found.optimisation + found.infeasibility


def test_periods_that_nobody_decided_are_counted_apart(tmp_path):
    """What has no value has no regret either; the figure says how many periods that is."""
    _, track, oracle, replayed = regret(tmp_path / "shop", SOLVER, "solver")
    days = track.table["day"].unique(maintain_order=True)[:4].implode()
    silent = track.table.with_columns(value=pl.when(~pl.col("day").is_in(days)).then("value"))
    found = regret_of(replayed, replace(track, table=silent), oracle, HERE)
    assert (found.periods, found.unpriced) == (23, 4)
    assert found.earned == pytest.approx(oracle.table.filter(~pl.col("day").is_in(days))["value"].sum())


@pytest.mark.parametrize("refit", ["None", '"7d"'])
def test_a_second_look_starts_from_the_state_of_the_first(tmp_path, refit):
    """With more time a closed loop is decided again from where it was, however many fits lie before."""
    source = (
        SOLVER.replace("    time_limit = 0.5", f"    time_limit = 0.5\n    refit = {refit}")
        .replace(
            "@shop.policy\nclass Solver",
            "@shop.transition\ndef counted(state, happened):\n"
            "    return {'left': state['left'] + happened['stock'].sum()}\n\n@shop.policy\nclass Solver",
        )
        .replace('decision="stock")', 'decision="stock", initial_state={"left": 0.0})')
    )
    replayed = replay_of(
        make_project(
            tmp_path / "shop", source.replace("5.0 if patient else 1.0", "float(now.state['left']) if patient else 1.0")
        )
    )
    track = replay(replayed, "solver", HERE)
    days = track.table.filter(rung="incumbent")["day"].unique(maintain_order=True).to_list()
    again = decide_again(replayed, track, days, HERE)
    before = [track.table.filter(pl.col("day") < day)["stock"].sum() for day in days]
    assert again.group_by("day", maintain_order=True).first()["stock"].to_list() == before


def test_research_records_the_regret_of_both(tmp_path):
    """Where there is an oracle; asked not to, or without one, research says nothing of it."""
    project = make_project(
        tmp_path / "shop", SOLVER, {1: {"texts": {"challenger": "solver"}}}, "[research]\nworkers = 1"
    )
    examine_data(project, 1)
    found = research_idea(project, 1)
    record = project.records.get("research", "0001")

    assert read_research(record).regret == found.regret
    assert list(found.regret) == ["champion", "challenger"]
    parts = {"prediction", "optimisation", "infeasibility"}
    for one in found.regret.values():
        assert one["total"] == pytest.approx(sum(one[part] for part in parts))
        assert Regret(**{name: one[name] for name in Regret.__slots__}).to_dict() == one
    assert research_idea(project, 1, with_regret=False).regret is None
    plain = make_project(tmp_path / "plain", SHOP)
    examine_data(plain, 1)
    assert research_idea(plain, 1).regret is None


@pytest.mark.parametrize(("minutes", "least", "most"), [("10**9", 227_256.5, 227_257.5), ("300", 217_300, 217_450)])
def test_the_kitchen_s_own_optimiser_reaches_the_published_oracle(tmp_path, minutes, least, most):
    """Without the kitchen's limit foresight earns the sum of all margins, 227,257 EUR from March 2015 on; with it, less."""
    folder = shutil.copytree(KITCHEN, tmp_path / "kitchen", ignore=shutil.ignore_patterns("__pycache__", ".shipworthy"))
    code = folder / "problem.py"
    text = code.read_text().replace("KITCHEN_MINUTES = 300", f"KITCHEN_MINUTES = {minutes}")
    text = text.replace('outcome_delay="1d",', 'outcome_delay="1d",\n    warm_up="513d",').replace(
        "@kitchen.oracle\n", ""
    )
    code.write_text(text)
    track = foresee(replay_of(open_project(folder), "kitchen"), ["demand_forecast"], HERE)

    assert track.policy == "demand_forecast"
    assert str(track.table["date"][0]) == "2015-03-01"
    assert least <= track.table["value"].sum() <= most
    assert track.table["date"].n_unique() == 252
