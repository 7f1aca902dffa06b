"""The calendar of a switchback: the published blocks month by month, and which of them goes on now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from shipworthy.analysis.trials.schedule import SwitchbackPlan

_MOST_BLOCKS = 130


class Block(NamedTuple):
    """One block: when it begins, who answers in it, and whether it is "past", goes on "now" or lies "ahead"."""

    start: datetime
    arm: str
    state: str


class Calendar(NamedTuple):
    """The months of a plan that are worth looking at: this one, and as far as they have room the last one and those that come.

    Attributes:
        months: What each month is called, with its blocks.
        total: Blocks of the whole plan.
        end: When the last of them ends.
    """

    months: Sequence[tuple[str, Sequence[Block]]]
    total: int
    end: datetime

    @property
    def is_whole(self) -> bool:
        """Whether no block of the plan is left out."""
        return sum(len(blocks) for _, blocks in self.months) == self.total


def calendar_of(plan: SwitchbackPlan, now: datetime) -> Calendar:
    """The calendar of a plan, as somebody would look at it at an instant (UTC, with its time zone).

    >>> plan = SwitchbackPlan(seed="autumn", start=datetime(2026, 9, 29), days=4, block_hours=24.0)
    >>> for month, blocks in calendar_of(plan, datetime.fromisoformat("2026-09-30T12:00Z")).months:
    ...     print(month, [(block.arm, block.state) for block in blocks])
    Sep 2026 [('challenger', 'past'), ('champion', 'now')]
    Oct 2026 [('champion', 'ahead'), ('challenger', 'ahead')]
    >>> fine = SwitchbackPlan(seed="autumn", start=datetime(2026, 9, 1), days=90, block_hours=4.0)
    >>> [month for month, _ in calendar_of(fine, datetime.fromisoformat("2026-10-12T12:00Z")).months]
    ['Oct 2026']
    """
    at = now if plan.start.tzinfo else now.replace(tzinfo=None)
    rows = list(plan.blocks().select("start", "arm", "end").iter_rows())
    blocks = [Block(start, arm, _state(start, end, at)) for start, arm, end in rows]
    months = [(month, list(them)) for month, them in groupby(blocks, key=lambda block: f"{block.start:%b %Y}")]
    first = next((i for i, (_, them) in enumerate(months) if them[-1].state != "past"), len(months) - 1)
    shown, before = [months[first]], months[max(0, first - 1) : first]
    for month in [*before, *months[first + 1 :]]:
        if sum(len(blocks) for _, blocks in [*shown, month]) > _MOST_BLOCKS:
            break
        shown.append(month)
    shown.sort(key=months.index)
    return Calendar(shown, len(blocks), rows[-1][2])


def _state(start: datetime, end: datetime, at: datetime) -> str:
    return "past" if end <= at else "now" if start <= at else "ahead"
