"""How a rollout stands, in words: each guardrail by today's interval, and what a move rested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from shipworthy.analysis.wording import a_period
from shipworthy.board.words import marked, told_with

_STOOD: Mapping[str, str] = {"ship": "held beyond doubt", "roll back": "was worse beyond doubt"}


def rail_says(rail: Mapping[str, Any], looks_at: str) -> tuple[str, str]:
    """How a guardrail stands, as an icon and in words: what was decided once counts for as long as the interval still says it.

    Args:
        rail: Its decision, with the ends of its interval, its margin, and its looks.
        looks_at: What comes with each look.

    >>> rail = {"decision": "ship", "low": -0.17, "high": 0.06, "margin": 0.05, "look": 104, "decided_at": 28, "least": 28}
    >>> rail_says(rail, "live period")
    ('inconclusive', 'held beyond doubt after live period 28; it cannot be told any more')
    >>> rail_says({**rail, "low": 0.01}, "live period"), rail_says({**rail, "decision": "undecided", "look": 21}, "live period")
    (('holds', 'holds beyond doubt'), ('inconclusive', 'too early to say: 21 of at least 28 live periods'))
    """
    low, high, margin = rail["low"], rail["high"], rail["margin"]
    look, least = rail.get("look", 0), rail.get("least", 0)  # what was read by an older version has neither
    at = f"beyond doubt after {looks_at} {rail['decided_at']}" if rail.get("decided_at") else "beyond doubt before"
    if rail["decision"] == "roll back":
        return "breached", "is worse beyond doubt" if high is not None and high < -margin else f"was worse {at}"
    if rail["decision"] == "ship":
        holds = low is not None and low > -margin
        return ("holds", "holds beyond doubt") if holds else ("inconclusive", f"held {at}; it cannot be told any more")
    if look < least:
        return "inconclusive", f"too early to say: {look} of at least {least} live periods"
    return "inconclusive", "cannot be told yet"


def rested_on(told: Mapping[str, Any], course: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What a move rested on, each figure with its name.

    Args:
        told: The evidence of the move.
        course: How the rollout goes, which knows the currency and the cadence that older moves do not tell.

    >>> for fact in rested_on({"periods": 28, "last": "2014-09-28", "fell": 0, "asked": 28, "arms": [6, 8]}, None):
    ...     print(*fact, sep=": ")
    Live periods: 28, through 28 Sep 2014
    Who answered, as the coins fell: the release from before 6, the idea 8
    Fell back: in 0 of 28 periods
    """
    known = course or {}
    money, currency = told.get("money"), told.get("currency") or known.get("currency")
    if money and currency and None not in (money["low"], money["mean"], money["high"]):
        mean, low, high = (money[name] * told["units"] for name in ("mean", "low", "high"))
        gain, ends = told_with(mean, low, high, currency)
        yield f"Gain {a_period(told.get('cadence') or known.get('cadence', ''))}", Markup("{} ({})").format(gain, ends)
    if "periods" in told:
        yield "Live periods", marked(f"{told['periods']:,}, through {told['last']}")
    for name, rail in (told.get("guardrails") or {}).items():
        yield f"Guardrail {name.replace('_', ' ')}", _STOOD.get(rail["decision"], "could not be told yet")
    if told.get("arms"):
        before, idea = told["arms"]
        yield "Who answered, as the coins fell", f"the release from before {before:,}, the idea {idea:,}"
    if "asked" in told:
        yield "Fell back", f"in {told['fell']} of {told['asked']} periods"
