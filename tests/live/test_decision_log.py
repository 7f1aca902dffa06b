"""The decision log keeps what it acknowledged, and readers find it, whatever happens to writers and disks."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from shipworthy.errors import UnavailableError
from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.outcomes import LivePast, archive_of
from shipworthy.live.tail import Tail
from shipworthy.log import read_decisions
from shipworthy.log.compaction import compact
from shipworthy.project import open_project
from shipworthy.store import read_log
from tests.full_disk import files_end_at


def _line(name: str, at: int = 0, **more: object) -> bytes:
    return json.dumps({"id": name, "at": f"2026-01-31T00:00:00.{at:06}+00:00", **more}).encode()


def _ids(folder: Path) -> list[str]:
    return [entry["id"] for entry in read_log(folder, "decisions")]


def test_threads_share_segments_without_mixing_lines(tmp_path: Path) -> None:
    """Lines of many threads are each there once and whole, over as many segments as their size asks for."""
    log = SegmentLog(tmp_path, segment_bytes=2000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.append(_line(f"d{n}", n)), range(200)))
    assert _ids(tmp_path) == [f"d{n}" for n in range(200)]
    assert len(list(tmp_path.glob("decisions-*.jsonl"))) > 3


def test_a_full_disk_acknowledges_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    """A line that does not fit is refused and leaves no part of itself; once there is room, the next one is kept."""
    log = SegmentLog(tmp_path)
    log.append(_line("before"))
    with files_end_at(200), pytest.raises(UnavailableError, match="Nothing was acknowledged"):
        log.append(_line("lost", padding="x" * 1000))
    log.append(_line("after", 1))
    assert _ids(tmp_path) == ["before", "after"]
    assert b"lost" not in b"".join(path.read_bytes() for path in tmp_path.glob("decisions-*"))


@contextmanager
def _few_more_files(count: int) -> Iterator[None]:
    """Lets this process open so many files more, and no others."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_full_disk_leaves_no_segment_for_each_line_that_it_refused(tmp_path: Path) -> None:
    """However often it is tried while there is no room, nothing lies there afterwards but what was acknowledged."""
    log = SegmentLog(tmp_path)
    with files_end_at(200):
        for _ in range(20):
            with pytest.raises(UnavailableError, match="Nothing was acknowledged"):
                log.append(_line("lost", padding="x" * 1000))
    assert list(tmp_path.iterdir()) == []
    log.append(_line("after"))
    assert _ids(tmp_path) == ["after"]


def test_more_segments_than_files_that_may_be_open_are_read(tmp_path: Path) -> None:
    """Finished segments are read one after the other: by the tail, by what the service remembers, and by who reads the log."""
    (tmp_path / "shipworthy.toml").touch()
    project = open_project(tmp_path)
    folder = project.log_folder / "stock"
    for n in range(250):
        for noun in ("decisions", "outcomes"):
            log = SegmentLog(folder, noun)
            (_decided if noun == "decisions" else _sold)(log, n)
            log.close()
    list(read_decisions(project, "stock"))  # opens the stores
    past = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))
    tail = Tail(folder, "decisions")
    with _few_more_files(100):
        assert len(list(tail.read())) == 250
        assert len(list(read_decisions(project, "stock"))) == 250
        past.refresh()
        assert len(past.settled()[1]) == 250
    project.records.close()


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    """A file in the way of the folder is an error per line, until it is gone."""
    (tmp_path / "log").write_text("in the way")
    log = SegmentLog(tmp_path / "log")
    with pytest.raises(UnavailableError, match="log"):
        log.append(_line("lost"))
    (tmp_path / "log").unlink()
    log.append(_line("kept"))
    assert _ids(tmp_path / "log") == ["kept"]


def test_the_tail_gives_each_line_once(tmp_path: Path) -> None:
    """Looked at again and again while two writers write, a tail gives every line once, and its place leads back to it."""
    logs = SegmentLog(tmp_path, segment_bytes=300), SegmentLog(tmp_path)
    tail, seen = Tail(tmp_path, "decisions"), []
    for n in range(50):
        logs[n % 2].append(_line(f"d{n}"))
        seen += list(tail.read())
    assert [json.loads(line)["id"] for _, line in seen] == [f"d{n}" for n in range(50)]
    assert all(tail.at(place) == line for place, line in seen)


