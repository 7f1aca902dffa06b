"""The course of each idea: when it first came to each of its milestones, read off the feed of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shipworthy.project import Project
from shipworthy.ship.rollout import Phase
from shipworthy.store import Record, feed

MILESTONES = ("begun", "testable", "replayed", "judged", "tried", "live")
"""In the order of the walk; what lies between two of them is the work of one stage."""


@dataclass(slots=True)
class Course:
    """How one idea went.

    Attributes:
        idea: Its number.
        reached: When it first came to each milestone that it came to.
        testable: Whether the newest answer of the data says so; None before there is one.
        decision: What the newest verdict says, or a counting override of it; None before there is one.
        phase: Its newest phase; None before it was shipped.
        was_live: Whether it ever was live.
    """

    idea: int
    reached: dict[str, datetime] = field(default_factory=dict)
    testable: bool | None = None
    decision: str | None = None
    phase: Phase | None = None
    was_live: bool = False

    def days(self, first: str, last: str) -> float | None:
        """The days from one milestone to another; None where it has not come to both."""
        if first not in self.reached or last not in self.reached:
            return None
        return max(0.0, (self.reached[last] - self.reached[first]).total_seconds() / 86_400.0)


def courses(project: Project) -> Mapping[int, Course]:
    """The course of every idea that a record speaks of, by number."""
    found: dict[int, Course] = {}
    for record in feed(project.records):
        number = record.body.get("idea") if record.kind == "rollout" else record.key
        if record.kind not in _KINDS or not str(number or "").isdigit():
            continue
        course = found.setdefault(int(str(number)), Course(int(str(number))))
        course.reached.setdefault("begun", record.at)
        _note(course, record)
    return found


_KINDS = ("idea", "data", "research", "verdict", "override", "rollout")


def _note(course: Course, record: Record) -> None:
    body = record.body
    if record.kind == "data":
        course.testable = not body["gaps"]
        if course.testable:
            course.reached.setdefault("testable", record.at)
    elif record.kind == "research":
        course.reached.setdefault("replayed", record.at)
    elif record.kind == "verdict":
        course.decision = str(body["verdict"]["decision"])
        course.reached.setdefault("judged", record.at)
    elif record.kind == "override" and body["seconds"] is not None:
        course.decision = str(body["to"])
    elif record.kind == "rollout":
        course.phase = Phase(body["phase"])
        course.reached.setdefault("tried", record.at)
        if course.phase is Phase.LIVE:
            course.was_live = True
            course.reached.setdefault("live", record.at)
