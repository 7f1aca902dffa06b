"""What the command line sends to MLflow: to a real file store, and to servers that are not there."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow
import pytest

import shipworthy
from shipworthy.errors import UnavailableError
from shipworthy.project import Project, open_project
from shipworthy.research.research import read_research
from tests.cli.typed import typed
from tests.problems import make_project
from tests.research.test_windows import NOISY

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what MLflow stands on


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty file store."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.chdir(tmp_path)  # where MLflow puts a database of its own when it is asked for nothing
    return f"file://{tmp_path}/mlruns"


def name_server(project: Project, address: str, more: str = "") -> None:
    """Adds the server to the project's settings."""
    with (project.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[mlflow]\ntracking_uri = "{address}"\n{more}')


def runs_at(address: str, experiment: str = "shipworthy") -> dict[str, mlflow.entities.Run]:
    """The finished runs there, by name."""
    client = mlflow.MlflowClient(tracking_uri=address)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    assert {run.info.status for run in found} == {"FINISHED"}
    return {run.info.run_name: run for run in found}


def test_research_and_analysis_are_logged(bakery: Project, server: str):
    """Each command leaves one run with what it told: parameters, figures, title and decision."""
    name_server(bakery, server, 'experiment = "kitchen"\n\n[research]\nworkers = 1\n')
    said = [typed(bakery.root, verb, "1", "--json") for verb in ("data", "research", "analyse")]
    assert [(one.code, one.err) for one in said] == [(0, "")] * 3
    research = read_research(open_project(bakery.root).records.get("research", "0001"))
    judged = said[2].json
    runs = runs_at(server, "kitchen")

    assert set(runs) == {"research-0001", "analysis-0001"}
    replayed, verdict = (runs[name].data for name in ("research-0001", "analysis-0001"))
    assert replayed.params == verdict.params
    assert replayed.params == {
        "idea": "0001",
        "problem": "bakery",
        "challenger": "same_weekday",
        "champion": "yesterday",
        "snapshot": research.snapshot,
        "evidence": research.evidence,
        "code": research.code,
        "seed": "1",
        "repetitions": "1",
    }
    assert replayed.metrics == {
        **{"periods": 267.0, "fits": research.fits, "looks": 0.0},
        **{f"{role}_seconds": seconds for role, seconds in research.seconds.items()},
        **{f"{role}_regret_per_period": one["per_period"] for role, one in research.regret.items()},
    }
    assert len(replayed.metrics) == 7
    year = judged["per_year"]
    assert verdict.metrics["gain_per_year"] == year["gain"]
    assert (verdict.metrics["low_per_year"], verdict.metrics["high_per_year"]) == (year["low"], year["high"])
    assert verdict.metrics["chance_of_harm"] == judged["verdict"]["probability_of_harm"]
    assert verdict.tags["title"] == "Bake for the weekday, not for yesterday"
    assert verdict.tags["decision"] == "ship"
    assert "decision" not in replayed.tags


def test_a_sealed_holdout_sends_its_decision_alone(tmp_path: Path, server: str):
    """What no verb shows, no server is told."""
    worth = {1: {"worth": "smallest_gain = 50.0"}}
    project = make_project(tmp_path / "shop", NOISY, worth, "[research]\nworkers = 1")
    name_server(project, server)
    for verb in ("data", "research", "analyse"):
        typed(project.root, verb, "1")
    verdict = runs_at(server)["analysis-0001"].data
    assert verdict.tags["decision"] == "stop"
    assert verdict.metrics == {}


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nonsense://somewhere"])
def test_a_server_that_is_not_there_costs_one_line(bakery: Project, address: str, monkeypatch: pytest.MonkeyPatch):
    """The command says all it has to say, and ends as it would have without a server."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(bakery.root)
    name_server(bakery, address, "\n[research]\nworkers = 1\n")
    typed(bakery.root, "data", "1")
    research, analysis = typed(bakery.root, "research", "1"), typed(bakery.root, "analyse", "1", "--json")
    assert (research.code, analysis.code, analysis.json["decision"]) == (0, 0, "ship")
    assert "shipworthy analyse 1" in research.out
    for said in (research, analysis):
        assert said.err.startswith("MLflow: ")
        assert said.err.count("\n") == 1


def test_without_a_server_mlflow_is_not_asked_for(bakery: Project, monkeypatch: pytest.MonkeyPatch):
    """Where none is named, a machine without MLflow has nothing to say; where one is, it names the extra."""
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    for module in ("mlflow_runs", "mlflow_model"):
        monkeypatch.delitem(sys.modules, f"shipworthy.research.{module}", raising=False)
    for verb in ("data", "research"):
        said = typed(bakery.root, verb, "1")
        assert (said.code, said.err) == (0, "")
    name_server(bakery, "http://127.0.0.1:9")
    said = typed(bakery.root, "research", "1")
    assert said.code == 0
    assert "pip install 'shipworthy[mlflow]'" in said.err
    with pytest.raises(UnavailableError, match=r"pip install 'shipworthy\[mlflow\]'"):
        _ = shipworthy.MlflowModel
