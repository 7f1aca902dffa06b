"""The checks of decisions that trust neither the policy nor its solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import polars as pl

from shipworthy.errors import UserCodeError
from shipworthy.problem import Constraint, Problem


class RefusedError(UserCodeError):
    """A rung of the ladder did not decide, and why."""

    def __init__(self, who: str, why: str) -> None:
        """Says which policy was refused and for what reason."""
        super().__init__(f"{who}: {why}")


def settle(problem: Problem, rows: pl.DataFrame, returned: Any, who: str) -> pl.DataFrame:
    """Brings what a policy returned into one shape: every unit once, in the order asked, no holes.

    Raises:
        RefusedError: it cannot be read, a unit is missing, extra or twice, or a decision is null, NaN or infinite.
    """
    try:
        read = _read(problem, rows, returned, who)
    except RefusedError:
        raise
    except Exception as error:  # whatever a foreign object raises while it is read
        raise RefusedError(
            who, f"returned a {type(returned).__name__} that cannot be read: {type(error).__name__}: {error}"
        ) from error
    given, columns = read
    if given is not None:
        got, asked = given.to_list(), rows[problem.unit].to_list()
        if got != asked:
            places = _order(got, asked, who)
            columns = [column.gather(places) for column in columns]
    for column in columns:
        if column.dtype == pl.Object:
            raise RefusedError(
                who, f"{column.name!r} holds Python objects; give numbers, texts, dates or lists of them"
            )
        bad = _holes(column)
        if bad:
            raise RefusedError(who, f"{bad} of {len(column)} values of {column.name!r} are null, NaN or infinite")
    return pl.DataFrame([rows[problem.unit], *columns])  # the unit in the type it was asked in


def _holes(column: pl.Series) -> int:
    nulls = column.null_count()
    if not column.dtype.is_float():
        return nulls
    return nulls + int((~np.isfinite((column.drop_nulls() if nulls else column).to_numpy())).sum())


def broken_constraint(
    problem: Problem, rows: pl.DataFrame, decisions: pl.DataFrame, state: Mapping[str, Any]
) -> str | None:
    """The first constraint that does not hold, in words; None where all hold."""
    if not problem.constraints:
        return None
    decided = _side_by_side(problem, rows, decisions)
    return None if _all_hold(problem, decided, state) else _first_broken(problem, decided, state)


def parts_hold(problem: Problem, parts: Sequence[tuple[pl.DataFrame, pl.DataFrame]], state: Mapping[str, Any]) -> bool:
    """Whether all constraints hold of each part, rows and decisions, as if there were no other.

    Where a constraint says the same of every part, and is evaluated row by row, the parts are looked at together.
    """
    if not problem.constraints:
        return True
    decided = [_side_by_side(problem, rows, decisions) for rows, decisions in parts]
    rules: list[pl.Expr] = []
    try:
        for constraint in problem.constraints:
            first, *others = [_held(constraint, part, state) for part in decided]
            if not (isinstance(first, pl.Expr) and first.meta.is_row_separable() and all(map(first.meta.eq, others))):
                return all(broken_constraint(problem, *part, state) is None for part in parts)
            rules.append(first.alias(str(len(rules))))
        return all(map(_is_true, pl.concat(decided).select(rules).iter_columns()))
    except Exception:  # noqa: BLE001  (the user's own rules: each part is looked at by itself then, and says which it was)
        return False


def _side_by_side(problem: Problem, rows: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    clash = [name for name in problem.decisions if name in rows.columns]
    return (rows.drop(clash) if clash else rows).hstack([decisions[name] for name in problem.decisions])


def _all_hold(problem: Problem, decided: pl.DataFrame, state: Mapping[str, Any]) -> bool:
    """The quick look: one select for all constraints; where it fails, they are looked at one by one."""
    try:
        held = [_held(constraint, decided, state) for constraint in problem.constraints]
        truths = decided.select(
            [(pl.lit(one) if isinstance(one, bool) else one).alias(str(place)) for place, one in enumerate(held)]
        )
    except Exception:  # noqa: BLE001  (the user's own rules: which one it was is said by the look at each)
        return False
    return truths.width == len(held) and all(map(_is_true, truths.iter_columns()))


def _held(constraint: Constraint, decided: pl.DataFrame, state: Mapping[str, Any]) -> Any:
    return constraint.holds(decided, *([deepcopy(state)] if constraint.needs_state else []))


def _is_true(column: pl.Series) -> bool:
    """Whether it holds throughout; null is no truth."""
    return column.dtype == pl.Boolean and column.null_count() == 0 and column.all()


def _first_broken(problem: Problem, decided: pl.DataFrame, state: Mapping[str, Any]) -> str | None:
    for constraint in problem.constraints:
        try:
            held = _held(constraint, decided, state)
            truth = decided.select(held) if isinstance(held, pl.Expr) else pl.Series([held]).explode().to_frame()
            broken = _broken(truth)
        except Exception as error:  # noqa: BLE001  (the user's own rule: one that cannot be evaluated has not been kept)
            return f"constraint {constraint.name!r} raised {type(error).__name__}: {error}"
        if broken:
            return f"violates constraint {constraint.name!r}" + (f" for {broken} units" if truth.height > 1 else "")
    return None


def _broken(truth: pl.DataFrame) -> int:
    """How many rows do not hold throughout; null is no truth."""
    if all(map(_is_true, truth)):
        return 0
    kept = pl.all().cast(pl.Boolean).fill_null(value=False)
    return int(truth.select((~pl.all_horizontal(kept)).sum()).item())


def _read(problem: Problem, rows: pl.DataFrame, returned: Any, who: str) -> tuple[pl.Series | None, list[pl.Series]]:
    """The units, or None where they are those asked for in their order, and the decision columns."""
    wanted = problem.decisions
    if isinstance(returned, pl.DataFrame):
        absent = [name for name in (problem.unit, *wanted) if name not in returned.columns]
        if absent:
            raise RefusedError(who, f"returned columns {returned.columns} without {', '.join(absent)}")
        return returned[problem.unit], [returned[name] for name in wanted]
    if returned is None:
        raise RefusedError(who, "returned nothing")
    values = np.asarray(returned)
    if len(wanted) != 1 or values.ndim != 1:
        raise RefusedError(
            who, f"returned {type(returned).__name__} of shape {values.shape}; give a frame with {list(wanted)}"
        )
    if len(values) != rows.height:
        raise RefusedError(who, f"returned {len(values)} decisions for {rows.height} units")
    return None, [pl.Series(wanted[0], values)]


def _order(given: list[Any], asked: list[Any], who: str) -> list[int]:
    """Where each unit that was asked for is among those given."""
    counted, wanted = Counter(given), Counter(asked)
    for what, units in (
        ("missing", list(wanted - counted)),
        ("never asked for", [unit for unit in counted if unit not in wanted]),
        ("decided twice", [unit for unit, count in counted.items() if count > 1]),
    ):
        if units:
            raise RefusedError(who, f"{len(units)} units {what}: {', '.join(map(str, units[:5]))}")
    place = {unit: i for i, unit in enumerate(given)}
    return [place[unit] for unit in asked]
