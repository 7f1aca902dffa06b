"""A mixture: a period whose units are answered by both arms, each unit by the one that was drawn for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from shipworthy.problem import Problem
from shipworthy.ship.logged import MIXED
from shipworthy.statistics.assignment import Arm
from shipworthy.step import Rung
from shipworthy.step.check import broken_constraint

_ARMS: tuple[Arm, ...] = ("champion", "challenger")
_RUNGS = list(map(str, Rung))

Entry = dict[str, Any]


def who_is_needed(drawn: Arm | list[Arm], lacking: str) -> tuple[Arm, ...]:
    """The arms whose decisions an answer needs: for a mixture both, the champion first, which stands in where it must."""
    if lacking:
        return ("champion",)
    return (drawn,) if isinstance(drawn, str) else ("champion", "challenger")


def who_answered(
    problem: Problem,
    rows: pl.DataFrame,
    state: Mapping[str, Any],
    drawn: Arm | list[Arm],
    answers: Mapping[Arm, Entry],
    lacking: str = "",
) -> Entry:
    """What the log says of who answered: the `arm`, and for a mixture the `arms` of the rows.

    Where the challenger cannot decide, or the mixture breaks a constraint that each plan keeps, the champion answers for the
    whole period; what was drawn stands in `drawn` and the reason in `instead`, so that a trial counts every unit for the
    arm that it was meant for.

    Args:
        problem: Whose constraints hold.
        rows: The rows of the request, as the step gets them.
        state: The state before them.
        drawn: The arm of all rows, or of each.
        answers: What each arm decided.
        lacking: Why the challenger cannot decide on this request; empty where it can.
    """
    if isinstance(drawn, str):
        stands_in = drawn == "challenger" and lacking
        return {"arm": "champion", "drawn": [drawn] * rows.height, "instead": lacking} if stands_in else {"arm": drawn}
    why = lacking or next((f"the {arm} decided nothing" for arm in _ARMS if _is_empty(answers.get(arm))), None)
    if not why:
        mixed = pl.DataFrame(mixed_decisions(drawn, answers), infer_schema_length=None)
        why = broken_constraint(problem, rows, mixed, state)
    return {"arm": "champion", "drawn": drawn, "instead": why} if why else {"arm": MIXED, "arms": drawn}


def mixed_decisions(drawn: Sequence[Arm], answers: Mapping[Arm, Entry]) -> list[dict[str, Any]]:
    """The decision of each row by the arm that was drawn for it.

    >>> answers = {arm: {"decisions": [{"dish": "fish", "n": n}]} for arm, n in (("champion", 1), ("challenger", 2))}
    >>> mixed_decisions(["challenger"], answers)
    [{'dish': 'fish', 'n': 2}]
    """
    return [answers[arm]["decisions"][i] for i, arm in enumerate(drawn)]


def answer_in(entry: Entry) -> Entry:
    """The answer that an entry of the log gave: one arm's, or both of them put together by unit, with the lower rung."""
    answers: Mapping[Arm, Entry] = entry["answers"]
    if entry["arm"] != MIXED:
        return answers[entry["arm"]]
    worse = max(answers.values(), key=lambda answer: _RUNGS.index(answer["rung"]))
    mixed = {"release": answers["challenger"]["release"], "decisions": mixed_decisions(entry["arms"], answers)}
    return {**worse, **mixed}


def _is_empty(answer: Entry | None) -> bool:
    return answer is None or answer["rung"] == Rung.NONE
