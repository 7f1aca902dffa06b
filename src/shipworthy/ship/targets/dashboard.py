"""A dashboard for Grafana: who decides, how fast, what waits, and what it earns, over what `/metrics` counts."""

from __future__ import annotations

import json
from typing import Any

from shipworthy.ship.targets.deployment import Deployment

_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 8
_SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboard(deployment: Deployment) -> str:
    """The dashboard as JSON; the data source is chosen where it is looked at."""
    job = f'job="{deployment.name}"'
    decide = f'{job},path="/v1/decide"'
    panels = [
        _panel("Requests by status", "reqps", {"{{status}}": _rate("requests_total", decide, "status")}),
        _panel("Seconds to the answer", "s", {f"{q:.0%}": _quantile(q, decide) for q in (0.5, 0.95, 0.99)}),
        _panel("Pods that answer", "none", {"up": f"sum(up{{{job}}})"}),
        _panel("Who decided", "ops", {"{{rung}}": _rate("decisions_total", job, "rung")}),
        _panel("Arms", "ops", {"{{arm}}": _rate("decisions_total", job, "arm")}),
        _panel(
            "Share that the policy decided itself",
            "percentunit",
            {
                "{{arm}}": _rate("decisions_total", f'{job},rung="policy"', "arm")
                + " / "
                + _rate("decisions_total", job, "arm")
            },
        ),
        _panel("Rungs that did not decide", "ops", {"{{arm}}": _rate("falls_total", job, "arm")}),
        _panel("Outcomes noted", "ops", {"rows": _rate("outcomes_total", job)}),
        _panel(
            "Waits for the shadow, and side effects it denied",
            "none",
            {
                "waiting": f"max(shipworthy_shadow_waiting{{{job}}})",
                "denied": f"sum(increase(shipworthy_shadow_denied_total{{{job}}}[$__rate_interval]))",
            },
        ),
    ]
    for number, panel in enumerate(panels):
        place = {"x": number % _COLUMNS * _WIDTH, "y": number // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
        panel |= {"id": number + 1, "gridPos": place}
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    board = {
        "uid": deployment.name[:40],
        "title": f"shipworthy: {deployment.problem}",
        "tags": ["shipworthy"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }
    return json.dumps(board, indent=2) + "\n"


def _rate(metric: str, labels: str, by: str = "") -> str:
    total = f"sum by ({by}) " if by else "sum"
    return f"{total}(rate(shipworthy_{metric}{{{labels}}}[$__rate_interval]))"


def _quantile(share: float, labels: str) -> str:
    return f"histogram_quantile({share}, {_rate('request_seconds_bucket', labels, 'le')})"


def _panel(title: str, unit: str, queries: dict[str, str]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + number), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
        for number, (legend, query) in enumerate(queries.items())
    ]
    return {
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }
