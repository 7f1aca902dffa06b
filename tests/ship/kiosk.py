"""A kiosk with two breads and 120 days: small enough to walk an idea through all stages many times in one test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl

from shipworthy.project import Project
from shipworthy.ship.rollout import Phase, Rollout, read_rollout

FIRST = date(2025, 1, 6)
DAYS = 120
BREADS = {"rye": 40, "white": 60}
Level = Callable[[int, date], float]

PROBLEM = '''
import polars as pl

import shipworthy as sw

kiosk = sw.Problem(
    "kiosk", rows=sw.parquet("rows.parquet"), period="day", unit="bread", outcome="demand", decision="loaves"
)


@kiosk.value
def profit(happened):
    return 3 * pl.min_horizontal("loaves", "demand") - pl.col("loaves")


@kiosk.constraint
def fits_the_oven(decided):
    return pl.col("loaves").sum() <= 400


@kiosk.guardrail(margin=MARGIN, better="lower")
def baked(happened):
    return pl.col("loaves").cast(pl.Float64)


@kiosk.policy(champion=True)
class Yesterday(sw.Policy):
    memory = "1d"

    def decide(self, now, fitted):
        yesterday = now.past.select("bread", loaves="demand")
        return now.rows.select("bread").join(yesterday, on="bread", how="left", maintain_order="left")


@kiosk.policy
class Weekday(sw.Policy):
    """Better: weekends are busy."""

    memory = "28d"

    def decide(self, now, fitted):
        same = now.past.filter(pl.col("day").dt.weekday() == now.period.isoweekday())
        mean = same.group_by("bread").agg(loaves=(pl.col("demand").mean() * 1.1).round())
        return now.rows.select("bread").join(mean, on="bread", how="left", maintain_order="left")


@kiosk.policy
class One(sw.Policy):
    """Worse: one loaf of each."""

    def decide(self, now, fitted):
        return now.rows.select("bread", loaves=pl.lit(1.0))


@kiosk.policy
class Nosy(Weekday):
    """Names the outcome as its feature."""

    features = ("demand",)
'''

IDEA = """\
title = "Idea {number} for the kiosk, which says {challenger}"
problem = "kiosk"
challenger = "{challenger}"
change = "Do as {challenger} does."
because = "Weekends are busy."
owner = "kiosk"

[worth]
smallest_gain = {gain}
"""


def lay(folder: Path) -> Path:
    """Lays the project, without any idea."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ideas").mkdir(exist_ok=True)
    (folder / "shipworthy.toml").write_text('[project]\nproblems = ["problem:kiosk"]\n[research]\nworkers = 1\n')
    write_code(folder)
    write_rows(folder)
    return folder


def write_code(folder: Path, *, margin: float = 20.0, remark: str = "") -> None:
    """Writes the problem; the guardrail tolerates `margin` more loaves."""
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    (folder / "problem.py").write_text(PROBLEM.replace("MARGIN", str(margin)) + remark)


def busy_weekends(i: int, day: date) -> float:
    """More than half as much again at weekends."""
    return 1.6 if day.weekday() > 4 else 1.0


def ups_and_downs(i: int, day: date) -> float:
    """Five busy days, then five quiet ones, whatever the weekday."""
    return 1.6 if i % 10 < 5 else 0.4


def write_rows(folder: Path, *, days: int = DAYS, seed: int = 7, level: Level = busy_weekends) -> None:
    """Writes so many days of made-up demand, of which `level` says how it goes up and down."""
    rng = np.random.default_rng(seed)
    rows = [
        {"day": day, "bread": bread, "demand": int(rng.poisson(mean * level(i, day)))}
        for i, day in ((i, FIRST + timedelta(days=i)) for i in range(days))
        for bread, mean in BREADS.items()
    ]
    pl.DataFrame(rows).write_parquet(folder / "rows.parquet")


def write_idea(folder: Path, number: int, challenger: str = "weekday", gain: float = 2.0) -> Path:
    """Writes an idea's file, whatever was there."""
    path = folder / "ideas" / f"{number:04d}-kiosk.toml"
    path.write_text(IDEA.format(number=number, challenger=challenger, gain=gain))
    return path


def live(project: Project, first: int, gains: Iterable[float], *, rung: str = "policy", answered: bool = True) -> None:
    """Writes live periods of the rollout now on trial: the new release earns `gains` more per unit, period by period.

    Once it is live, it is the champion. Demand is 50; a loaf baked too much costs 1, so who bakes 50 + g earns g less than who
    bakes 50.
    """
    rollout = read_rollout(project, "kiosk")
    decisions, outcomes = [], []
    for i, gain in enumerate(gains, start=first):
        day = str(FIRST + timedelta(days=DAYS + i))
        roles = ("challenger", "champion") if rollout.phase is Phase.LIVE else ("champion", "challenger")
        loaves = {roles[0]: 50.0 + max(0.0, gain), roles[1]: 50.0 + max(0.0, -gain)}
        releases = {"champion": rollout.champion, "challenger": rollout.challenger}
        said = arms_said(rollout, day)
        decisions.append({**entry(day, releases, loaves, rung=rung, rollout=rollout.version), **said})
        if answered:
            outcomes.append(outcome(day))
    append(project, "decisions", decisions)
    append(project, "outcomes", outcomes)


def arms_said(rollout: Rollout, day: str) -> dict[str, object]:
    """Who answers a day, as the log says it."""
    drawn = rollout.arms_of(date.fromisoformat(day), list(BREADS))
    return {"arm": drawn} if isinstance(drawn, str) else {"arm": "mixed", "arms": drawn}


def entry(
    day: str,
    releases: dict[str, str],
    loaves: dict[str, float],
    *,
    breads: Iterable[str] = tuple(BREADS),
    rung: str = "policy",
    arm: str = "champion",
    rollout: int = 2,
) -> dict[str, object]:
    """One line of the decision log, as the service writes it; `rung` is the challenger's."""
    answers = {
        role: {
            "release": release,
            "rung": rung if role == "challenger" else "policy",
            "status": "decided",
            "falls": [],
            "decisions": [{"bread": bread, "loaves": loaves[role]} for bread in breads],
        }
        for role, release in releases.items()
    }
    rows = [{"bread": bread} for bread in breads]
    return {
        "id": uuid4().hex,
        "at": _now(),
        "problem": "kiosk",
        "period": day,
        "rollout": rollout,
        "arm": arm,
        "rows": rows,
        "answers": answers,
    }


def outcome(day: str, demand: int = 50, breads: Iterable[str] = tuple(BREADS)) -> dict[str, object]:
    """One line of the outcome log."""
    rows = [{"day": day, "bread": bread, "demand": demand} for bread in breads]
    return {"id": uuid4().hex, "at": _now(), "problem": "kiosk", "rows": rows}


def append(project: Project, stem: str, entries: Iterable[dict[str, object]]) -> None:
    """Appends lines to a segment of the log."""
    folder = project.log_folder / "kiosk"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{stem}-x.jsonl").open("a", encoding="utf-8") as segment:
        segment.writelines(json.dumps(entry) + "\n" for entry in entries)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
