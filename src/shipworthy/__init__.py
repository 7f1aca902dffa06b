"""Is this idea worth shipping? Prove it, ship it, and count what it earned.

The map:

- what you declare: `Problem`, `Policy`, `PredictThenOptimize`, `MlflowModel`, `Tuned`, `Plan`, `Solve`, `Status`
- where its rows come from: `parquet`, `csv`, `json`, `frame`, `duckdb`, `postgres`, `sqlite`, `delta`
- what a policy sees: `Now`
- the walk: `open_project`, then `new_idea`, `examine_data`, `explore_idea`, `research_idea`, `analyse_idea`,
  `ship_idea`, `roll_back`
- the same on a server: `Client`
- whether its verdicts can be trusted on your own history: `simulate_problem`
- what went wrong: `ShipworthyError` and its branches in `shipworthy.errors`
- the verdict alone, on any evidence: `shipworthy.analysis`

Names are imported when they are first used, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipworthy.analysis.analyse import analyse_idea as analyse_idea
    from shipworthy.analysis.simulate import simulate_problem as simulate_problem
    from shipworthy.api.client import Client as Client
    from shipworthy.data.examine import examine_data as examine_data
    from shipworthy.errors import ShipworthyError as ShipworthyError
    from shipworthy.ideas.edit import edit_idea as edit_idea
    from shipworthy.ideas.register import new_idea as new_idea
    from shipworthy.problem import Now as Now
    from shipworthy.problem import Plan as Plan
    from shipworthy.problem import Policy as Policy
    from shipworthy.problem import PredictThenOptimize as PredictThenOptimize
    from shipworthy.problem import Problem as Problem
    from shipworthy.problem import Solve as Solve
    from shipworthy.problem import Status as Status
    from shipworthy.project import open_project as open_project
    from shipworthy.research.exploration import explore_idea as explore_idea
    from shipworthy.research.mlflow_model import MlflowModel as MlflowModel
    from shipworthy.research.research import research_idea as research_idea
    from shipworthy.research.tuning import Tuned as Tuned
    from shipworthy.ship.back import roll_back as roll_back
    from shipworthy.ship.ship import ship_idea as ship_idea
    from shipworthy.ship.signing import sign as sign
    from shipworthy.sources.delta import delta as delta
    from shipworthy.sources.duckdb import duckdb as duckdb
    from shipworthy.sources.files import csv as csv
    from shipworthy.sources.files import json as json
    from shipworthy.sources.files import parquet as parquet
    from shipworthy.sources.frame import frame as frame
    from shipworthy.sources.postgres import postgres as postgres
    from shipworthy.sources.sqlite import sqlite as sqlite

__version__ = "0.1.0"

_HOMES = {
    "analysis.analyse": ("analyse_idea",),
    "analysis.simulate": ("simulate_problem",),
    "api.client": ("Client",),
    "data.examine": ("examine_data",),
    "errors": ("ShipworthyError",),
    "ideas.edit": ("edit_idea",),
    "ideas.register": ("new_idea",),
    "problem": (
        "Now",
        "Plan",
        "Policy",
        "PredictThenOptimize",
        "Problem",
        "Solve",
        "Status",
    ),
    "project": ("open_project",),
    "research.exploration": ("explore_idea",),
    "research.mlflow_model": ("MlflowModel",),
    "research.research": ("research_idea",),
    "research.tuning": ("Tuned",),
    "ship.back": ("roll_back",),
    "ship.ship": ("ship_idea",),
    "ship.signing": ("sign",),
    "sources.delta": ("delta",),
    "sources.duckdb": ("duckdb",),
    "sources.files": ("csv", "json", "parquet"),
    "sources.frame": ("frame",),
    "sources.postgres": ("postgres",),
    "sources.sqlite": ("sqlite",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  (the names are written once, in _HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'shipworthy' has no attribute {name!r}")
    return getattr(import_module(f"shipworthy.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
