"""Another unknown: the same table with what is not known yet replaced, in several ways that each show something else.

| kind | finds what none of the others finds |
|---|---|
| drawn | a look at how large the values ahead are, or which words stand there |
| cut | a look at how many rows lie ahead, of which units, and up to when |
| null | a look at which values are there at all |
| zero | a look at whether something is nothing: closed, sold out, not called |
| negated | a look at the sign |

Shuffling the values among the unknown rows is not among them: whatever that moves, drawing moves as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

DRAWN, CUT, NULL, ZERO, NEGATED, OCCURRING = "drawn", "cut", "null", "zero", "negated", "occurring"
KINDS = (DRAWN, CUT, NULL, ZERO, NEGATED)
"""The kinds in the order in which they are tried; `OCCURRING` stands in for `DRAWN` where values cannot be stretched."""

_SEED = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What of a table is not known when a period is decided.

    Attributes:
        ahead: True for each row that lies ahead, of which nothing is known but that it may come.
        open: True for each row of which the columns `late` are not known yet.
        late: The columns that are known only after deciding.
        fixed: The columns that say when and for what, which are never changed.
    """

    ahead: pl.Series
    open: pl.Series
    late: Collection[str]
    fixed: Collection[str]


def scrambled(table: pl.DataFrame, unknown: Unknown, kind: str, columns: Collection[str] | None = None) -> pl.DataFrame:
    """The table with another unknown, of all columns or of some only.

    >>> table = pl.DataFrame({"day": [1, 2], "price": [5, 6], "sold": [3, 4]})
    >>> at_1 = Unknown(
    ...     ahead=pl.Series([False, True]), open=pl.Series([True, True]), late=("sold",), fixed=("day",)
    ... )
    >>> scrambled(table, at_1, NEGATED).rows()
    [(1, 5, -4), (2, -7, -5)]
    >>> scrambled(table, at_1, CUT).rows()
    [(1, 5, 3)]
    """
    if kind == CUT:
        return table.filter(~unknown.ahead) if columns is None else table
    replaced = []
    for place, name in enumerate(table.columns):
        if name not in unknown.fixed and (columns is None or name in columns):
            where = unknown.open if name in unknown.late else unknown.ahead
            replaced.append(_replaced(table[name], where, kind, _SEED + place))
    return table.with_columns(replaced)


def attributed(columns: Sequence[str], moves: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """The columns which alone move what moves when all of them are changed, found by halving.

    Where no half moves it alone, the columns work together, and all of them are named.

    >>> attributed(["a", "b", "c", "d"], lambda names: "c" in names)
    ('c',)
    >>> attributed(["a", "b", "c"], lambda names: {"a", "c"} <= {*names})
    ('a', 'b', 'c')
    """
    if len(columns) < 2:
        return tuple(columns)
    halves = (columns[: len(columns) // 2], columns[len(columns) // 2 :])
    found = [name for half in halves if moves(half) for name in attributed(half, moves)]
    return tuple(found) or tuple(columns)


def _replaced(column: pl.Series, where: pl.Series, kind: str, seed: int) -> pl.Expr:
    """The column with other values where it is unknown; gaps stay gaps, except where all become gaps.

    All become gaps only in a column that has some where it is known: in another one a gap says no more than that a row is new.
    A value that the column's type cannot hold (too large, or negative in an unsigned column) stays as it was.
    """
    known = pl.col(column.name)
    if kind == NULL:
        return (
            pl.when(pl.lit(where)).then(None).otherwise(known).alias(column.name)
            if column.filter(~where).has_nulls()
            else known
        )
    other = pl.lit(_OTHERS[kind](column, seed).cast(column.dtype, strict=False))
    return (
        pl.when(pl.lit(where) & known.is_not_null() & other.is_not_null())
        .then(other)
        .otherwise(known)
        .alias(column.name)
    )


def _occurring(column: pl.Series, seed: int) -> pl.Series:
    there = column.drop_nulls()
    return there.sample(len(column), with_replacement=True, seed=seed, shuffle=True) if len(there) else column


def _drawn(column: pl.Series, seed: int) -> pl.Series:
    drawn = _occurring(column, seed)
    return _wide(drawn) * 3 + 1 if column.dtype.is_numeric() else drawn


def _zero(column: pl.Series, seed: int) -> pl.Series:
    del seed
    return column * 0 if column.dtype.is_numeric() else column & False if column.dtype == pl.Boolean else column


def _negated(column: pl.Series, seed: int) -> pl.Series:
    del seed
    return -_wide(column) - 1 if column.dtype.is_numeric() else ~column if column.dtype == pl.Boolean else column


def _wide(column: pl.Series) -> pl.Series:
    return column.cast(pl.Int64, strict=False) if column.dtype.is_integer() else column


_OTHERS: Mapping[str, Callable[[pl.Series, int], pl.Series]] = {
    DRAWN: _drawn,
    OCCURRING: _occurring,
    ZERO: _zero,
    NEGATED: _negated,
}
