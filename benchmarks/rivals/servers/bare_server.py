"""The least that a server can do with the model: plain ASGI on uvicorn, msgspec, NumPy; no checks, no log, no promise."""

import sys
from operator import itemgetter

import lightgbm
import msgspec
import numpy as np
import uvicorn

FEATURES = [f"f{place:02}" for place in range(20)]
values = itemgetter(*FEATURES)
booster = lightgbm.Booster(model_file=sys.argv[1])


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    content = b"{}" if scope["path"] == "/health" else decide(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def decide(body):
    rows = msgspec.json.decode(body)["rows"]
    offers = booster.predict(np.array([values(row) for row in rows], dtype=np.float64), num_threads=1).tolist()
    return msgspec.json.encode(
        {"decisions": [{"customer": row["customer"], "offer": offer} for row, offer in zip(rows, offers)]}
    )


if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0])
    uvicorn.run(
        "bare_server:app", port=int(sys.argv[2]), workers=2, log_level="error", access_log=False, lifespan="off"
    )
