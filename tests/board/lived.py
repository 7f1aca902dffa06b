"""A bakery whose idea went into shadow and was lived through for three weeks, beside a project in which nothing happened yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import shipworthy
import shipworthy.ship.parity
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.project import Project
from shipworthy.research.research import research_idea
from shipworthy.ship.parity import Parity
from shipworthy.ship.rollout import read_rollout
from shipworthy.ship.ship import ship_idea
from shipworthy.workspace.account import new_account
from shipworthy.workspace.role import read_roles
from shipworthy.workspace.workspace import Workspace, open_workspace
from tests.ship import kiosk

STARTER = Path(shipworthy.__file__).parent / "starter"
BREADS = ("rye", "spelt", "white")
FIRST = date(2026, 2, 5)
DAYS = 21
PEOPLE = {
    "ada": ["admin"],
    "ann": ["food:product-manager"],
    "ben": ["food:analyst", "food:ml-engineer"],
    "eve": ["food:stakeholder"],
}


def lay_lived(folder: Path) -> Workspace:
    """Lays the workspace with its people; that the real server decides alike is proved elsewhere."""
    for name in ("bakery", "empty"):
        shutil.copytree(STARTER, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        settings = folder / name / "shipworthy.toml"
        text = settings.read_text().replace("[project]", "[project]\nsquad = 'food'", 1)
        settings.write_text(f"{text}\n[research]\nworkers = 1\n")
    shutil.rmtree(folder / "empty" / "ideas")
    (folder / "workspace.toml").write_text("[workspace]\nname = 'Town'\nprojects = ['*']\n")
    workspace = open_workspace(folder)
    for login, roles in PEOPLE.items():
        account = new_account(workspace.records, login, roles=read_roles(roles))
        workspace.records.add(account.change(), by="tester")
    bakery = workspace.project("bakery").acting("ben")
    for walk in (examine_data, research_idea, analyse_idea):
        walk(bakery, 1)
    holds = Parity(periods=10, equal=10, tied=0, broken=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipworthy.ship.parity, "prove_parity", lambda project, release: holds)
        ship_idea(bakery, 1)
    live_on(bakery, range(DAYS))
    return workspace


def live_on(project: Project, days: Iterable[int]) -> None:
    """Logs days that both releases decided, with what happened."""
    rollout = read_rollout(project, "bakery")
    assert rollout is not None
    releases = {"champion": rollout.champion, "challenger": str(rollout.challenger)}
    for i in days:
        day = str(FIRST + timedelta(days=i))
        loaves = {"champion": 40.0 + i % 3, "challenger": 47.0 + i % 5}
        _append(project, "decisions", kiosk.entry(day, releases, loaves, breads=BREADS))
        _append(project, "outcomes", kiosk.outcome(day, 50, BREADS))


def _append(project: Project, stem: str, entry: dict[str, Any]) -> None:
    folder = project.log_folder / "bakery"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{stem}-x.jsonl").open("a", encoding="utf-8") as segment:
        segment.write(json.dumps({**entry, "problem": "bakery"}) + "\n")
