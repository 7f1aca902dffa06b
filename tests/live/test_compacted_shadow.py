"""The shadow goes on while its logs are compacted: nothing that it has to decide goes, and it looks back on all that was."""

from __future__ import annotations

import json
from datetime import date, timedelta

from shipworthy.live.answering import Answering
from shipworthy.live.outcomes import archive_of
from shipworthy.live.serving import open_serving
from shipworthy.live.shadow.shadow import run_shadow
from shipworthy.log import read_decisions
from shipworthy.log.compaction import Compaction, compact
from shipworthy.project import Project
from shipworthy.ship.rollout import Phase
from tests.live.stall import Stall, stall_rows

DAYS = [str(date(2026, 1, 31) + timedelta(days=n)) for n in range(5)]


def _live_through(stall: Stall, day: str, sold: int) -> None:
    folder = stall.project.log_folder / "stock"
    answering = Answering("stock", folder, archive_of(stall.project, "stock", folder))
    serving = open_serving(stall.project, "stock")
    answering.decide(serving, json.dumps({"period": day, "rows": stall_rows()}).encode(), day)
    rows = [{"day": day, "fruit": row["fruit"], "sold": sold} for row in stall_rows()]
    answering.note(serving, json.dumps({"rows": rows}).encode())
    answering.close()


def _decide_in_shadow(project: Project) -> None:
    assert run_shadow(project, "stock", project.log_folder / "stock", once=True) == 0


def _compact(stall: Stall) -> Compaction:
    return compact(stall.project, "stock", grace=0)


def test_the_shadow_goes_on_while_its_logs_are_compacted(stall: Stall) -> None:
    """What waits for the shadow is left for it; begun anew, it decides by what was compacted, and nothing a second time."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    for place, day in enumerate(DAYS):
        _live_through(stall, day, 100 * (place + 1))
        assert (waited := _compact(stall)).waiting == 1
        assert [part.noun for part in waited.parts] == ["outcomes"]
        _decide_in_shadow(stall.project)
        assert (after := _compact(stall)).waiting == 0
        assert [part.noun for part in after.parts] == ["decisions", "shadows"]
    assert [path.name for path in (stall.project.log_folder / "stock").glob("*.jsonl")] == []
    _decide_in_shadow(stall.project)
    decisions = list(read_decisions(stall.project, "stock"))
    assert [entry["id"] for entry in decisions] == DAYS
    for entry in decisions:
        champion, challenger = (entry["answers"][arm]["decisions"] for arm in ("champion", "challenger"))
        assert [row["laid_in"] - 1 for row in challenger] == [row["laid_in"] for row in champion]
    assert {row["laid_in"] for row in decisions[-1]["answers"]["champion"]["decisions"]} == {300.0}


def test_what_a_release_no_longer_serves_does_not_wait(stall: Stall) -> None:
    """A release that was taken back decides in the shadow no more, so its decisions are compacted without it."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    _live_through(stall, DAYS[0], 5)
    assert _compact(stall).waiting == 1
    stall.move("mean_of_three_days")
    assert _compact(stall).waiting == 0
