"""BentoML, one service with two workers."""

import os
import sys
from pathlib import Path

FEATURES = [f"f{place:02}" for place in range(20)]

if __name__ == "__main__":
    os.environ.update(BENTOML_DO_NOT_TRACK="True", RIVAL_MODEL=sys.argv[1])
    home = Path(sys.argv[1]).with_name("bentoml-home")
    home.mkdir(exist_ok=True)
    os.environ["BENTOML_HOME"] = str(home)
    os.chdir(Path(__file__).parent)
    command = ["bentoml", "serve", "bentoml_server:Scoring", "-p", sys.argv[2], "--host", "127.0.0.1"]
    os.execvp(str(Path(sys.executable).with_name("bentoml")), command)

import bentoml
import lightgbm
import numpy as np


@bentoml.service(workers=2, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Scoring:
    def __init__(self) -> None:
        self.booster = lightgbm.Booster(model_file=os.environ["RIVAL_MODEL"])

    @bentoml.api(route="/decide")
    def decide(self, period: int, rows: list[dict[str, float]]) -> dict[str, list[dict[str, float]]]:
        matrix = np.array([[row[name] for name in FEATURES] for row in rows])
        offers = self.booster.predict(matrix, num_threads=1).tolist()
        return {"decisions": [{"customer": row["customer"], "offer": offer} for row, offer in zip(rows, offers)]}
