"""What runs after shipping: the service that decides, its decision log, and the outcomes that come back.

- `live.server.serve` starts the service: several workers, one address
- `live.service.make_app` is what a worker runs, for whoever brings a server of their own
- `live.decision_log.read_log` gives every logged decision once, in order of time; `live.outcomes.read_outcomes` the outcomes

The web libraries are imported by those modules only, so that importing this package costs nothing.
"""
