"""A second problem of another shape, written from the README alone, walks from an idea to a verdict."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.data.leakage import hidden_features
from shipworthy.engine import foresee
from shipworthy.project import open_project
from shipworthy.project.code import load_problem
from shipworthy.research.research import research_idea
from tests.problems import HERE as IN_THIS_PROCESS
from tests.problems import replay_of

HERE = Path(__file__).parent
DATA = (
    Path(os.environ.get("SHIPWORTHY_DATA", HERE.parents[2] / "shared" / "data")) / "bank_marketing" / "contacts.parquet"
)


@pytest.mark.skipif(
    not DATA.exists(), reason="the bank marketing data are not ours to ship; name their folder in SHIPWORTHY_DATA"
)
def test_whom_to_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A binary outcome, a budget knapsack, months as periods, no state: under 80 lines, and a verdict for the right reason."""
    assert len((HERE / "calls" / "problem.py").read_text().splitlines()) < 80
    folder = tmp_path / "calls"
    shutil.copytree(HERE / "calls", folder)
    monkeypatch.setenv("CALLS_DATA", str(DATA))
    project = open_project(folder)
    answer = examine_data(project, 1)
    assert answer.is_testable, answer.gaps
    assert answer.profile["n_periods"] == 26
    research = research_idea(project, 1)
    assert research.falls == {"champion": {"policy": 21}, "challenger": {"policy": 21}}
    verdict = analyse_idea(project, 1).verdict
    assert verdict.decision == "inconclusive"
    assert verdict.exposure is not None
    assert verdict.exposure.periods == 21
    assert verdict.low < verdict.criteria.min_effect < verdict.high


@pytest.mark.skipif(
    not DATA.exists(), reason="the bank marketing data are not ours to ship; name their folder in SHIPWORTHY_DATA"
)
def test_whom_one_would_have_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared oracle earns all there was, 242,204 EUR; the policy's own optimiser less, as it spends the whole budget."""
    folder = tmp_path / "calls"
    shutil.copytree(HERE / "calls", folder)
    monkeypatch.setenv("CALLS_DATA", str(DATA))
    own = foresee(replay_of(open_project(folder), "calls"), ["likeliest_buyers"], IN_THIS_PROCESS)
    with (folder / "problem.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n@calls.oracle\ndef buyers(now, happened):\n    bought = happened['bought'].to_numpy()\n"
            "    return bought * within_budget(now, bought / happened['cost'].to_numpy())\n"
        )
    declared = foresee(replay_of(open_project(folder), "calls"), ["likeliest_buyers"], IN_THIS_PROCESS)

    assert own is not None
    assert declared is not None
    assert declared.table.select(pl.col("value", "call").sum()).row(0) == (242_204.0, 2_852.0)
    assert own.table["value"].sum() == 222_232.0


@pytest.mark.skipif(
    not DATA.exists(), reason="the bank marketing data are not ours to ship; name their folder in SHIPWORTHY_DATA"
)
def test_how_long_a_call_took_is_no_feature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The famous leak of these data, the duration of a call, is refused by its name."""
    folder = tmp_path / "calls"
    shutil.copytree(HERE / "calls", folder)
    monkeypatch.setenv("CALLS_DATA", str(DATA))
    _, problem = load_problem(open_project(folder), "calls")
    policy = problem.make_policy("likeliest_buyers")
    policy.features = [*policy.features, "duration"]
    assert [leak.columns for leak in hidden_features(problem, policy)] == [("duration",)]
