"""What was decided, as it was answered and as it was then really done: a person may have done otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipworthy.log.archive import Entry
from shipworthy.log.reading import read_decisions, read_overrides
from shipworthy.problem import Problem
from shipworthy.project import Project

Key = tuple[Any, Any]
"""A period and a unit, as JSON values."""


def answered(entry: Entry, unit: str) -> dict[Any, tuple[str, Mapping[str, Any]]]:
    """By unit the arm that answered for it, and what that arm decided.

    >>> answers = {"champion": {"decisions": [{"dish": "soup", "portions": 3}]}}
    >>> answered({"arm": "champion", "rows": [{"dish": "soup"}], "answers": answers}, "dish")
    {'soup': ('champion', {'dish': 'soup', 'portions': 3})}
    """
    arms = entry.get("arms") or [entry["arm"]] * len(entry["rows"])
    decided = {arm: {row[unit]: row for row in answer["decisions"]} for arm, answer in entry["answers"].items()}
    return {row[unit]: (arm, decided[arm][row[unit]]) for row, arm in zip(entry["rows"], arms, strict=True)}


def last_overrides(project: Project, problem: Problem) -> dict[Key, Mapping[str, Any]]:
    """What was done instead by period and unit, the last word on each; `by` says who, `why` the reason."""
    period, unit = problem.key
    rows = (row for entry in read_overrides(project, problem.name) for row in entry["rows"])
    return {(row[period], row[unit]): row for row in rows}


def decisions_taken(project: Project, problem: Problem) -> Iterator[Entry]:
    """The logged decisions as live evidence counts them.

    Where outcomes do not depend on what is decided, a policy is judged by what it decided. Otherwise the outcome is that of what
    was done, so there a unit that a person decided otherwise counts as that person did.
    """
    done = {} if problem.counterfactual else last_overrides(project, problem)
    for entry in read_decisions(project, problem.name):
        yield _as_done(entry, problem, done) if done else entry


def _as_done(entry: Entry, problem: Problem, done: Mapping[Key, Mapping[str, Any]]) -> Entry:
    by_unit = answered(entry, problem.unit)
    answers = {
        arm: {
            **answer,
            "decisions": [
                {**row, **_decided(problem, done.get((entry["period"], row[problem.unit])))}
                if by_unit[row[problem.unit]][0] == arm
                else row
                for row in answer["decisions"]
            ],
        }
        for arm, answer in entry["answers"].items()
    }
    return {**entry, "answers": answers}


def _decided(problem: Problem, override: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {name: override[name] for name in problem.decisions} if override else {}
