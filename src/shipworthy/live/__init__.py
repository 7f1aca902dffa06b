"""What runs after shipping: the service that decides, its decision log, and the outcomes that come back.

- `live.server.serve` starts the service: several workers, one address
- `live.service.make_app` is what a worker runs, for whoever brings a server of their own
- `live.decision_log` and `live.outcomes` say what is logged and what is remembered of it; `shipworthy.log` reads it
- `live.shadow` lets who did not answer decide the same, behind walls
- `live.watch` holds what runs against what the replay promised
- `live.ledger` sets the gain that was realised against the gain that was forecast

The web libraries are imported by those modules only, so that importing this package costs nothing.
"""
