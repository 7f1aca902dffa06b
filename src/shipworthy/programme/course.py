"""The course of each idea: when it first came to each of its milestones, read off the feed of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shipworthy.ship.rollout import Phase
from shipworthy.store import Record

MILESTONES = ("begun", "testable", "replayed", "judged", "tried", "live")
"""In the order of the walk; what lies between two of them is the work of one stage."""


@dataclass(frozen=True, slots=True)
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
    reached: Mapping[str, datetime] = field(default_factory=dict)
    testable: bool | None = None
    decision: str | None = None
    phase: Phase | None = None
    was_live: bool = False

    def days(self, first: str, last: str) -> float | None:
        """The days from one milestone to another; None where it has not come to both."""
        if first not in self.reached or last not in self.reached:
            return None
        return max(0.0, (self.reached[last] - self.reached[first]).total_seconds() / 86_400.0)

    def come_to(self, milestone: str, record: Record) -> dict[str, datetime]:
        """When it first came to each milestone, once a record has it come to one."""
        return {milestone: record.at, **self.reached}


def went_on(courses: Mapping[int, Course], record: Record) -> Course | None:
    """The course of the idea that a record speaks of, with it; None where it speaks of none.

    Args:
        courses: The course of each idea before it, by number.
        record: The next record of the feed.
    """
    number = str((record.body.get("idea") if record.kind == "rollout" else record.key) or "")
    if record.kind not in _KINDS or not number.isdigit():
        return None
    before = courses.get(int(number)) or Course(int(number), {"begun": record.at})
    return _noted(before, record)


_KINDS = ("idea", "data", "research", "verdict", "override", "rollout")


def _noted(course: Course, record: Record) -> Course:
    body = record.body
    if record.kind == "data":
        testable = not body["gaps"]
        return replace(course, testable=testable, reached=course.come_to("testable" if testable else "begun", record))
    if record.kind == "research":
        return replace(course, reached=course.come_to("replayed", record))
    if record.kind == "verdict":
        decision = str(body["verdict"]["decision"])
        return replace(course, decision=decision, reached=course.come_to("judged", record))
    if record.kind == "override" and body["seconds"] is not None:
        return replace(course, decision=str(body["to"]))
    if record.kind == "rollout":
        phase, is_live = Phase(body["phase"]), body["phase"] == Phase.LIVE
        reached = course.come_to("tried", record) | (course.come_to("live", record) if is_live else {})
        return replace(course, phase=phase, was_live=course.was_live or is_live, reached=reached)
    return course
