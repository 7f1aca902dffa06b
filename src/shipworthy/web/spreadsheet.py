"""What leaves for a spreadsheet: texts that it shows, and never runs."""

from __future__ import annotations

from typing import Any

import polars as pl

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def as_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula.

    >>> as_cell("=1+1"), as_cell(-1.5), as_cell("rye")
    ("'=1+1", -1.5, 'rye')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def as_sheet(frame: pl.DataFrame) -> pl.DataFrame:
    """A table of such cells, under such names."""
    texts = [pl.Series(name, [as_cell(text) for text in frame[name]], pl.String) for name in _texts(frame)]
    return frame.with_columns(*texts).rename({name: as_cell(name) for name in frame.columns})


def _texts(frame: pl.DataFrame) -> list[str]:
    return [name for name, kind in frame.schema.items() if kind == pl.String]
