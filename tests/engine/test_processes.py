"""Processes: results in order, errors as they are, and a killed replay that goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from shipworthy.data.examine import examine_data
from shipworthy.research.evidence import pair
from tests.problems import HERE, SHOP, THERE, make_project, replay_of, tracks

SLOW = SHOP.replace("return past.height", "__import__('time').sleep(0.1)\n        return past.height")
SLOW = SLOW.replace('refit = "7d"', 'refit = "3d"')

WALK = """
import sys
from pathlib import Path
import shipworthy as sw
if __name__ == "__main__":
    found = sw.research_idea(sw.open_project(Path(sys.argv[1])), 1)
    print(found.fits, found.blocks, found.evidence)
"""


def walk(folder):
    """Research with two workers as a process of its own."""
    script = folder.parent / "walk.py"
    script.write_text(WALK, encoding="utf-8")
    return subprocess.Popen([sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, text=True)


def examined(folder):
    """A slow project whose data were examined; the blocks that were computed for that are forgotten again."""
    project = make_project(folder, SLOW, settings="[research]\nworkers = 2")
    examine_data(project, 1)
    project.records.close()
    for path in blocks_of(folder):
        path.unlink()
    return folder


def blocks_of(folder):
    """What was finished and kept."""
    return list((folder / ".shipworthy" / "objects" / "cache").glob("*.parquet"))


def wait_for(holds, seconds=60.0):
    """Waits until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.02)


def workers_of(pid):
    """The workers that a process started and that run still."""
    return [child for child in map(int, children_of(pid)) if is_running(child)]


def children_of(pid):
    """The numbers of all processes that a process started, whichever of its threads did."""
    return [one for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]


def is_running(pid):
    """Whether a worker is there, and is no zombie."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return False
    return "spawn_main" in command


def test_a_killed_replay_goes_on_where_it_was_and_ends_as_if_nothing_had_been(tmp_path):
    """kill -9 in the middle: no finished block is computed again, no worker stays, the evidence is the same."""
    folder = examined(tmp_path / "killed")
    with walk(folder) as killed:
        wait_for(lambda: len(blocks_of(folder)) >= 3)
        started = workers_of(killed.pid)
        killed.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(map(is_running, started)))
    kept = {path.name for path in blocks_of(folder)}

    with walk(folder) as again:
        fits, blocks, evidence = again.communicate(timeout=120)[0].split()
    quiet = make_project(tmp_path / "quiet", SLOW.replace("sleep(0.1)", "sleep(0)"))
    whole = pair(replay_of(quiet).problem, *tracks(quiet, "today", "better"))

    assert started
    assert int(fits) == int(blocks) - len(kept) > 0
    assert kept < {path.name for path in blocks_of(folder)}
    assert pl.read_parquet(folder / ".shipworthy" / "objects" / evidence).equals(whole)


def test_an_engine_ends_with_the_first_error_and_leaves_nothing_running():
    """The exception is the task's own, and no process of the engine stays."""
    before = set(workers_of(os.getpid()))
    with pytest.raises(ValueError, match="could not convert"):
        THERE.run(float, ["1", "two", "3"], lambda done, of: None)
    wait_for(lambda: set(workers_of(os.getpid())) <= before)


def test_an_engine_gives_results_in_the_order_of_the_tasks_and_tells_of_each():
    """Two processes give what one gives, and progress ends at all of them."""
    told = []
    assert THERE.run(abs, [-3, 2, -1], lambda done, of: told.append((done, of))) == [3, 2, 1]
    assert told[-1] == (3, 3)
    assert HERE.run(abs, [], lambda done, of: None) == []
