"""How pages write what they show: money, days, sentences with commands, and the tone of a state."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import NO_BREAK, exact, figure, precise, share, stated, step_for, step_of
from shipworthy.analysis.report.layout import seconds
from shipworthy.live.ledger.sentences import earned

_TONES: Mapping[str, str] = {
    "ship": "ship",
    "live": "ship",
    "holds": "ship",
    "testable": "ship",
    "stop": "stop",
    "refused": "stop",
    "not testable": "stop",
    "rolled back": "stop",
    "failed": "stop",
    "inconclusive": "inconclusive",
    "paused": "inconclusive",
    "to be completed": "inconclusive",
    "override asked": "inconclusive",
    "lost": "stop",
    "ended": "stop",
    "done": "ship",
    "invalid": "invalid",
    "retired": "invalid",
    "was live": "invalid",
}
"""The tone by how a state's words begin or end; what is not here is merely on its way."""

_LARGE = ((1e9, "bn"), (1e6, "M"))
_LENGTHS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_COMMAND = re.compile(r"`([^`]+)`")
_DAY = re.compile(r"(?<![\w-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\w-])")
_ON_A_PAGE = (
    (re.compile(r"^Run `shipworthy (?:data|research|analyse|ship) \d+`\.$"), ""),
    (re.compile(r"Sign with `[^`]+`\.?"), ""),
    (
        re.compile(r"Let a second person run `shipworthy override \d+ --second`\."),
        "A second person agrees under Override.",
    ),
    (re.compile(r"(?:Take it back|or take it back) with `shipworthy rollback[^`]*`\."), "Roll it back."),
    (re.compile(r": `(?:shipworthy|curl) [^`]*`(?:, `[^`]*`)*(?=[.;])"), ""),
)
"""What a remedy says where commands are typed, and what it says where there is a button for it."""


def tone(says: str) -> str:
    """The tone of a state, by its words: ship, stop, inconclusive, invalid, or moving.

    >>> tone("in shadow"), tone("ship, overridden"), tone("stop, override asked"), tone("rolled back")
    ('moving', 'ship', 'inconclusive', 'stop')
    """
    parts = [part.strip() for part in says.lower().split(",")]
    return next((_TONES[part] for part in reversed(parts) if part in _TONES), "moving")


def brief(amount: float, currency: str, step: float | None = None) -> str:
    """Writes an amount in as little room as a card has: millions by their letter, and three digits where no step is given.

    >>> [brief(amount, "EUR").replace(NO_BREAK, " ") for amount in (22_453.9, 1_234_567_890.0, 20.0)]
    ['22,500 EUR', '1.23 bn EUR', '20 EUR']
    >>> brief(22_453.9, "EUR", 10.0).replace(NO_BREAK, " ")
    '22,450 EUR'
    """
    unit, letter = next(((unit, letter) for unit, letter in _LARGE if abs(amount) >= unit), (1.0, ""))
    scaled = amount / unit
    says = figure(scaled, step / unit if step else min(step_of([scaled]), 1e9))
    whole, _, decimals = says.partition(".")
    says = whole if step is None and not decimals.strip("0") else says
    return NO_BREAK.join(part for part in (says, letter, currency) if part)


def in_one_piece(amount: float, currency: str, step: float | None = None) -> Markup:
    """An amount as `brief` writes it, which no line breaks.

    >>> in_one_piece(22_300.0, "<b>").replace(NO_BREAK, " ")
    Markup('<span class="whole">22,300 &lt;b&gt;</span>')
    """
    return Markup('<span class="whole">{}</span>').format(brief(amount, currency, step))


class Amount(NamedTuple):
    """An amount, and the interval around it, both rounded alike.

    Attributes:
        amount: The amount with its currency.
        ends: From where to where; empty where nobody knows.
    """

    amount: Markup
    ends: str


def told_with(gain: float, low: float | None, high: float | None, currency: str, step: float | None = None) -> Amount:
    """An amount with its interval, rounded to what the interval leaves of it.

    >>> told_with(46.0, 21.01, 70.92, "EUR").ends, told_with(46.0, None, None, "EUR").ends
    ('21 to 71', '')
    """
    if low is None or high is None:
        return Amount(in_one_piece(gain, currency), "")
    step = step or step_for(Gain(gain=gain, low=low, high=high), 0.0)
    return Amount(in_one_piece(gain, currency, step), f"{brief(low, '', step)} to {brief(high, '', step)}")


def marked(sentence: str) -> Markup:
    """A sentence whose `commands` are set apart, and whose days are written as people read them; the rest is escaped.

    >>> str(marked("Run `shipworthy data 7` & wait until 2027-03-31."))
    'Run <code>shipworthy data 7</code> &amp; wait until 31 Mar 2027.'
    """
    parts = _COMMAND.split(str(escape(sentence)))
    told = [f"<code>{part}</code>" if i % 2 else _DAY.sub(_as_day, part) for i, part in enumerate(parts)]
    return Markup("".join(told))  # noqa: S704 - escaped right here


def _as_day(found: re.Match[str]) -> str:
    try:
        return day(date.fromisoformat(found[0]))
    except ValueError:
        return found[0]


def on_page(remedy: str) -> str:
    """What to do about a gap where there are buttons: nothing is told to be typed that a button of the page does.

    >>> on_page("Run `shipworthy data 7`."), on_page("Refit more often."), on_page("Take it back: `shipworthy rollback`.")
    ('', 'Refit more often.', 'Take it back.')
    """
    for typed, pressed in _ON_A_PAGE:
        remedy = typed.sub(pressed, remedy)
    return remedy.strip()


def day(at: datetime | Any) -> str:
    """A day, or an instant to the minute in UTC, as people read it.

    >>> from datetime import UTC, date
    >>> day(date(2027, 3, 31)), day(datetime(2027, 3, 31, 9, 5, tzinfo=UTC))
    ('31 Mar 2027', '31 Mar 2027, 09:05 UTC')
    """
    if isinstance(at, datetime):
        return f"{at.day} {at:%b %Y, %H:%M} UTC"
    return f"{at.day} {at:%b %Y}"


def pace(took: float) -> str:
    """How long a decision takes, given in seconds.

    >>> pace(0.0057), pace(2.5)
    ('5.7 ms', '2.5 s')
    """
    return f"{seconds(1000.0 * took)} ms" if took < 1.0 else f"{seconds(took)} s"


def span(took: float) -> str:
    """A length of time in seconds, as people say it.

    >>> span(0.4), span(75), span(7_260), span(200_000)
    ('0 s', '1 min 15 s', '2 h 1 min', '2 d 7 h')
    """
    parts, left = list[str](), int(took)
    for length, name in _LENGTHS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "brief": in_one_piece,
    "day": day,
    "earned": earned,
    "exact": exact,
    "marked": marked,
    "on_page": on_page,
    "pace": pace,
    "precise": precise,
    "share": share,
    "span": span,
    "stated": stated,
    "tone": tone,
}
"""What templates may write with."""
