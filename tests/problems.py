"""Small problems for the tests of problem, step, engine, data and research: in memory, or laid as a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import polars as pl

from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import Engine, ProcessEngine, Replay, Track, replay
from shipworthy.problem import Now, Policy, Problem, Rows
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.sources.frame import frame
from shipworthy.step import History

FIRST = date(2026, 1, 1)
HERE = ProcessEngine(workers=1)
THERE = ProcessEngine(workers=2)
UNITS = ("ham", "jam", "tea")

IDEA = {
    "title": "A better plan",
    "problem": "shop",
    "challenger": "better",
    "change": "Order otherwise.",
    "because": "It sells better.",
    "owner": "shop squad",
}

HEADER = """\
from datetime import date, datetime, timedelta
import polars as pl
import shipworthy as sw

FIRST = date(2026, 1, 1)

def made_up_rows(days=40):
    return pl.DataFrame([
        {"day": FIRST + timedelta(days=day), "item": item, "price": 2.0 + place, "sold": 3 * place + day % 7}
        for day in range(days) for place, item in enumerate(("ham", "jam", "tea"))
    ])
"""

SHOP = (
    HEADER
    + """
shop = sw.Problem("shop", rows=sw.frame(made_up_rows), period="day", unit="item", outcome="sold", decision="stock")

@shop.value
def profit(happened):
    return pl.min_horizontal("stock", "sold") * pl.col("price") - pl.col("stock")

class Yesterday(sw.Policy):
    memory = "1d"
    refit = "7d"

    def fit(self, past):
        return past.height

    def decide(self, now, fitted):
        yesterday = now.past.select("item", stock="sold")
        return now.rows.select("item").join(yesterday, on="item", how="left", maintain_order="left")

shop.policy(champion=True, name="today")(Yesterday)
shop.policy(name="twin")(Yesterday)

@shop.policy
class Better(Yesterday):
    memory = "14d"

    def decide(self, now, fitted):
        same = now.past.filter(pl.col("day").dt.weekday() == now.period.isoweekday())
        mean = same.group_by("item").agg(stock=1 * pl.col("sold").mean())
        return now.rows.select("item").join(mean, on="item", how="left", maintain_order="left")
"""
)


def day(number: int) -> date:
    """The day of that number."""
    return FIRST + timedelta(days=number)


def sales(periods: Sequence[Any] | int = 10, units: Sequence[Any] = UNITS) -> pl.DataFrame:
    """Rows of a shop: what was sold of each item in each period, a number that names both."""
    when = [day(number) for number in range(periods)] if isinstance(periods, int) else periods
    return pl.DataFrame(
        [
            {"day": at, "item": unit, "price": 2.0 + place, "sold": 10 * number + place}
            for number, at in enumerate(when)
            for place, unit in enumerate(units)
        ]
    )


def shop(rows: pl.DataFrame | Rows | None = None, **changes: Any) -> Problem:
    """A problem in memory: how many of each item to have in stock."""
    source = rows if isinstance(rows, Rows) else frame(sales() if rows is None else rows)
    fields: dict[str, Any] = {
        "rows": source,
        "period": "day",
        "unit": "item",
        "outcome": "sold",
        "decision": "stock",
    } | changes
    problem = Problem("shop", **fields)
    problem.value(lambda happened: pl.min_horizontal("stock", "sold"))
    return problem


def deciding(decide: Callable[[Now], Any], **attributes: Any) -> Callable[[], Policy]:
    """Makes a policy which decides by a function of what it sees."""
    body = {**attributes, "decide": lambda self, now, fitted: decide(now)}
    return type("Decides", (Policy,), body)


def make_project(
    folder: Path, source: str = SHOP, ideas: Mapping[int, Mapping[str, Any]] | None = None, settings: str = ""
) -> Project:
    """Lays a project whose `problem.py` declares `shop`, with ideas about it, and opens it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shipworthy.toml").write_text(f'[project]\nproblems = ["problem:shop"]\n{settings}\n', encoding="utf-8")
    (folder / "problem.py").write_text(dedent(source), encoding="utf-8")
    (folder / "ideas").mkdir(exist_ok=True)
    for number, changes in (ideas or {1: {}}).items():
        texts = "\n".join(f'{name} = "{text}"' for name, text in (IDEA | changes.get("texts", {})).items())
        worth = changes.get("worth", "smallest_gain = 1.0")
        text = f"{texts}\n[worth]\n{worth}\n{changes.get('more', '')}\n"
        (folder / "ideas" / f"{number:04d}-idea.toml").write_text(text, encoding="utf-8")
    return open_project(folder)


LAID: dict[str, Problem] = {}
"""Problems in memory by the folder of the project that is laid around them."""


def laid(problem: Problem, folder: Path) -> Replay:
    """A project around a problem in memory, and what a replay of it needs; only this very process finds the problem."""
    LAID[str(folder)] = problem
    (folder / "shipworthy.toml").write_text('[project]\nproblems = ["problem:laid"]\n', encoding="utf-8")
    (folder / "problem.py").write_text(
        f"from tests.problems import LAID\n\nlaid = LAID[{str(folder)!r}]\n", encoding="utf-8"
    )
    return replay_of(open_project(folder), problem.name)


def replay_of(project: Project, name: str = "shop") -> Replay:
    """What a replay of the project as it is now needs."""
    code, problem = load_problem(project, name)
    snapshot = take_snapshot(project, problem)
    history = History(problem, snapshot.rows)
    return Replay(project=project, code=code, problem=problem, snapshot=snapshot.address, history=history)


def tracks(project: Project, *policies: str, engine: Engine = HERE) -> list[Track]:
    """The tracks of some policies over one snapshot."""
    replayed = replay_of(project)
    return [replay(replayed, policy, engine) for policy in policies]
