"""What was locked when research started, as the report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.analysis.money import stated


def locked_facts(locked: Mapping[str, Any], digest: str) -> list[tuple[str, str]]:
    """The locked criteria, by name, and the digest that they were locked by."""
    currency = locked["currency"]
    expected = locked["expected_gain"]
    return [
        ("Problem", locked["problem"]),
        ("Challenger", locked["challenger"]),
        ("Smallest gain worth shipping", f"{stated(locked['smallest_gain'], currency)} a {locked['per']}"),
        (
            "Expected gain: low, likely, high",
            f"{', '.join(stated(amount, '') for amount in expected)} {currency} a {locked['per']}"
            if expected
            else "none stated",
        ),
        (
            "Guardrail margins of its own",
            ", ".join(f"{name.replace('_', ' ')} {margin:g}" for name, margin in locked["guardrails"].items())
            or "none: the problem's hold",
        ),
        (
            "Guardrail margins of the problem",
            ", ".join(f"{name.replace('_', ' ')} {m:g}" for name, m in locked["margins"].items()) or "none",
        ),
        *([("Holdout", locked["holdout"])] if locked.get("holdout") else []),
        ("Periods in a year", f"{locked['periods_per_year']:g}"),
        ("Locked as", digest),
    ]
