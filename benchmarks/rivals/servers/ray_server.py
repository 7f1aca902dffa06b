"""Ray Serve, two replicas of one deployment."""

import os
import signal
import sys

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_DEDUP_LOGS="0")

import lightgbm
import numpy as np
import ray
from ray import serve

FEATURES = [f"f{place:02}" for place in range(20)]


@serve.deployment(num_replicas=2, max_ongoing_requests=64, ray_actor_options={"num_cpus": 0.5})
class Scoring:
    def __init__(self, model):
        self.booster = lightgbm.Booster(model_file=model)

    async def __call__(self, request):
        rows = (await request.json())["rows"]
        matrix = np.array([[row[name] for name in FEATURES] for row in rows])
        offers = self.booster.predict(matrix, num_threads=1).tolist()
        return {"decisions": [{"customer": row["customer"], "offer": offer} for row, offer in zip(rows, offers)]}


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000)
    serve.start(http_options={"port": int(sys.argv[2])}, logging_config={"enable_access_log": False})
    serve.run(Scoring.bind(sys.argv[1]), route_prefix="/decide")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    ray.shutdown()
