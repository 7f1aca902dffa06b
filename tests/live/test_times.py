"""Periods that are times join whatever form they come in: a time has many, and the logs have one."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import Replay
from shipworthy.live import outcome_rows, overrides
from shipworthy.live.adoption import read_adoption
from shipworthy.live.answering import Answering
from shipworthy.live.overrides import OverrideLog
from shipworthy.live.serving import Serving, open_serving
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.ship.logged import Logged
from shipworthy.ship.release import build_release
from shipworthy.ship.rollout import Move, Phase, make_move
from shipworthy.ship.sides import Sides
from shipworthy.step import History

KIOSK = """
from datetime import datetime, timedelta
import polars as pl
import shipworthy as sw

def rows():
    hours = [datetime(2026, 1, 30) + timedelta(hours=6 * place) for place in range(4)]
    table = pl.DataFrame([{"at": hour, "bread": bread, "sold": 3} for hour in hours for bread in ("bun", "rye")])
    return table.with_columns(pl.col("at").dt.replace_time_zone(ZONE))

kiosk = sw.Problem("kiosk", rows=sw.frame(rows), period="at", unit="bread", outcome="sold", decision="baked")

@kiosk.value
def profit(happened):
    return pl.min_horizontal("baked", "sold") * 2 - pl.col("baked")

@kiosk.policy(champion=True)
class Five(sw.Policy):
    memory = "2d"

    def decide(self, now, fitted):
        return pl.Series([5.0 if now.past["sold"].max() < 50 else 50.0] * now.rows.height)
"""

FORMS = {
    "UTC": ("2026-01-31T06:00:00Z", "2026-01-31T06:00:00+00:00", "2026-01-31 07:00+01:00"),
    None: ("2026-01-31T06:00:00", "2026-01-31T06:00:00.000000", "2026-01-31 06:00"),
}


def _ship(project: Project) -> Serving:
    code, problem = load_problem(project, "kiosk")
    snapshot = take_snapshot(project, problem)
    history = History(problem, snapshot.rows)
    plan = Replay(project=project, code=code, problem=problem, snapshot=snapshot.address, history=history)
    move = Move(phase=Phase.LIVE, champion=build_release(plan, "five", None), idea=None, share=0.0, why="a test")
    make_move(project, "kiosk", None, move)
    return open_serving(project, "kiosk")


@pytest.mark.parametrize("zone", FORMS)
def test_outcomes_and_overrides_find_their_decision(tmp_path: Path, zone: str | None) -> None:
    """Sent in any form, as JSON or as a table, they count in live evidence, in adoption and for policies that look back."""
    (tmp_path / "shipworthy.toml").write_text('[project]\nproblems = ["kiosk_of_hours:kiosk"]\n')
    (tmp_path / "kiosk_of_hours.py").write_text(KIOSK.replace("ZONE", repr(zone)))
    project = open_project(tmp_path)
    serving, folder = _ship(project), project.log_folder / "kiosk"
    answering, done = Answering("kiosk", folder), OverrideLog("kiosk", folder)
    rows = [{"bread": "bun"}, {"bread": "rye"}]

    def decide(period: str) -> list[float]:
        body = json.dumps({"period": period, "rows": rows}).encode()
        return [row["baked"] for row in answering.decide(serving, body, None).document["decisions"]]

    assert decide(FORMS[zone][0]) == [5.0, 5.0]
    told = {"bread": "bun", "baked": 7, "by": "ada", "why": "a feast"}
    for form, sold in zip(FORMS[zone], (90, 60, 70), strict=True):
        posted = [{"at": form, "bread": bread, "sold": sold} for bread in ("bun", "rye")]
        answering.note(serving, json.dumps({"rows": posted}).encode())
        done.note(serving.champion, json.dumps({"rows": [{"at": form, **told}]}).encode())
    known = pl.DataFrame({"at": FORMS[zone][1:2], "bread": ["rye"], "sold": [70]})
    assert outcome_rows.note_table(project, serving, known).same == 1
    table = pl.DataFrame([{"at": FORMS[zone][2], **told}])
    assert overrides.note_table(project, serving.champion, table)[:2] == (0, 1)

    release = serving.champion.release
    settled = Logged(project, release, Sides(old=frozenset([release.id]), new=frozenset(), began=0)).settled
    assert settled["sold"].to_list() == [70, 70]
    found = read_adoption(project, serving.champion)
    assert (found.decided, found.overridden, found.unasked, found.reasons[0].settled) == (2, 1, 0, 1)
    assert decide(FORMS[zone][0].replace("01-31", "02-01")) == [50.0, 50.0]
    answering.close()
    done.close()
    project.records.close()
