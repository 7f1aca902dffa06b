"""One reader gives what was logged, wherever it stands by now."""

from __future__ import annotations

from datetime import UTC, datetime

from shipworthy.live.decision_log import SegmentLog
from shipworthy.log import read_decisions, read_outcomes, read_overrides
from shipworthy.project import Project
from tests.log.lines import decision, line, shadow


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


def test_of_one_instant_what_began_later_comes_last(project: Project) -> None:
    """A correction with the time of what it corrects, as after a clock went back, stands after it."""
    earlier, later = (SegmentLog(project.log_folder / "stock", "outcomes") for _ in range(2))
    for name, minute in (("o1", 1), ("o5", 5)):
        earlier.append(line(name, minute, rows=[]))
    later.append(line("correction", 5, rows=[]))
    assert [entry["id"] for entry in read_outcomes(project, "stock")] == ["o1", "o5", "correction"]


def test_a_line_that_was_torn_is_passed_over(project: Project) -> None:
    """What a killed writer left of a line, even all of it but its end, was never acknowledged."""
    folder = project.log_folder / "stock"
    folder.mkdir(parents=True)
    (folder / "overrides-1.jsonl").write_bytes(line("whole", 1) + b"\n" + line("torn", 2))
    assert [entry["id"] for entry in read_overrides(project, "stock")] == ["whole"]
    assert list(read_overrides(project, "another")) == []
