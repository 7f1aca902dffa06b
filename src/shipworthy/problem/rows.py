"""Where the rows come from: a file, a frame or a function, and how raw data become rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from shipworthy.errors import NotFoundError, UserCodeError

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
    """

    read: Callable[[Path], pl.DataFrame]
    prepare: Prepare = field(default=lambda raw: raw)
    label: str = "rows"

    def then(self, prepare: Prepare) -> Rows:
        """The same source, prepared by `prepare`; it reads as a chain.

        >>> rows = frame(pl.DataFrame({"a": [1]})).then(lambda raw: raw.with_columns(b=pl.col("a") + 1))
        >>> rows.load(Path())["b"].to_list()
        [2]
        """
        return Rows(read=self.read, prepare=prepare, label=self.label)

    def load(self, folder: Path) -> pl.DataFrame:
        """Reads and prepares the rows.

        Raises:
            UserCodeError: the preparation does not return a Polars frame.
        """
        rows = self.prepare(self.read(folder))
        if not isinstance(rows, pl.DataFrame):
            raise UserCodeError(f"Preparing {self.label} must give a polars.DataFrame, not {type(rows).__name__}.")
        return rows


def parquet(path: str) -> Rows:
    """Rows from a Parquet file, or several by a pattern such as "data/*.parquet", relative to the project's folder."""
    return Rows(read=lambda folder: _read(folder, path, pl.read_parquet), label=path)


def csv(path: str) -> Rows:
    """Rows from a CSV file with a header, dates recognised, relative to the project's folder."""
    return Rows(read=lambda folder: _read(folder, path, _read_csv), label=path)


def frame(source: pl.DataFrame | Callable[[], pl.DataFrame]) -> Rows:
    """Rows from a frame, or from a function that returns one."""
    return Rows(read=lambda _: source() if callable(source) else source, label="a frame")


def _read_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, try_parse_dates=True)


def _read(folder: Path, path: str, reader: Callable[[Path], pl.DataFrame]) -> pl.DataFrame:
    place = folder / path
    if "*" not in path and not place.exists():
        beside = sorted(other.name for other in place.parent.glob("*")) if place.parent.is_dir() else []
        raise NotFoundError.among("file", str(place), beside, "Correct the path in Problem(rows=...).")
    return reader(place)
