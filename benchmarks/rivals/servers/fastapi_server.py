"""FastAPI on uvicorn, the model in a thread of its pool."""

import sys

import lightgbm
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import create_model

FEATURES = [f"f{place:02}" for place in range(20)]
Row = create_model("Row", customer=(int, ...), **dict.fromkeys(FEATURES, (float, ...)))
Body = create_model("Body", period=(int, ...), rows=(list[Row], ...))
booster = lightgbm.Booster(model_file=sys.argv[1])
app = FastAPI()


@app.get("/health")
def health():
    return {"ready": True}


@app.post("/decide")
def decide(body: Body):
    rows = np.array([[getattr(row, name) for name in FEATURES] for row in body.rows])
    offers = booster.predict(rows, num_threads=1).tolist()
    return {"decisions": [{"customer": row.customer, "offer": offer} for row, offer in zip(body.rows, offers)]}


if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0])
    uvicorn.run("fastapi_server:app", port=int(sys.argv[2]), workers=2, log_level="error", access_log=False)
