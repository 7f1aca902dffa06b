"""Repetitions over solver seeds, and what is told of solvers: chance, lies and time-outs never pass as an effect."""

import numpy as np
import polars as pl
import pytest

from shipworthy.data.examine import examine_data
from shipworthy.errors import InvalidInputError
from shipworthy.research.evidence import open_evidence
from shipworthy.research.repetitions import averaged, seed_of_repetition, solver_noise
from shipworthy.research.research import research_idea
from tests.cli.typed import typed
from tests.problems import SHOP, make_project, shop, tracks

LUCKY = (
    SHOP
    + """
import random

def solved(now, stock, status="feasible", **account):
    found = sw.Solve(solver="Dice 1", status=status, seconds=0.25, seed=now.seed, threads=1, **account)
    return sw.Plan(decisions=stock, solve=found)

@shop.policy
class Lucky(Yesterday):
    def decide(self, now, fitted):
        luck = random.Random(now.seed).choice([0, 1, 2])
        return solved(now, [luck + sold for sold in now.past["sold"]], objective=9.0, bound=10.0, work_limit=5)

@shop.policy
class Sure(Yesterday):
    def decide(self, now, fitted):
        return solved(now, [1 + sold for sold in now.past["sold"]], status="optimal", objective=9.0, bound=9.0)
"""
)

LIAR = (
    LUCKY
    + """
@shop.constraint
def room(decided):
    return pl.col("stock") <= 12

@shop.policy
class Liar(Yesterday):
    def decide(self, now, fitted):
        if now.period.day % 2 == 0:
            return super().decide(now, fitted)
        return solved(now, [12.0, 12.0, 13.0], status="optimal", objective=99.0, bound=99.0)

@shop.policy
class Late(Yesterday):
    def decide(self, now, fitted):
        if now.period.day % 2 == 0:
            return super().decide(now, fitted)
        return solved(now, None, status="timeout", time_limit=1.0)
"""
)


def repeated(folder, challenger, repetitions, source=LUCKY):
    """A small project walked up to research with repetitions."""
    project = make_project(folder, source, {1: {"texts": {"challenger": challenger}}}, "[research]\nworkers = 1")
    examine_data(project, 1)
    found = research_idea(project, 1, repetitions=repetitions)
    return project, found, open_evidence(project, found.evidence)


def test_the_evidence_is_the_mean_over_the_seeds(tmp_path):
    """Money is averaged; decisions, seeds and telemetry stay those of the first repetition, which is not computed again."""
    project, once, first = repeated(tmp_path / "shop", "lucky", 1)
    several = research_idea(project, 1, repetitions=4)
    mean = open_evidence(project, several.evidence)
    alone = []
    for repetition in range(4):
        seed = seed_of_repetition(1, repetition)
        other = make_project(tmp_path / str(seed), LUCKY, settings=f"[research]\nworkers = 1\nseed = {seed}")
        alone.append(tracks(other, "lucky")[0].table.sort("day", "item")["value"])

    assert (several.repetitions, several.fits) == (4, 3 * once.blocks)
    assert several.blocks == 4 * once.blocks
    same = [name for name in first.columns if not name.startswith("value")]
    assert mean["once_value_challenger"].equals(first["value_challenger"].rename("once_value_challenger"))
    assert mean.select(same).equals(first.select(same))
    assert mean["value_challenger"].to_numpy() == pytest.approx(np.mean(alone, axis=0))
    assert mean["value_champion"].equals(first["value_champion"])


def test_the_noise_of_the_seeds_stands_apart_from_the_effect(tmp_path):
    """A champion without chance has exactly none; the challenger's is that of the difference, and the advice follows."""
    _, found, _ = repeated(tmp_path / "shop", "lucky", 6)
    noise = found.noise

    assert noise["champion"] == 0.0
    assert noise["challenger"] == pytest.approx(noise["difference"])
    assert noise["challenger"] > 0.1
    assert 0.0 < noise["share"] < 1.0
    assert noise["narrowing"] == pytest.approx(1 - (1 - noise["share"]) ** 0.5)
    assert "repetitions would narrow the interval" in noise["advice"]


