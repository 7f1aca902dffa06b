"""Killed at any point, a replay goes on where it was; interrupted or short of a worker, it stays in order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

from shipworthy.engine import ProcessEngine, replay
from shipworthy.research.research import research_idea
from tests.engine.test_processes import SLOW, blocks_of, examined, is_running, wait_for, walk, workers_of
from tests.problems import make_project, replay_of, tracks

KILLS = int(os.environ.get("SHIPWORTHY_KILLS", "10"))


def test_a_replay_killed_at_random_points_ends_with_the_same_evidence(tmp_path):
    """Killed again and again, it never computes a finished block twice, and its evidence has the digest of a quiet replay."""
    folder, chance = examined(tmp_path / "killed"), random.Random(1)
    kept: set[tuple[str, int]] = set()
    for _ in range(KILLS):
        with walk(folder) as killed:
            time.sleep(chance.uniform(0.3, 1.5))
            killed.send_signal(signal.SIGKILL)
        found = {path.name: path.stat().st_mtime_ns for path in blocks_of(folder)}.items()
        assert kept <= found
        kept = set(found)
    with walk(folder) as last:
        fits, blocks, evidence = last.communicate(timeout=120)[0].split()
    with walk(examined(tmp_path / "quiet")) as quiet:
        whole = quiet.communicate(timeout=120)[0].split()

    assert int(fits) == int(blocks) - len(kept)
    assert evidence == whole[2]


def test_a_worker_killed_in_the_middle_changes_nothing(tmp_path):
    """kill -9 of one worker: its block is computed by another one, and the track is the same."""
    replayed = replay_of(make_project(tmp_path / "shop", SLOW))
    victims: list[int] = []

    def kill(done, of):
        if done >= 2 and not victims:
            victims.append(workers_of(os.getpid())[0])
            os.kill(victims[0], signal.SIGKILL)

    before = set(workers_of(os.getpid()))
    track = replay(replayed, "better", ProcessEngine(workers=2), kill)
    [quiet] = tracks(make_project(tmp_path / "quiet", SLOW.replace("sleep(0.1)", "sleep(0)")), "better")

    assert len(victims) == 1
    assert track.fits == track.blocks
    assert track.table.drop("seconds").equals(quiet.table.drop("seconds"))
    wait_for(lambda: set(workers_of(os.getpid())) <= before)


def test_an_interrupt_ends_the_command_at_once_and_in_order(tmp_path):
    """Ctrl-C reaches every process of the terminal: exit code 130, no traceback, no process left; run again, it goes on."""
    folder = examined(tmp_path / "shop")
    command = [sys.executable, "-m", "shipworthy", "research", "1"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True) as typed:
        wait_for(lambda: len(blocks_of(folder)) >= 2)
        started = workers_of(typed.pid)
        os.killpg(typed.pid, signal.SIGINT)
        said = typed.communicate(timeout=60)[1]

    assert typed.returncode == 130
    assert "Traceback" not in said
    assert len(started) == 2
    wait_for(lambda: not any(map(is_running, started)))
    kept = len(blocks_of(folder))
    project = make_project(folder, SLOW, settings="[research]\nworkers = 2")
    found = research_idea(project, 1)
    project.records.close()
    assert found.fits == found.blocks - kept
