"""The rows of a live trial: the columns that it needs, and those of its rows that can be used."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from shipworthy.analysis.trials.trial_verdict import Bounds
from shipworthy.errors import InvalidInputError
from shipworthy.statistics.series import FloatArray

FEWEST_USABLE = 0.8
_ARMS = ("champion", "challenger")


def read_rows(
    frame: pl.DataFrame, needed: Sequence[str], *, numbers: Sequence[str], what: str = "trial"
) -> pl.DataFrame:
    """Returns the rows with their number columns as floats, null where they are no finite number.

    Args:
        frame: The rows.
        needed: Columns that must be there, without nulls unless they are numbers.
        numbers: Columns of amounts.
        what: What the frame is, for the message.

    Raises:
        InvalidInputError: It is no frame, or a column is missing, empty in places, or no number.
    """
    if not isinstance(frame, pl.DataFrame):
        raise InvalidInputError(f"The {what} is a {type(frame).__name__}. Give a Polars DataFrame.")
    lacking = [name for name in needed if name not in frame.columns]
    if lacking:
        raise InvalidInputError(
            f"The {what} has no column {', '.join(map(repr, lacking))}. It needs {', '.join(needed)}; there is: "
            f"{', '.join(frame.columns) or 'none'}."
        )
    for name in needed:
        if name not in numbers and frame[name].null_count():
            raise InvalidInputError(
                f"Column {name!r} of the {what} is empty in {frame[name].null_count():,} rows. Fill it."
            )
    for name in numbers:
        if not frame.schema[name].is_numeric() and frame.schema[name] != pl.Null:
            raise InvalidInputError(f"Column {name!r} of the {what} holds {frame.schema[name]}. Give numbers.")
    amounts = [pl.col(name).cast(pl.Float64) for name in numbers]
    return frame.with_columns(pl.when(one.is_finite()).then(one).alias(one.meta.output_name()) for one in amounts)


def refuse_unknown_arms(frame: pl.DataFrame) -> None:
    """Refuses arms other than the champion's and the challenger's.

    Raises:
        InvalidInputError: There is another arm.
    """
    other = [str(arm) for arm in frame["arm"].unique().sort().to_list() if str(arm) not in _ARMS]
    if other:
        raise InvalidInputError(f"Arm {other[0]!r} is not known. Write 'champion' or 'challenger'.")


def refuse_bounds(bounds: Bounds) -> None:
    """Refuses numbers that nothing can be decided by.

    Raises:
        InvalidInputError: A number is out of its range.
    """
    if not math.isfinite(bounds.min_effect):
        raise InvalidInputError(f"min_effect is {bounds.min_effect!r}. Give a number.")
    if bounds.margin is not None and not 0.0 <= bounds.margin < math.inf:
        raise InvalidInputError(f"margin is {bounds.margin!r}. Give a number of at least 0.")
    if not 0.0 < bounds.alpha < 1.0:
        raise InvalidInputError(f"alpha is {bounds.alpha!r}. Give a number between 0 and 1, such as 0.05.")


def twice(frame: pl.DataFrame, keys: Sequence[str]) -> str | None:
    """Says so where a key has two rows."""
    again = frame.group_by(keys).len().filter(pl.col("len") > 1).sort(keys)
    if again.is_empty():
        return None
    first = ", ".join(f"{name} {again[name][0]}" for name in keys)
    return f"{again.height:,} of {' and '.join(keys)} have several rows, the first {first}. Keep one of each."


def too_few_usable(frame: pl.DataFrame, column: str) -> str | None:
    """Says so where more than a fifth of the rows has no number."""
    share = 1.0 - frame[column].null_count() / frame.height if frame.height else 0.0
    if share >= FEWEST_USABLE:
        return None
    if not frame.height:
        return "There is nothing to judge: the trial holds no rows."
    return f"Only {share:.1%} of the rows have a number; at least {FEWEST_USABLE:.0%} must. Find out why the others have none."


def floats(column: pl.Series) -> FloatArray:
    """A column as an array of floats."""
    return column.to_numpy().astype(np.float64)


def index_of(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Indices of a column's values in their order, from 0 without gaps."""
    return column.rank("dense").to_numpy().astype(np.int64) - 1
