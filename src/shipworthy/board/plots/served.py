"""What served when: a band for who answers, and one for what is tried beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from shipworthy.analysis.report.drawing import INK, LETTER, MUTED, Plot, Reading, along, draw, rows, told, trace
from shipworthy.library import library
from shipworthy.ship.rollout import Phase, Rollout

_HEIGHT = 138
_LEAST = 4
"""Pixels that a stretch is drawn with at least, however short it was."""
_COLOURS: Mapping[str, str] = {
    "baseline": "var(--line)",
    "live": "var(--ship)",
    "shadow": "var(--invalid)",
    "canary": "var(--gain)",
    "switchback": "var(--gain)",
    "paused": "var(--inconclusive)",
}


class Band(NamedTuple):
    """A stretch of time in which one thing served, or was tried."""

    lane: str
    what: str
    kind: str
    begins: datetime
    ends: datetime


def names_of(moves: Sequence[Rollout]) -> Mapping[str, str]:
    """What each release is called: after the idea that it carries, else the baseline."""
    named = dict[str, str]()
    for move in moves:
        carrier = move.challenger if move.phase is Phase.SHADOW else move.champion if move.phase is Phase.LIVE else None
        if carrier is not None:
            named.setdefault(carrier, f"idea {int(move.idea)}" if move.idea else "baseline")
    return named


def bands(moves: Sequence[Rollout], now: datetime) -> list[Band]:
    """The stretches of time that a history of moves makes; neighbours of one kind are one stretch."""
    named, found = names_of(moves), list[Band]()
    ends = [*(move.at for move in moves[1:]), max(now, moves[-1].at)]
    for move, end in zip(moves, ends, strict=True):
        serves = named.get(move.champion, "baseline")
        found.append(Band("Serves", serves, "baseline" if serves == "baseline" else "live", move.at, end))
        if move.phase.is_trial and move.idea:
            found.append(Band("Tried", f"idea {int(move.idea)}, {move.phase}", str(move.phase), move.at, end))
    return _joined(found)


def serving(moves: Sequence[Rollout], now: datetime) -> Band:
    """What answers now, and since when."""
    return [band for band in bands(moves, now) if band.lane == "Serves"][-1]


def _joined(found: Sequence[Band]) -> list[Band]:
    kept = dict[str, list[Band]]()
    for band in found:
        lane = kept.setdefault(band.lane, [])
        if lane and lane[-1][1:3] == band[1:3] and lane[-1].ends == band.begins:
            lane[-1] = lane[-1]._replace(ends=band.ends)
        else:
            lane.append(band)
    return [band for lane in kept.values() for band in lane]


def draw_served(moves: Sequence[Rollout], now: datetime) -> Plot:
    """Champion and challenger over time."""
    found, serves = bands(moves, now), serving(moves, now)
    title = f"{serves.what[0].upper()}{serves.what[1:]} has answered since {told(serves.begins.date())}"
    readings: list[Reading] = [
        (f"{band.lane}: {band.what}", f"{_at(band.begins)} to {'now' if band.ends >= now else _at(band.ends)}")
        for band in found
    ]
    return draw(title, lambda width: _bands(found, width), _HEIGHT, readings=readings)


def _at(instant: datetime) -> str:
    return told(instant.replace(tzinfo=None))


def _bands(found: Sequence[Band], width: int) -> Any:
    alt = library("altair", "report")
    first, last = min(band.begins for band in found), max(band.ends for band in found)
    ends, x = along(pl.Series([first, last]), width - 70)
    y = alt.Y(
        "lane:N",
        title=None,
        sort=["Serves", "Tried"],
        scale=alt.Scale(domain=["Serves", "Tried"], paddingInner=0.28, paddingOuter=0.14),
        axis=alt.Axis(ticks=False, domain=False, labelColor=INK, minExtent=8 * LETTER),
    )
    layers, least = [], _LEAST * (ends[1] - ends[0]) / width
    for band in found:
        begins, until = along(pl.Series([band.begins, band.ends]), width)[0]
        until = max(until, begins + least)
        bar = alt.Chart(rows(at=begins, until=until, lane=band.lane)).encode(x=x, x2="until:Q", y=y)
        layers.append(bar.mark_bar(color=_COLOURS[band.kind], cornerRadius=4, stroke="var(--card)", strokeWidth=0.5))
        share = (until - begins) / max(1, ends[1] - ends[0])
        if share * (width - 8 * LETTER) > LETTER * len(band.what) + 14:
            begun = alt.Chart(rows(at=begins, lane=band.lane)).encode(x=x, y=y)
            colour = INK if band.kind == "baseline" else "var(--card)"
            layers.append(
                begun.mark_text(align="left", dx=9, color=colour, fontWeight="bold", fontSize=12).encode(
                    text=alt.value(band.what)
                )
            )
    middles = [along(pl.Series([band.begins, band.ends]), width)[0] for band in found]
    data = rows(i=list(range(len(found))), at=[sum(one) / 2 for one in middles], lane=[band.lane for band in found])
    layers.append(trace(alt.Chart(data).encode(x=x, y=y)))
    rule = alt.Chart(rows(at=ends[1])).encode(x=x)
    layers.append(rule.mark_rule(color=MUTED, strokeDash=[2, 3]))
    return alt.layer(*layers)
