"""The standup: what moved since yesterday, what waits for whom, and what is at risk in money."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from shipworthy.errors import InvalidInputError
from shipworthy.programme.facts import Facts
from shipworthy.programme.happening import TO_AGREE, Happening
from shipworthy.programme.waiting import Waiting, Waits, waits
from shipworthy.project.clock import now, read_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Standup:
    """What a squad says in the morning; of what waits and what is at risk, what is about the most money comes first.

    Attributes:
        since: From when on it tells what moved.
        at: When it was asked for.
        moved: What happened, the newest first.
        waits: What waits for whom.
        at_risk: What may cost money.
        unwatched: The problems on which something is rolled out and no watch has reported; each names its project if several.
    """

    since: datetime
    at: datetime
    moved: tuple[Happening, ...]
    waits: tuple[Waiting, ...]
    at_risk: tuple[Waiting, ...]
    unwatched: tuple[str, ...] = ()

    @property
    def no_risk(self) -> str:
        """What is said where nothing is at risk: silence of a watch that has not reported is no good news."""
        if not self.unwatched:
            return "Nothing is known to be at risk."
        return f"No watch has reported yet on {', '.join(self.unwatched)}, so nothing is known: run `shipworthy watch`."

    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """As plain values, of each part the first so many; `counts` says how many there are."""
        dated = [{**asdict(one), "deadline": one.deadline and one.deadline.isoformat()} for one in self.waits[:most]]
        return {
            "since": self.since.isoformat(),
            "at": self.at.isoformat(),
            "moved": [one.to_dict() for one in self.moved[:most]],
            "waits": dated,
            "at_risk": [{**asdict(one), "deadline": None} for one in self.at_risk[:most]],
            "unwatched": list(self.unwatched),
            "counts": {"moved": len(self.moved), "waits": len(self.waits), "at_risk": len(self.at_risk)},
        }


def since_of(text: str, at: datetime) -> datetime:
    """The instant that "1d", "12h", "2w" before another one is, or that a text says itself.

    Raises:
        InvalidInputError: it says neither.

    >>> since_of("12h", datetime.fromisoformat("2026-01-02T00:00:00+00:00")).isoformat()
    '2026-01-01T12:00:00+00:00'
    """
    span = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text.strip())
    if span is None:
        try:
            return read_instant(text, "--since")
        except InvalidInputError:
            raise InvalidInputError(
                f"--since {text!r} is neither a span, such as 1d, 12h or 2w, nor an instant, such as 2026-11-26T09:30:00Z."
            ) from None
    return at - int(span[1]) * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[span[2]]


def standup(
    facts: Sequence[Facts],
    since: datetime | None = None,
    *,
    ledger: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    found: Waits | None = None,
) -> Standup:
    """Tells what moved, what waits and what is at risk, over some projects.

    Args:
        facts: What is known of each project.
        since: From when on; a day ago, if not given.
        ledger: The ledger, as `waits` wants it.
        found: What `waits` has found already.
    """
    at = now()
    start = since or at - timedelta(days=1)
    found = found or waits(facts, ledger=ledger)
    moved = [happening for one in facts for happening in _agreed(one.happened(start))]
    return Standup(
        since=start,
        at=at,
        moved=tuple(sorted(moved, key=attrgetter("at", "seq"), reverse=True)),
        waits=found.open,
        at_risk=found.at_risk,
        unwatched=found.unwatched,
    )


def _agreed(happened: Sequence[Happening]) -> Sequence[Happening]:
    """What happened in a project, without the call for a second person where one has agreed since."""
    last = {one.idea: one.seq for one in happened if one.kind == "override" and one.gate is not None}
    if not last:
        return happened
    return [
        replace(one, says=one.says.removesuffix(TO_AGREE)) if one.seq < last.get(one.idea, 0) else one
        for one in happened
    ]
