"""The routes example walks from idea to verdict: two decision columns, and a solver with chance in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import research_idea
from tests.walks.examples import full

EXAMPLE = Path(__file__).parents[2] / "examples" / "routes"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example over 205 days instead of 240, in one process."""
    folder = tmp_path_factory.mktemp("walk") / "routes"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".shipworthy", "__pycache__", "reports"))
    town = folder / "town.py"
    town.write_text(town.read_text(encoding="utf-8").replace("DAYS = 240", "DAYS = 205"), encoding="utf-8")
    settings = folder / "shipworthy.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[research]\nworkers = 1\n", encoding="utf-8")
    return open_project(folder)


def test_a_forecast_and_a_search_beat_the_drivers_rule(routes: Project) -> None:
    """From the idea to a verdict: every plan keeps the constraints, and the solver's account is in the evidence."""
    answer = examine_data(routes, 1)
    assert answer.is_testable, answer.gaps
    found = research_idea(routes, 1)
    assert found.falls == {"champion": {"policy": 115}, "challenger": {"incumbent": 115}}
    assert found.solvers["champion"] is None
    account = found.solvers["challenger"]
    assert account is not None
    assert account["solver"].startswith("PyVRP")
    assert (account["decisions"], account["limit_kind"], account["worst_gap"]) == (115, "work", None)
    verdict = analyse_idea(routes, 1).verdict
    assert verdict.low > verdict.criteria.min_effect, "alone, 115 days would be enough"
    assert verdict.decision == "inconclusive", "as one of three ideas planned, the example needs all its 240 days"
    assert "once corrected" in " ".join(verdict.reasons) or "corrected for the 3 ideas" in " ".join(verdict.reasons)

    evidence = open_evidence(routes, found.evidence)
    for role in ("champion", "challenger"):
        stops = evidence.group_by("period", f"van_{role}").agg(pl.col(f"stop_{role}").sort())
        assert all(row == list(range(1, len(row) + 1)) for row in stops[f"stop_{role}"].to_list())


@full
def test_whether_to_search_longer_is_mostly_the_solvers_chance(routes: Project) -> None:
    """Both policies search: repetitions tell their noise from the effect, and the same seeds give the same evidence."""
    examine_data(routes, 2)
    found = research_idea(routes, 2, repetitions=2)
    assert found.noise is not None
    assert found.noise["champion"] > 1.0
    assert found.noise["challenger"] > 1.0
    assert found.noise["share"] > 0.3
    assert found.noise["advice"].startswith("More repetitions would narrow the interval")
    again = research_idea(routes, 2, repetitions=2)
    assert (again.fits, again.evidence) == (0, found.evidence)


def test_a_van_that_runs_out_of_crates_drives_a_second_time(routes: Project) -> None:
    """Money by hand: 200 crates at a customer 3 km and 4 km away, with 150 in a van, are 20 km; the rest goes by the clock."""
    _, problem = load_problem(routes, "routes")
    rows = {"day": [1], "van": [1], "stop": [1], "x_km": [3.0], "y_km": [4.0], "last": [10], "usual": [10.0]}
    driven = pl.DataFrame({**rows, "crates": [200]})
    assert driven.select(problem.value_of(driven, problem.assumed)).item() == pytest.approx(-(45 + 0.9 * 20))
    too_many = pl.DataFrame({**rows, "crates": [900]})
    assert too_many.select(problem.guardrails[0].measure(too_many)).item() is True
