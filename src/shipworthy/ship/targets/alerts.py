"""When somebody is to be woken: rules for Prometheus over what `/metrics` counts, each with its page of the runbook."""

from __future__ import annotations

from typing import Any

from shipworthy.ship.targets.deployment import Deployment

_RUNBOOK = "docs/operations.md"
_WINDOW = "[10m]"


def alert_groups(deployment: Deployment) -> list[dict[str, Any]]:
    """The groups of a rule file."""
    job = f'job="{deployment.name}"'
    decided = f"sum(rate(shipworthy_decisions_total{{{job}}}{_WINDOW}))"
    fallen = f'sum(rate(shipworthy_decisions_total{{{job},rung!="policy"}}{_WINDOW}))'
    asked = f'sum(rate(shipworthy_requests_total{{{job},path="/v1/decide"}}{_WINDOW}))'
    failed = f'sum(rate(shipworthy_requests_total{{{job},path="/v1/decide",status=~"5.."}}{_WINDOW}))'
    buckets = f'sum by (le) (rate(shipworthy_request_seconds_bucket{{{job},path="/v1/decide"}}{_WINDOW}))'
    rules = [
        _rule(
            "ShipworthyDown",
            f"absent(up{{{job}}} == 1)",
            "5m",
            "page",
            "Nobody answers for the decisions.",
            "does-not-answer",
        ),
        _rule(
            "ShipworthyFails",
            f"{failed} / {asked} > 0.01",
            "5m",
            "page",
            "{{ $value | humanizePercentage }} of the requests fail: nothing can decide, or the log does not write.",
            "log-does-not-write",
        ),
        _rule(
            "ShipworthyFallsBack",
            f"{fallen} / {decided} > 0.05",
            "15m",
            "ticket",
            "{{ $value | humanizePercentage }} of the decisions are not the policy's own.",
            "falling-back",
        ),
        _rule(
            "ShipworthySlow",
            f"histogram_quantile(0.99, {buckets}) > 1",
            "15m",
            "ticket",
            "One decision in a hundred takes longer than {{ $value | humanizeDuration }}.",
            "slow-answers",
        ),
        _rule(
            "ShipworthyShadowBehind",
            f"max(shipworthy_shadow_waiting{{{job}}}) > 1000",
            "30m",
            "ticket",
            "{{ $value | humanize }} decisions wait for the shadow, so the trial's evidence comes late.",
            "shadow-behind",
        ),
    ]
    return [{"name": deployment.name, "rules": rules}]


def _rule(name: str, expression: str, lasts: str, severity: str, what: str, anchor: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasts,
        "labels": {"severity": severity},
        "annotations": {"summary": what, "runbook_url": f"{_RUNBOOK}#{anchor}"},
    }
