"""Old logs go where nobody needs them, and stay where the proof of an idea rests on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.live.answering import Answering
from shipworthy.live.retention import find_old
from shipworthy.live.serving import open_serving
from shipworthy.log import read_decisions, read_outcomes
from shipworthy.log.compaction import compact
from shipworthy.project import open_project
from shipworthy.ship.rollout import Move, Phase, make_move, read_rollout
from tests.cli.typed import typed
from tests.live.stall import Stall, stall_rows

LONG_AGO, YESTERDAY, TODAY = "2026-01-31T00:00:00Z", "2026-12-30T00:00:00Z", "2026-12-31T00:00:00Z"


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The time, set by hand."""
    path = tmp_path / "clock"
    path.write_text(LONG_AGO)
    monkeypatch.setenv("SHIPWORTHY_CLOCK", str(path))
    return path


def _decide(stall: Stall, day: str) -> None:
    answering = Answering("stock", stall.project.log_folder / "stock")
    body = json.dumps({"period": day, "rows": stall_rows()}).encode()
    answering.decide(open_serving(stall.project, "stock"), body, day)
    answering.note(
        open_serving(stall.project, "stock"),
        json.dumps({"rows": [{"day": day, "fruit": "fig", "sold": 5}]}).encode(),
    )
    answering.close()
    compact(stall.project, "stock", grace=0)


def _keep(stall: Stall, span: str) -> None:
    (stall.project.root / "shipworthy.toml").write_text(
        f'[project]\nproblems = ["stock:stock"]\n[live]\nkeep = "{span}"\n[release]\nallow_unsigned = ["*"]\n'
    )
    stall.project = open_project(stall.project.root)


def _move(stall: Stall, champion: str, challenger: str | None, idea: str | None, phase: Phase) -> None:
    releases = stall.releases
    trial = releases[challenger] if challenger else None
    move = Move(phase=phase, champion=releases[champion], challenger=trial, idea=idea, why="a test")
    make_move(stall.project, "stock", read_rollout(stall.project, "stock"), move)


def test_what_is_old_is_told_and_then_dropped(stall: Stall, clock: Path) -> None:
    """What is older than the setting is told first, and goes when it is asked for, object and all; what is younger stays."""
    _move(stall, "mean_of_three_days", None, None, Phase.LIVE)
    _decide(stall, "2026-01-31")
    clock.write_text(YESTERDAY)
    _decide(stall, "2026-12-30")
    clock.write_text(TODAY)
    assert find_old(stall.project, "stock").old == ()
    _keep(stall, "100d")
    old = find_old(stall.project, "stock").old
    assert [(part.noun, part.first[:10]) for part in old] == [("decisions", "2026-01-31"), ("outcomes", "2026-01-31")]
    told = typed(stall.project.root, "compact")
    assert "shipworthy compact --drop" in told.out
    assert [entry["id"] for entry in read_decisions(stall.project, "stock")] == ["2026-01-31", "2026-12-30"]
    typed(stall.project.root, "compact", "--drop")
    assert [entry["id"] for entry in read_decisions(stall.project, "stock")] == ["2026-12-30"]
    assert len(list(read_outcomes(stall.project, "stock"))) == 1
    stored = set(stall.project.objects.list("logs/"))
    assert not stored & {part.object for part in old}
    assert len(stored) == 2
    assert find_old(stall.project, "stock").old == []


def test_what_the_proof_of_an_idea_rests_on_is_kept(stall: Stall, clock: Path) -> None:
    """Decisions from before the idea go; those that its releases made in its rollout, and outcomes since, are kept and told."""
    _move(stall, "mean_of_three_days", None, None, Phase.LIVE)
    _decide(stall, "2026-01-31")
    clock.write_text("2026-02-02T00:00:00Z")
    _move(stall, "mean_of_three_days", "one_more", "0001", Phase.CANARY)
    _decide(stall, "2026-02-02")
    clock.write_text(TODAY)
    _keep(stall, "100d")
    found = find_old(stall.project, "stock")
    assert [(part.noun, part.first[:10]) for part in found.old] == [
        ("decisions", "2026-01-31"),
        ("outcomes", "2026-01-31"),
    ]
    assert "2026-02-02" in {part.first[:10] for part in found.evidence}
    assert "the evidence or ledger of an idea rests on them" in typed(stall.project.root, "compact", "--drop").out
    assert [entry["id"] for entry in read_decisions(stall.project, "stock")] == ["2026-02-02"]


def test_less_than_the_policies_look_back_on_is_refused(stall: Stall, clock: Path) -> None:
    """A policy that looks back three days, for outcomes a day late, cannot live with a log of two."""
    _move(stall, "mean_of_three_days", None, None, Phase.LIVE)
    _keep(stall, "2d")
    said = typed(stall.project.root, "compact")
    assert (said.code, "looks back" in said.err) == (2, True)
    settings = stall.project.root / "shipworthy.toml"
    settings.write_text(settings.read_text().replace("2d", "soon"))
    assert "keep must be a span" in typed(stall.project.root, "compact").err
