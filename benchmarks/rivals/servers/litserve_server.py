"""LitServe, two workers that predict behind two that read requests."""

import sys

import lightgbm
import litserve
import numpy as np

FEATURES = [f"f{place:02}" for place in range(20)]


class Scoring(litserve.LitAPI):
    def setup(self, device):
        self.booster = lightgbm.Booster(model_file=sys.argv[1])

    def decode_request(self, request):
        return request["rows"]

    def predict(self, rows):
        matrix = np.array([[row[name] for name in FEATURES] for row in rows])
        offers = self.booster.predict(matrix, num_threads=1).tolist()
        return [{"customer": row["customer"], "offer": offer} for row, offer in zip(rows, offers)]

    def encode_response(self, decisions):
        return {"decisions": decisions}


if __name__ == "__main__":
    server = litserve.LitServer(
        Scoring(api_path="/decide"), accelerator="cpu", devices=1, workers_per_device=2, disable_openapi_url=True
    )
    server.run(port=int(sys.argv[2]), num_api_servers=2, log_level="error", generate_client_file=False)