def test_solvers_without_chance_have_exactly_no_noise(tmp_path):
    """Neither policy looks at the seed: the evidence is that of one repetition, byte for byte."""
    _, once, _ = repeated(tmp_path / "one", "sure", 1)
    _, found, _ = repeated(tmp_path / "two", "sure", 3)

    assert found.evidence == once.evidence
    assert {found.noise[name] for name in ("champion", "challenger", "difference", "share", "narrowing")} == {0.0}
    assert found.noise["advice"].endswith("only more periods would narrow the interval.")
    assert once.noise is None


def test_what_one_seed_could_not_value_is_not_averaged_away():
    """A pair that failed in one repetition has no mean over the others."""
    rows = {"period": [1, 2], "unit": ["a", "a"], "value_champion": [1.0, 1.0], "value_challenger": [2.0, 4.0]}
    first = pl.DataFrame(rows)
    second = first.with_columns(value_challenger=pl.Series([None, 6.0]))
    assert averaged(shop(), [first, second])["value_challenger"].to_list() == [None, 5.0]
    assert solver_noise([first, second]) is None


def test_a_repetition_is_at_least_one(tmp_path):
    """None is refused, in the function and at the command line."""
    project = make_project(tmp_path / "shop")
    with pytest.raises(InvalidInputError, match="0 repetitions"):
        research_idea(project, 1, repetitions=0)
    assert typed(project.root, "research", "1", "--repetitions", "0").code == 2


def test_a_solver_that_lies_is_never_valued_by_its_word(tmp_path):
    """A plan called optimal breaks a constraint: the fallback decides, and the money is the fallback's."""
    _, found, evidence = repeated(tmp_path / "shop", "liar", 1, LIAR)

    lied = evidence.filter(pl.col("period").dt.day() % 2 == 1)
    assert set(lied["rung_challenger"]) == {"fallback"}
    assert evidence["value_challenger"].equals(evidence["value_champion"].rename("value_challenger"))
    assert evidence["stock_challenger"].to_numpy().max() <= 12
    assert set(evidence["status_challenger"]) == {"decided"}
    assert evidence["objective_challenger"].null_count() == evidence.height
    assert set(lied["falls_challenger"]) == {"liar: violates constraint 'room' for 1 units"}
    assert found.falls["challenger"] == {"fallback": 14, "policy": 13}
    assert found.solvers["challenger"] is None


def test_a_solver_that_runs_out_of_time_costs_what_the_fallback_costs(tmp_path):
    """No period is left out because a solver found nothing."""
    _, _, evidence = repeated(tmp_path / "shop", "late", 1, LIAR)
    late = evidence.filter(pl.col("period").dt.day() % 2 == 1)
    assert set(late["falls_challenger"]) == {"late: Dice 1 ended timeout"}
    assert evidence["value_challenger"].null_count() == 0
    assert evidence["value_challenger"].equals(evidence["value_champion"].rename("value_challenger"))


def test_what_the_solvers_did_is_recorded_and_shown(tmp_path):
    """Solver, share of optima, gaps, kind of limit and time stand in the record, and in a line of the command."""
    project, found, evidence = repeated(tmp_path / "shop", "lucky", 1)
    told = {
        "solver": "Dice 1",
        "decisions": 27,
        "periods": 27,
        "optimal": 0.0,
        "limit_kind": "work",
        "median_gap": pytest.approx(1 / 9),
        "worst_gap": pytest.approx(1 / 9),
        "median_seconds": 0.25,
    }
    assert found.solvers == {"champion": None, "challenger": told}
    row = evidence.row(0, named=True)
    assert (row["solver_challenger"], row["bound_challenger"], row["threads_challenger"]) == ("Dice 1", 10.0, 1)
    assert (row["limit_kind_challenger"], row["solver_champion"]) == ("work", None)
    assert not [name for name in evidence.columns if "seconds" in name]

    said = typed(project.root, "research", "1", "--repetitions", "3").out
    assert "challenger: Dice 1, 27 of 27 times: 0% optimal, median gap 11.11%" in said
    assert "3 repetitions; from seed to seed a period moves by 0.00 (champion)" in said
