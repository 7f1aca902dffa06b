"""Compacting moves entries from segments into the archive, and loses or doubles none, whenever it is killed."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from shipworthy.live.decision_log import SegmentLog
from shipworthy.log import compaction, read_decisions, read_outcomes
from shipworthy.log.archive import find_parts
from shipworthy.log.compaction import compact
from shipworthy.project import Project, open_project
from tests.cli.typed import typed
from tests.log.lines import decision, line, shadow

KILLS = 8


def _ids(project: Project) -> list[str]:
    return [entry["id"] for entry in read_decisions(project, "stock")]


def _segments(project: Project) -> list[Path]:
    return sorted((project.log_folder / "stock").glob("*.jsonl"))


def test_what_is_compacted_reads_the_same(project: Project) -> None:
    """Decisions with their shadow's answers, and outcomes, are to the last byte what they were, and no segment is left."""
    folder = project.log_folder / "stock"
    written = {"decisions": decision, "shadows": shadow, "outcomes": lambda *about: line(*about, rows=[{"sold": 1e-7}])}
    for noun, make in written.items():
        for first in (0, 1):
            log = SegmentLog(folder, noun)
            for minute in range(first, 20, 2):
                log.append(make(f"e{minute}", minute))
            log.close()
    before = [list(read(project, "stock")) for read in (read_decisions, read_outcomes)]
    lines = {path.name: path.read_bytes().splitlines() for path in _segments(project)}
    done = compact(project, "stock", grace=0)
    assert [(part.noun, part.count) for part in done.parts] == [("decisions", 20), ("shadows", 20), ("outcomes", 20)]
    assert _segments(project) == []
    assert [list(read(project, "stock")) for read in (read_decisions, read_outcomes)] == before
    for part in done.parts:
        table = pl.read_parquet(project.root / ".shipworthy" / "objects" / part.object)
        assert sorted(table["entry"]) == sorted(text.decode() for name in part.segments for text in lines[name])
    assert compact(project, "stock", grace=0).parts == ()


def test_what_somebody_still_writes_is_left(project: Project) -> None:
    """A segment with a living writer stays where it is; the reader gives it together with the archive, in order."""
    logs = [SegmentLog(project.log_folder / "stock") for _ in range(2)]
    for minute in range(6):
        logs[minute % 2].append(decision(f"d{minute}", minute))
    logs[0].close()
    assert compact(project, "stock", grace=0).live == 1
    assert len(_segments(project)) == 1
    assert _ids(project) == [f"d{minute}" for minute in range(6)]


def test_a_damaged_segment_is_left_and_named(project: Project) -> None:
    """A torn last line goes, as nobody was told of it; damage in the midst of a segment keeps the file as it is."""
    folder = project.log_folder / "stock"
    folder.mkdir(parents=True)
    (folder / "decisions-torn.jsonl").write_bytes(decision("d1", 1) + b"\n" + decision("d2", 2)[:40])
    (folder / "decisions-bad.jsonl").write_bytes(b"\x00\x00\n" + decision("d3", 3) + b"\n")
    said = typed(project.root, "compact", "stock")
    assert said.code == 0
    assert "decisions-bad.jsonl: line 1 cannot be read" in said.err
    compact(project, "stock", grace=0)
    assert [path.name for path in _segments(project)] == ["decisions-bad.jsonl"]
    assert _ids(project) == ["d1", "d3"]


@pytest.mark.parametrize("last_done", ["put", "recorded"])
def test_killed_between_two_steps_it_goes_on(project: Project, monkeypatch: pytest.MonkeyPatch, last_done: str) -> None:
    """With the file put but no record, or a record but the segment still there, each entry is read once, then and later."""
    log = SegmentLog(project.log_folder / "stock")
    for minute in range(3):
        log.append(decision(f"d{minute}", minute))
    log.close()

    def killed(*about: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(*{"put": (compaction, "Change"), "recorded": (Path, "unlink")}[last_done], killed)
        with pytest.raises(KeyboardInterrupt):
            compact(project, "stock", grace=0)
    assert len(_segments(project)) == 1
    assert _ids(project) == ["d0", "d1", "d2"]
    compact(project, "stock", grace=0)
    assert _segments(project) == []
    assert [part.count for part in find_parts(project.records, "stock")] == [3]
    assert _ids(project) == ["d0", "d1", "d2"]


def _compact_for_ever(root: Path, began: Event) -> None:
    project = open_project(root)
    began.set()
    while True:
        compact(project, "stock", grace=0)


def test_killed_at_any_moment_it_loses_and_doubles_nothing(project: Project) -> None:
    """While four segments a round are written and compactors are killed, every entry stays readable, exactly once."""
    spawn = multiprocessing.get_context("spawn")
    moments = random.Random(7)
    written: list[str] = []
    for kill in range(KILLS):
        began = spawn.Event()
        compactor = spawn.Process(target=_compact_for_ever, args=(project.root, began))
        compactor.start()
        assert began.wait(60)
        until = time.monotonic() + moments.uniform(0.0, 0.15)
        number = 0
        while number < 4 or time.monotonic() < until:
            log = SegmentLog(project.log_folder / "stock")
            for _ in range(3):
                written.append(f"d{len(written)}")
                log.append(decision(written[-1], kill))
            log.close()
            number += 1
        compactor.kill()
        compactor.join()
        assert sorted(_ids(project)) == sorted(written)
    compact(project, "stock", grace=0)
    parts = find_parts(project.records, "stock")
    assert sum(part.count for part in parts) == len(written)
    assert _segments(project) == []
    assert sorted(_ids(project)) == sorted(written)


@pytest.mark.parametrize("ask", [duckdb.sql, pl.sql])
def test_the_archive_can_be_asked_in_sql(project: Project, ask: Callable[[str], Any]) -> None:
    """DuckDB and Polars find releases, rungs and seconds as columns, without opening the JSON of an entry."""
    log = SegmentLog(project.log_folder / "stock")
    log.append(decision("d1", 1))
    log.close()
    [part] = compact(project, "stock", grace=0).parts
    path = project.root / ".shipworthy" / "objects" / part.object
    found = ask(f"SELECT release, rung, period, seconds, rows FROM read_parquet('{path}') WHERE arm = 'champion'")
    rows = found.fetchall() if hasattr(found, "fetchall") else found.collect().rows()
    assert rows == [("old", "policy", "2026-01-31", 0.5, 1)]
    assert json.loads(pl.read_parquet(path)["entry"][0])["id"] == "d1"


def test_the_query_of_the_page_reaches_what_was_decided(project: Project) -> None:
    """The SQL of docs/decision-log.md gives each decision of the champion as a row."""
    answer = {
        "release": "r",
        "rung": "policy",
        "decisions": [{"bread": "rye", "loaves": 3}, {"bread": "spelt", "loaves": 4}],
    }
    log = SegmentLog(project.log_folder / "bakery")
    log.append(line("d1", 1, period="2026-01-31", arm="champion", rows=[], answers={"champion": answer}))
    log.close()
    compact(project, "bakery")
    page = (Path(__file__).parents[2] / "docs" / "decision-log.md").read_text(encoding="utf-8")
    query = page.partition("```sql\n")[2].partition("```")[0]
    with contextlib.chdir(project.root):
        rows = duckdb.sql(query).fetchall()
    assert rows == [("2026-01-31", "r", "rye", 3.0), ("2026-01-31", "r", "spelt", 4.0)]
