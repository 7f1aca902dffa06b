"""MLflow's own scoring server, started as its command line starts it."""

import os
import shutil
import sys
from pathlib import Path

import lightgbm
import mlflow.lightgbm

if __name__ == "__main__":
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="1")
    saved = Path(sys.argv[1]).with_name("mlflow-model")
    shutil.rmtree(saved, ignore_errors=True)
    mlflow.lightgbm.save_model(lightgbm.Booster(model_file=sys.argv[1]), saved)
    command = ["mlflow", "models", "serve", "-m", str(saved), "--env-manager", "local", "-w", "2", "-p", sys.argv[2]]
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.execvp(str(Path(sys.executable).with_name("mlflow")), command)
