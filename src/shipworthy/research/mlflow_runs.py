"""Runs for a squad that already has an MLflow tracking server: nobody has to log twice.

Imports MLflow, so that only those who configured it wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from shipworthy.errors import UnavailableError
from shipworthy.library import library

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # its own seven keep a command waiting for minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds

MlflowException = library("mlflow.exceptions", "mlflow").MlflowException
MlflowClient = library("mlflow.tracking", "mlflow").MlflowClient


def log_run(
    tracking_uri: str,
    experiment: str,
    name: str,
    *,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> str:
    """Logs one finished run and gives its id; the experiment is made where it is missing.

    Raises:
        UnavailableError: the tracking server does not answer, or refuses.
    """
    try:
        client = MlflowClient(tracking_uri=tracking_uri)
        found = client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else client.create_experiment(experiment)
        run_id = str(client.create_run(experiment_id, run_name=name, tags=dict(tags)).info.run_id)
        for key, value in params.items():
            client.log_param(run_id, key, value)
        for key, number in metrics.items():
            client.log_metric(run_id, key, number)
        client.set_terminated(run_id)
    except (MlflowException, OSError) as error:
        first_line = str(error).partition("\n")[0]
        raise UnavailableError(
            f"The MLflow server at {tracking_uri} did not take the run: {first_line} Everything is recorded here all the same."
        ) from error
    return run_id
