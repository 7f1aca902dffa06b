"""MLflow, through its own client and a real file store: runs are logged there, and its models decide here."""

import copy
import pickle
import warnings

import mlflow
import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from shipworthy.errors import UnavailableError
from shipworthy.problem import Now, PredictThenOptimize
from shipworthy.research.mlflow_model import MlflowModel
from shipworthy.research.mlflow_runs import log_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what MLflow stands on


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The address of an empty file store."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.chdir(tmp_path)  # where MLflow puts a database of its own when it is asked for nothing
    return f"file://{tmp_path}/mlruns"


@pytest.fixture
def registered(store):
    """The address of a registered model that adds up its two features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own storing, which is not what is tested
        mlflow.set_tracking_uri(store)
        mlflow.set_registry_uri(store)
        mlflow.create_experiment("models")
        mlflow.set_experiment("models")
        model = LinearRegression().fit(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]), [1.0, 1.0, 2.0, 3.0])
        with mlflow.start_run():
            mlflow.sklearn.log_model(
                model,
                name="model",
                registered_model_name="adder",
                serialization_format="cloudpickle",
                pip_requirements=[],
            )
    yield "models:/adder/1"
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


def test_a_run_is_logged_with_its_parameters_metrics_and_tags(store):
    """MLflow's own search finds it, finished, in the experiment that was named."""
    for gain in (1.5, 2.5):
        log_run(
            store, "kitchen", "research-0007", params={"challenger": "x"}, metrics={"gain": gain}, tags={"idea": "0007"}
        )
    client = mlflow.MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("kitchen")
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.metrics["gain"] for run in runs) == [1.5, 2.5]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert runs[0].data.params == {"challenger": "x"}
    assert runs[0].data.tags["idea"] == "0007"


def test_a_server_that_is_not_there_is_unavailable(monkeypatch):
    """The message names it, and says that nothing is lost."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9 did not take the run"):
        log_run("http://127.0.0.1:9", "kitchen", "research-0007", params={}, metrics={}, tags={})


def test_a_registered_model_decides_and_travels_with_what_was_fitted(registered, store):
    """Fitted once, it answers from its own bytes: pickled, and with the registry gone."""
    policy = PredictThenOptimize(model=MlflowModel(registered, store), features=["a", "b"], target="sold")
    past = pl.DataFrame({"day": [1], "shop": ["x"], "a": [1.0], "b": [1.0], "sold": [2.0]})
    fitted = pickle.loads(pickle.dumps(copy.deepcopy(policy.fit(past))))
    mlflow.set_tracking_uri("file:///nowhere")
    rows = pl.DataFrame({"day": [2, 2], "shop": ["x", "y"], "a": [3.0, 5.0], "b": [4.0, 5.0]})
    decided = policy.decide(Now(period=2, key=("day", "shop"), rows=rows, past=past.clear()), fitted)
    assert np.allclose(np.asarray(decided), [7.0, 10.0])


def test_a_model_that_is_not_registered_is_named(store):
    """The registry's own words stand in the message."""
    with pytest.raises(UnavailableError, match="did not give 'models:/nobody/1'"):
        MlflowModel("models:/nobody/1", store).fit(None, None)
