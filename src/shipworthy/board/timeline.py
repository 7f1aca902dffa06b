"""Everything that happened to an idea, the newest first, in a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.store import Record


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        record: The record that knows of it: when it was, and who did it.
        says: What, in a few words that follow a name.
        more: The rest of it; empty where there is none.
    """

    record: Record
    says: str
    more: str = ""


def timeline(project: Project, idea: Idea) -> Sequence[Event]:
    """Everything that the records know of an idea, the newest first."""
    found = [event for kind, tell in _TELL.items() for event in tell(_history(project, idea, kind))]
    return sorted(found, key=lambda event: (event.record.at, event.record.seq), reverse=True)


def _history(project: Project, idea: Idea, kind: str) -> Sequence[Record]:
    """The records of a kind that are about an idea; a problem's rollout is about many."""
    if kind != "rollout":
        return project.records.history(kind, idea.key)
    return [record for record in project.records.history(kind, idea.problem) if record.body["idea"] == idea.key]


def _idea(history: Sequence[Record]) -> Iterable[Event]:
    before: Record | None = None
    for record in history:
        is_locked = bool(record.body.get("lock")) and not (before and before.body.get("lock"))
        if is_locked:
            yield Event(record, "locked what counts as success")
        elif before is None:
            yield Event(record, "began it")
        elif record.body.get("text") != before.body.get("text"):
            yield Event(record, "edited it")
        before = record


def _data(history: Sequence[Record]) -> Iterable[Event]:
    for record in history:
        gaps = record.body["gaps"]
        says = "examined the data: not testable" if gaps else "examined the data: testable"
        yield Event(record, says, str(gaps[0][0]) if gaps else "")


def _research(history: Sequence[Record]) -> Iterable[Event]:
    for record in history:
        yield Event(record, f"replayed {record.body['periods']:,} periods")


def _verdict(history: Sequence[Record]) -> Iterable[Event]:
    for record in history:
        verdict = record.body["verdict"]
        yield Event(record, f"had it judged: {verdict['decision']}", verdict["reasons"][0])


def _override(history: Sequence[Record]) -> Iterable[Event]:
    for record in history:
        if record.body["seconds"] is None:
            yield Event(record, f"asked to override the verdict: {record.body['to']}", record.body["why"])
        else:
            yield Event(record, f"seconded the override: {record.body['to']}")


def _rollout(history: Sequence[Record]) -> Iterable[Event]:
    for record in history:
        phase = record.body["phase"]
        yield Event(record, _MOVES.get(phase, f"moved it to {phase}"))


def _signoff(history: Sequence[Record]) -> Iterable[Event]:
    for record in history:
        body = record.body
        does = "took back the sign-off" if body["withdrawn"] else "signed"
        yield Event(record, f"{does} as {body['role']}, for {body['gate']}")


_MOVES = {"rolled back": "rolled it back", "retired": "retired it", "paused": "paused it"}
_TELL: Mapping[str, Callable[[Sequence[Record]], Iterable[Event]]] = {
    "idea": _idea,
    "data": _data,
    "research": _research,
    "verdict": _verdict,
    "override": _override,
    "signoff": _signoff,
    "rollout": _rollout,
}
"""How the records of each kind are told."""
