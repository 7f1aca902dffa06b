"""Killed while it ships, an idea is as it was or one step further, never half shipped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from time import monotonic

from shipworthy.project import open_project
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase, rollout_history

KILLS = int(os.environ.get("SHIPWORTHY_KILLS", "3"))
WHOLE: tuple[list[Phase], ...] = ([], [Phase.LIVE], [Phase.LIVE, Phase.SHADOW])


def _ship(folder: Path, seconds: float | None) -> int:
    """Runs `shipworthy ship 1` and kills it, with all that it started, after so many seconds."""
    command = [sys.executable, "-m", "shipworthy", "ship", "1"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    assert b"Traceback" not in said, said.decode()
    return process.returncode


def _phases(folder: Path) -> list[Phase]:
    """The moves that were made; every release that they name can be opened."""
    project = open_project(folder)
    moves = rollout_history(project, "kiosk")
    for release in {name for move in moves for name in (move.champion, move.challenger) if name}:
        open_release(project, release)
    project.records.close()
    return [move.phase for move in moves]


def test_a_shipping_step_that_is_killed_is_never_half_done(judged_folder: Path, tmp_path: Path) -> None:
    """After kills at random moments the moves are none, the baseline, or baseline and shadow; the same command goes on."""
    began = monotonic()
    assert _ship(copytree(judged_folder, tmp_path / "whole"), None) == 0
    whole, moments = monotonic() - began, random.Random(5)
    seen = set()
    for kill in range(KILLS):
        folder = copytree(judged_folder, tmp_path / f"killed {kill}")
        _ship(folder, moments.uniform(0.1, 1.0) * whole)
        phases = _phases(folder)
        assert phases in WHOLE
        seen.add(len(phases))
        if phases != WHOLE[-1]:
            assert _ship(folder, None) == 0
        assert _phases(folder) == WHOLE[-1]
    assert seen - {len(WHOLE[-1])}, "no kill came in time to prove anything"
