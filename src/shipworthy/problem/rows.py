"""The port through which rows come: how a raw table is read, and how raw data become rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from shipworthy.errors import InvalidInputError, UserCodeError

Prepare = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A source of rows: how to read the raw table, and how to prepare it.

    Reading and preparing are kept apart so that the leak proof can scramble what lies ahead in the raw table and
    prepare it again: a preparation that looks ahead gives itself away.

    Attributes:
        read: Reads the raw table; it gets the project's folder.
        prepare: Turns the raw table into one row per (period, unit).
        label: What error messages and reports call this source.
        known_at: The column that says when the outcome of a row became known. Then a (period, unit) may have several rows, its
            revisions; `step.History` says which of them counts when. None: outcomes are known after the outcome delay.
    """

    read: Callable[[Path], pl.DataFrame]
    prepare: Prepare = field(default=lambda raw: raw)
    label: str = "rows"
    known_at: str | None = None

    def then(self, prepare: Prepare) -> Rows:
        """The same source, prepared by `prepare`; it reads as a chain.

        >>> rows = Rows(read=lambda folder: pl.DataFrame({"a": [1]})).then(lambda raw: raw.with_columns(b=pl.col("a") + 1))
        >>> rows.load(Path())["b"].to_list()
        [2]
        """
        return replace(self, prepare=prepare)

    def load(self, folder: Path) -> pl.DataFrame:
        """Reads and prepares the rows.

        Raises:
            UserCodeError: the preparation does not return a Polars frame.
            InvalidInputError: `known_at` is no column of it, or one that holds no dates, times or whole numbers.
        """
        rows = self.prepare(self.read(folder))
        if not isinstance(rows, pl.DataFrame):
            raise UserCodeError(f"Preparing {self.label} must give a polars.DataFrame, not {type(rows).__name__}.")
        if self.known_at is not None:
            _require_instants(rows, self.known_at, self.label)
        return rows


def _require_instants(rows: pl.DataFrame, known_at: str, label: str) -> None:
    if known_at not in rows.columns:
        raise InvalidInputError(
            f"The rows from {label} have no column {known_at!r}, which known_at names. There is: {', '.join(rows.columns)}. Keep "
            "it where the rows are prepared, or correct known_at."
        )
    dtype = rows.schema[known_at]
    if not (dtype in (pl.Date, pl.Datetime) or dtype.is_integer()):
        raise InvalidInputError(
            f"The column {known_at!r} of the rows from {label} is {dtype}, and known_at says when. Make it a date, a datetime "
            "or, where periods are numbers, a whole number."
        )
