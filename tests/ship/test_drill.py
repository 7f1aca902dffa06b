"""A drill: planted harm is found and taken back on a real service, and the project's own rollout knows nothing of it."""

from __future__ import annotations

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.project import Project
from shipworthy.ship.drill import run_drill
from shipworthy.ship.rollout import Move, Phase, make_move, read_rollout, rollout_history
from tests.cli.typed import typed


def test_a_drill_finds_planted_harm_and_keeps_what_it_took(shadowed: Project):
    """The release on trial is harmed in a scratch copy until it is taken back; a record has the times; nothing else moved."""
    before = rollout_history(shadowed, "kiosk")
    said = typed(shadowed.root, "drill", "kiosk", "--json")
    assert said.code == 0, said.err
    found = said.json
    rollout = read_rollout(shadowed, "kiosk")
    assert (found["harmed"], found["back"]) == (rollout.challenger, rollout.champion)
    assert found["trigger"] in {"interval", "cusum", "guardrail baked"}
    assert 7 <= found["periods"] <= 60
    assert min(found["lost"], found["found_seconds"], found["answered_seconds"]) > 0.0
    assert rollout_history(shadowed, "kiosk") == before
    assert not shadowed.log_folder.exists()
    kept = shadowed.records.get("drill", "kiosk")
    assert kept.body == found


def test_a_drill_needs_something_to_take_back(judged: Project):
    """Before the first idea is rolled out there is nothing to drill, and the message says what to do."""
    with pytest.raises(NotFoundError, match="shipworthy ship"):
        run_drill(judged, "kiosk")
    make_move(judged, "kiosk", None, Move(phase=Phase.LIVE, champion="a" * 16, why="the baseline"))
    with pytest.raises(InvalidInputError, match="Only the baseline serves 'kiosk'"):
        run_drill(judged, "kiosk")
