"""A kiosk with a weather, walked and shipped, whose live days can be written day by day as its service would log them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl
import pytest

import shipworthy.ship.ship
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.project import Project, open_project
from shipworthy.research.research import research_idea
from shipworthy.ship.parity import Parity
from shipworthy.ship.rollout import Move, Phase, make_move, read_rollout
from shipworthy.ship.ship import ship_idea
from tests.ship import kiosk

DAYS = 224
START = kiosk.FIRST + timedelta(days=DAYS)
"""The first live day."""

SKIES = ("sun", "rain", "cloud")
Row = dict[str, Any]


def day(i: int) -> date:
    """The live day of that number, from 0."""
    return START + timedelta(days=i)


def instant(i: int, hour: float = 6.0) -> datetime:
    """An hour of a live day."""
    return datetime.combine(day(i), time(), UTC) + timedelta(hours=hour)


def build(folder: Path) -> Path:
    """Lays the project, walks its idea and ships it live; to be copied, not changed."""
    kiosk.lay(folder)
    kiosk.write_rows(folder, days=DAYS)
    path = folder / "rows.parquet"
    rows = pl.read_parquet(path)
    skies = weather(np.random.default_rng(3), DAYS)
    pl.DataFrame([{**row, **skies[i // 2]} for i, row in enumerate(rows.to_dicts())]).write_parquet(path)
    kiosk.write_idea(folder, 1)
    with pytest.MonkeyPatch.context() as patch, (folder / "clock").open("w") as clock:
        clock.write(instant(-1).isoformat())
        clock.flush()
        patch.setenv("SHIPWORTHY_CLOCK", str(folder / "clock"))
        holds = Parity(periods=10, equal=10, tied=0, broken=())
        patch.setattr(shipworthy.ship.ship, "prove_parity", lambda project, release: holds)
        project = open_project(folder)
        for walk in (examine_data, research_idea, analyse_idea, ship_idea):
            walk(project, 1)
        now = read_rollout(project, "kiosk")
        live = Move(phase=Phase.LIVE, champion=now.challenger, challenger=now.champion, idea="0001", why="a test")
        make_move(project, "kiosk", now, live)
        project.records.close()
    return folder


def weather(rng: np.random.Generator, days: int) -> list[Row]:
    """So many days of weather, each independent of the others."""
    warmth, sky = rng.normal(15.0, 5.0, size=days), rng.choice(SKIES, size=days, p=(0.5, 0.3, 0.2))
    return [{"warmth": float(w), "sky": str(s)} for w, s in zip(warmth, sky, strict=True)]


def live(project: Project, days: Iterable[int], **kwargs: Any) -> None:
    """Logs live days that are like the snapshot's, with their outcomes, but for what `kwargs` says; see `live_day`."""
    days = list(days)
    skies = weather(np.random.default_rng(11), max(days, default=0) + 1)
    decisions, outcomes = [], []
    for i in days:
        decided, came = live_day(project, i, skies[i], **kwargs)
        decisions += decided
        outcomes += came
    kiosk.append(project, "decisions", decisions)
    kiosk.append(project, "outcomes", outcomes)


def live_day(
    project: Project,
    i: int,
    sky: Mapping[str, Any],
    *,
    warmer: float = 0.0,
    skies: tuple[str, ...] = (),
    breads: tuple[str, ...] = tuple(kiosk.BREADS),
    rung: str = "policy",
    falls: tuple[str, ...] = (),
    gain: float | None = None,
    outcome: bool = True,
    seconds: float = 0.01,
    hour: float = 6.0,
    factor: float = 1.0,
    without: tuple[str, ...] = (),
) -> tuple[list[Row], list[Row]]:
    """The entries of one live day: what the service logs at six, and the outcomes that come the next morning.

    Args:
        project: Whose live day it is.
        i: Its number.
        sky: Its weather.
        warmer: How much warmer it is.
        skies: Skies to take in turns, instead of its own.
        breads: The units that are asked for.
        rung: The rung that decided.
        falls: Why each higher rung did not.
        gain: What the release that is live earns more per bread than the one before; None means what it came to.
        outcome: Whether the outcomes come.
        seconds: How long deciding took.
        hour: When it was asked, in hours of the day.
        factor: How many times as many loaves are baked.
        without: The columns that are empty.
    """
    now, rng = read_rollout(project, "kiosk"), np.random.default_rng(1000 + i)
    level = kiosk.busy_weekends(0, day(i))
    demand = {bread: int(rng.poisson(kiosk.BREADS.get(bread, 50) * level)) for bread in breads}
    loaves = {bread: round(kiosk.BREADS.get(bread, 50) * level * 1.1) * factor for bread in breads}
    yesterday, last = np.random.default_rng(999 + i), kiosk.busy_weekends(0, day(i - 1))
    before = {bread: float(yesterday.poisson(kiosk.BREADS.get(bread, 50) * last)) for bread in breads}
    if gain is not None:
        demand = dict.fromkeys(breads, 50)
        loaves, before = dict.fromkeys(breads, 50.0 + max(0.0, -gain)), dict.fromkeys(breads, 50.0 + max(0.0, gain))
    own = {**sky, "warmth": sky["warmth"] + warmer} | ({"sky": skies[i % len(skies)]} if skies else {})
    rows = [{"bread": bread, **own, **dict.fromkeys(without)} for bread in breads]
    answers = {
        role: {
            "release": release,
            "rung": rung if role == "champion" else "policy",
            "status": "decided",
            "falls": list(falls),
            "seconds": seconds,
            "decisions": [{"bread": bread, "loaves": None if rung == "none" else plan[bread]} for bread in breads],
        }
        for role, release, plan in (("champion", now.champion, loaves), ("challenger", now.challenger, before))
    }
    entry = {"id": uuid4().hex, "problem": "kiosk"}
    at, then = (
        instant(i, hour).isoformat(timespec="microseconds"),
        instant(i + 1, 1.0).isoformat(timespec="microseconds"),
    )
    decided = {**entry, "at": at, "period": str(day(i)), "arm": "champion", "rows": rows, "answers": answers}
    came = {
        **entry,
        "at": then,
        "rows": [{"day": str(day(i)), "bread": bread, "demand": demand[bread]} for bread in breads],
    }
    return [decided], [came] if outcome else []
