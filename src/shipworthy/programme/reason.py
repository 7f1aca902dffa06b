"""The reasons of the backlog: what its figures rest on where nobody said, or said a range."""

from __future__ import annotations

from shipworthy.analysis.money import money
from shipworthy.programme.claims import Claims
from shipworthy.programme.terms import Terms

_CLOSE = 0.05
"""The share by which a mean has to differ from what is likely before it is told beside it."""


def no_effort(days: float, *, is_known: bool, left: float) -> str:
    """What is taken for an effort that nobody stated, and how much of it lies ahead.

    >>> no_effort(10.0, is_known=False, left=0.25)
    'Nobody said what it takes, so 10 person-days are taken, as nobody in the squad says anything. 25% of that lies ahead.'
    """
    taken = ", the squad's median, are taken" if is_known else " are taken, as nobody in the squad says anything"
    ahead = f" {left:.0%} of that lies ahead." if left < 1.0 else ""
    return f"Nobody said what it takes, so {days:g} person-days{taken}.{ahead}"


def on_average(gain: tuple[float, float, float], terms: Terms) -> str:
    """The mean of what is expected, which its worth is reckoned with, where it is another than what is likely."""
    average = sum(gain) / 3.0
    return "" if abs(average - gain[1]) <= _CLOSE * abs(gain[1]) else f", {terms.says(average)} on average"


def believed(claims: Claims) -> str:
    """How far what is expected is believed, where the squad's own ideas say anything of that."""
    if not claims.ideas:
        return ""
    many = "" if claims.ideas == 1 else "s"
    behind = f"{claims.ideas} {'verdict' if claims.source == 'measured' else 'live idea'}{many}"
    return f"; going by {behind} of the squad, {money(100.0 * claims.share, '%')} of what is expected comes true"
