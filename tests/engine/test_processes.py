"""Processes: results in order, errors as they are, and a killed replay that goes on where it was."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from shipworthy.data.examine import examine_data
from shipworthy.engine import ProcessEngine, processes
from shipworthy.engine.conformance import EngineConformance
from shipworthy.engine.memory import available_memory
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


@pytest.fixture(scope="module")
def engine():
    """Two processes, which live from one test to the next."""
    with ProcessEngine(workers=2) as engine:
        yield engine


class TestProcesses(EngineConformance):
    """Processes pass the suite."""


def test_workers_stay_for_the_runs_of_one_with_and_no_longer():
    """Champion and challenger share their workers; when both are done, none is left."""
    before = set(workers_of(os.getpid()))
    with ProcessEngine(workers=2) as engine:
        seen = [{*engine.run(_who, range(4), lambda done, of: None)} for _ in range(2)]
    assert len(seen[0] | seen[1]) <= 2
    wait_for(lambda: set(workers_of(os.getpid())) <= before)


def test_one_task_runs_here_or_apart():
    """Apart from this process where that has threads that a worker has not."""
    [here] = ProcessEngine(workers=1).run(_who, [1], lambda done, of: None)
    [apart] = ProcessEngine(workers=1, apart=True).run(_who, [1], lambda done, of: None)
    assert here == os.getpid() != apart


def test_sums_are_the_same_however_many_threads_this_process_has(tmp_path):
    """Polars adds up in another order with several threads; a project's engine decides with one, so no bit differs."""
    source = SHOP.replace(
        'mean = same.group_by("item").agg(stock=1 * pl.col("sold").mean())',
        'mean = BIG.group_by("item").agg(stock=pl.col("sold").mean())',
    )
    source += (
        "\nimport numpy as np\nBIG = pl.DataFrame({'sold': np.random.default_rng(1).random(900_000)}).with_columns("
        "item=pl.Series(['ham', 'jam', 'tea'] * 300_000))\n"
    )
    make_project(tmp_path / "shop", source)
    seen = set()
    for threads in ("1", "4", "4"):
        shutil.rmtree(tmp_path / "shop" / ".shipworthy", ignore_errors=True)
        command = [sys.executable, "-c", ALONE, str(tmp_path / "shop")]
        environment = {**os.environ, "POLARS_MAX_THREADS": threads}
        seen.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(seen) == 1


ALONE = """
import sys
from pathlib import Path
from shipworthy.engine import engine_of
from shipworthy.project import open_project
from tests.problems import replay_of, tracks
if __name__ == "__main__":
    replayed = replay_of(open_project(Path(sys.argv[1])))
    [track] = tracks(replayed.project, "better", engine=engine_of(replayed.project, replayed.history.rows))
    print(track.table["stock"].to_list())
"""


def _who(task):
    time.sleep(0.02)
    return os.getpid()


def test_as_many_workers_as_memory_has_room_for(monkeypatch, caplog):
    """Where each may need half of what is available, two start instead of eight, and it is said once."""
    monkeypatch.setattr(processes, "available_memory", lambda: 2_100_000_000)
    with ProcessEngine(workers=8, memory_each=1_000_000_000) as engine:
        for _ in range(2):
            seen = {*engine.run(_who, range(8), lambda done, of: None)}
            assert len(seen - {os.getpid()}) == len(seen) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "2 of 8 workers: 2.1 GB of memory are available, and each may need 1.0 GB."
    ]


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({}, None),
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   3000 kB\n"}, 3_072_000),
        (
            {
                "proc/meminfo": "MemAvailable: 3000 kB\n",
                "proc/self/cgroup": "0::/pod/box\n",
                "sys/fs/cgroup/pod/memory.max": "1000000\n",
                "sys/fs/cgroup/pod/memory.current": "400000\n",
                "sys/fs/cgroup/pod/memory.stat": "anon 1\ninactive_file 100000\n",
                "sys/fs/cgroup/pod/box/memory.max": "max\n",
                "sys/fs/cgroup/pod/box/memory.current": "400000\n",
            },
            700_000,
        ),
        (
            {
                "proc/self/cgroup": "5:cpu:/\n4:memory:/box\n",
                "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "500000\n",
                "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "600000\n",
            },
            0,
        ),
    ],
    ids=["nothing is told", "a machine", "a container, version 2", "a full container, version 1"],
)
def test_the_memory_that_is_available(tmp_path, files, available):
    """The machine's, or the least that a control group leaves, whichever is less."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert available_memory(tmp_path) == available


def test_a_script_without_a_guard_is_told_what_it_misses(tmp_path):
    """Each worker imports the script that started it; one that runs on import would start workers without end."""
    script = tmp_path / "script.py"
    script.write_text(
        "from shipworthy.engine import ProcessEngine\n"
        "ProcessEngine(workers=2).run(abs, [1, 2], lambda done, of: None)\n",
        encoding="utf-8",
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "UnavailableError: A worker process could not start" in ended.stderr
    assert "under `if __name__ == '__main__':`" in ended.stderr


def test_an_engine_gives_results_in_the_order_of_the_tasks_and_tells_of_each():
    """Two processes give what one gives, and progress ends at all of them."""
    told = []
    assert THERE.run(abs, [-3, 2, -1], lambda done, of: told.append((done, of))) == [3, 2, 1]
    assert told[-1] == (3, 3)
    assert HERE.run(abs, [], lambda done, of: None) == []