def test_the_tail_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    """Half a line is not given before its other half has come, however long it is."""
    path = tmp_path / "decisions-1.jsonl"
    line = _line("long", padding="x" * 3_000_000)
    tail = Tail(tmp_path, "decisions")
    with path.open("ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as its writer would
        file.write(_line("first") + b"\n" + line[:2_000_000])
        assert [place.offset for place, _ in tail.read()] == [0]
        file.write(line[2_000_000:] + b"\n" + _line("torn")[:10])
        assert [given for _, given in tail.read()] == [line]
    assert list(tail.read()) == []


def _write_until_killed(folder: Path, ready: Event) -> None:
    log = SegmentLog(folder)
    log.append(_line("from a process that dies"))
    ready.set()
    signal.pause()


def test_a_segment_is_locked_as_long_as_its_writer_lives(tmp_path: Path) -> None:
    """The kernel frees a segment when its writer is killed, and a tail then lets go of the file."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    writer = spawn.Process(target=_write_until_killed, args=(tmp_path, ready))
    writer.start()
    assert ready.wait(30)
    tail = Tail(tmp_path, "decisions")
    assert len(list(tail.read())) == 1
    assert not any(reader.is_over for reader in tail._open.values())
    writer.kill()
    writer.join()
    later = Tail(tmp_path, "decisions")
    assert len(list(later.read())) == 1
    assert later._open == {}


def test_the_past_joins_decisions_with_their_last_outcome(tmp_path: Path) -> None:
    """A row is settled once both its decision and its outcome are known; of several the last ones count."""
    decisions, outcomes = SegmentLog(tmp_path), SegmentLog(tmp_path, "outcomes")
    past = LivePast(tmp_path, key=("day", "fruit"))
    answer = {"release": "r", "rung": "policy", "decisions": [{"fruit": "fig", "laid_in": 1.0}]}
    for n, price in enumerate((2.0, 3.0)):
        rows = [{"fruit": "fig", "price": price}]
        decisions.append(_line(f"d{n}", n, period="2026-01-31", rows=rows, answers={"champion": answer}))
    for n, sold in ((3, 5), (2, 4)):
        posted = [{"day": "2026-01-31", "fruit": "fig", "sold": sold}, {"day": "2026-02-01", "fruit": "fig", "sold": 9}]
        outcomes.append(_line(f"o{n}", n, rows=posted))
    past.refresh()
    version, settled, posted = past.settled()
    assert version > 0
    assert settled == [{"day": "2026-01-31", "fruit": "fig", "price": 3.0, "sold": 5}]
    assert len(posted) == 2
    assert past.last_plan("r", "2026-02-01") == ("2026-01-31", [{"fruit": "fig", "laid_in": 1.0}])
    assert past.last_plan("r", "2026-01-31") is None
    assert past.last_plan("another", "2026-02-01") is None


def _decided(log: SegmentLog, day: int) -> None:
    answer = {"release": "r", "rung": "policy", "decisions": [{"fruit": "fig", "laid_in": float(day)}]}
    rows = [{"fruit": "fig", "price": float(day)}]
    log.append(_line(f"d{day}", day, period=f"2026-01-{day:02}", rows=rows, answers={"champion": answer}))


def _sold(log: SegmentLog, day: int) -> None:
    log.append(_line(f"o{day}", day, rows=[{"day": f"2026-01-{day:02}", "fruit": "fig", "sold": day}]))


def _settled_days(past: LivePast) -> list[str]:
    past.refresh()
    return [row["day"][-2:] for row in sorted(past.settled()[1], key=lambda row: row["day"])]


def test_the_past_goes_on_while_its_segments_are_compacted(tmp_path: Path) -> None:
    """Compacted before it was read, in the midst of being read, or afterwards, every decision is found and settled once."""
    (tmp_path / "shipworthy.toml").touch()
    project = open_project(tmp_path)
    folder = project.log_folder / "stock"
    running = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))
    for first in (1, 11):
        decisions, outcomes = SegmentLog(folder), SegmentLog(folder, "outcomes")
        for day in range(first, first + 5):
            _decided(decisions, day)
            _sold(outcomes, day)
        decisions.close()  # and nobody looks before it is compacted
        compact(project, "stock", grace=0)
        for day in range(first + 5, first + 10):
            _decided(decisions, day)
        running.refresh()
        decisions.close()  # it was read, and the outcomes come after it is compacted
        compact(project, "stock", grace=0)
        for day in range(first + 5, first + 10):
            _sold(outcomes, day)
        outcomes.close()
        assert _settled_days(running) == [f"{day:02}" for day in range(1, first + 10)]
    compact(project, "stock", grace=0)
    assert list(folder.iterdir()) == []
    assert running.entry("d3")["period"] == "2026-01-03"
    begun = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))
    assert _settled_days(begun) == [f"{day:02}" for day in range(1, 21)]
    assert begun.last_plan("r", "2026-01-31") == running.last_plan("r", "2026-01-31")
    assert begun.entry("d17") == running.entry("d17")


def test_the_past_keeps_what_is_looked_back_on(tmp_path: Path) -> None:
    """What no newer period looks back on is let go, ids and plans aside; for an old period it is read again."""
    (tmp_path / "shipworthy.toml").touch()
    project = open_project(tmp_path)
    folder = project.log_folder / "stock"
    past = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))
    decisions, outcomes = SegmentLog(folder), SegmentLog(folder, "outcomes")
    for day in range(4, 28):
        past.cover(f"2026-01-{day:02}", f"2026-01-{day - 3:02}")
        _decided(decisions, day)
        _sold(outcomes, day)
    decisions.close()
    compact(project, "stock", grace=0)
    assert _settled_days(past) == [
        f"{day:02}" for day in range(9, 28)
    ]  # sixteen periods, and three days before the first
    assert past.entry("d4")["period"] == "2026-01-04"
    begun = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))
    begun.cover("2026-01-28", "2026-01-25")
    assert _settled_days(begun) == ["25", "26", "27"]
    assert begun.entry("d4")["period"] == "2026-01-04"
    begun.cover("2026-01-10", "2026-01-07")
    assert _settled_days(begun) == [f"{day:02}" for day in range(7, 28)]


def test_the_past_goes_on_without_the_record_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the archive cannot be asked, what is in segments is read on, and what was compacted follows later."""
    (tmp_path / "shipworthy.toml").touch()
    project = open_project(tmp_path)
    folder = project.log_folder / "stock"
    past = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))
    outcomes = SegmentLog(folder, "outcomes")
    for day in range(1, 4):
        _sold(outcomes, day)
    decisions = SegmentLog(folder)
    _decided(decisions, 1)
    assert _settled_days(past) == ["01"]
    unseen = SegmentLog(folder)
    _decided(unseen, 2)
    unseen.close()
    compact(project, "stock", grace=0)

    def silent(*about: object) -> None:
        raise UnavailableError("gone")

    with monkeypatch.context() as gone:
        gone.setattr("shipworthy.log.archive.find_parts", silent)
        _decided(decisions, 3)
        assert _settled_days(past) == ["01", "03"]
    assert _settled_days(past) == ["01", "02", "03"]


def test_a_past_that_cannot_be_read_keeps_no_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the archive does not answer, it is tried again and again, and each time the segments are let go of."""
    (tmp_path / "shipworthy.toml").touch()
    project = open_project(tmp_path)
    folder = project.log_folder / "stock"
    outcomes = SegmentLog(folder, "outcomes")
    _sold(outcomes, 1)  # its writer lives, so it would stay open
    past = LivePast(folder, key=("day", "fruit"), archive=archive_of(project, "stock", folder))

    def silent(*about: object) -> None:
        raise UnavailableError("gone")

    with monkeypatch.context() as gone:
        gone.setattr("shipworthy.log.archive.find_parts", silent)
        for _ in range(5):
            with pytest.raises(UnavailableError, match="gone"):
                past.refresh()
        opened = [path.resolve() for path in Path("/proc/self/fd").iterdir()]
    assert len([path for path in opened if path.parent == folder.resolve()]) == 1  # the writer's own
    assert _settled_days(past) == []
    project.records.close()
