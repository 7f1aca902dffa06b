"""One reader gives what was logged, wherever it stands by now."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipworthy.live.decision_log import SegmentLog
from shipworthy.log import read_decisions, read_outcomes, read_overrides
from shipworthy.project import Project, open_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without a problem."""
    (tmp_path / "shipworthy.toml").touch()
    return open_project(tmp_path)


def line(name: str, minute: int, **more: Any) -> bytes:
    """A line of a log."""
    return json.dumps({"id": name, "at": f"2026-01-31T00:{minute:02}:00.000000+00:00", **more}).encode()


def decision(name: str, minute: int) -> bytes:
    """A decision that the champion answered."""
    answer = {"release": "old", "rung": "policy", "status": "decided", "seconds": 0.5, "decisions": [{"fruit": "fig"}]}
    return line(
        name, minute, period="2026-01-31", arm="champion", rows=[{"fruit": "fig"}], answers={"champion": answer}
    )


def shadow(name: str, minute: int, release: str = "new") -> bytes:
    """What the challenger decided beside it."""
    return line(name, minute, problem="stock", arm="challenger", answer={"release": release, "rung": "policy"})


def test_answers_of_the_shadow_stand_beside_the_one_that_was_given(project: Project) -> None:
    """A decision has both arms' answers once the shadow has decided it, the first time it did; another one has one."""
    folder = project.log_folder / "stock"
    decisions, shadows = SegmentLog(folder), SegmentLog(folder, "shadows")
    for name, minute in (("d1", 1), ("d2", 2)):
        decisions.append(decision(name, minute))
    shadows.append(shadow("d1", 3))
    shadows.append(shadow("d1", 4, "another"))
    first, second = read_decisions(project, "stock")
    assert {arm: answer["release"] for arm, answer in first["answers"].items()} == {
        "champion": "old",
        "challenger": "new",
    }
    assert list(second["answers"]) == ["champion"]


def test_entries_come_in_order_and_from_an_instant_on(project: Project) -> None:
    """Entries of several writers come by their time, each id once, and `since` leaves out what was earlier."""
    logs = [SegmentLog(project.log_folder / "stock", "outcomes") for _ in range(2)]
    for minute in (5, 3, 1):
        for log in logs:
            log.append(line(f"o{minute}", minute, rows=[]))
    assert [entry["id"] for entry in read_outcomes(project, "stock")] == ["o1", "o3", "o5"]
    since = datetime(2026, 1, 31, 0, 3, tzinfo=UTC)
    assert [entry["id"] for entry in read_outcomes(project, "stock", since=since)] == ["o3", "o5"]


def test_a_line_that_was_torn_is_passed_over(project: Project) -> None:
    """What a killed writer left of a line, even all of it but its end, was never acknowledged."""
    folder = project.log_folder / "stock"
    folder.mkdir(parents=True)
    (folder / "overrides-1.jsonl").write_bytes(line("whole", 1) + b"\n" + line("torn", 2))
    assert [entry["id"] for entry in read_overrides(project, "stock")] == ["whole"]
    assert list(read_overrides(project, "another")) == []
