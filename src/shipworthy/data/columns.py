"""One column of the rows in a few figures: how full it is, what it holds, whether it drifts, whether it says anything at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from shipworthy.problem import Problem

_SAMPLE = 20_000
_SAME = 1.0 - 1e-6
_CATEGORIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a column holds.

    Attributes:
        name: Its name.
        role: "period", "unit", "decision", "known before" or "known after" deciding.
        kind: Its type in plain words.
        filled: The share of rows in which it has a value.
        distinct: How many different values it has.
        lowest: Its smallest value, as text; None for texts.
        highest: Its largest value, as text; None for texts.
        drift: How far its last third of periods lies from its first third: standard deviations between the means of
            numbers (Cohen's d), the share of rows that would have to change for texts (total variation distance). An effect
            size: it does not grow with the number of rows. None where it cannot be told.
        twin: Another column that says the same, row for row; None where there is none.
    """

    name: str
    role: str
    kind: str
    filled: float
    distinct: int
    lowest: str | None
    highest: str | None
    drift: float | None
    twin: str | None

    @property
    def is_constant(self) -> bool:
        """Whether it has one value only, and so tells nothing apart."""
        return self.distinct <= 1 and self.filled > 0


def columns_of(problem: Problem, rows: pl.DataFrame) -> list[Column]:
    """Looks at every column of the rows.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold")
    >>> rows = pl.DataFrame({"day": [1, 2, 3], "item": ["a"] * 3, "sold": [1.0, None, 3.0], "copy": [1, 2, 3]})
    >>> [(column.name, column.role, round(column.filled, 2)) for column in columns_of(shop, rows)]
    [('day', 'period', 1.0), ('item', 'unit', 1.0), ('sold', 'known after', 0.67), ('copy', 'known before', 1.0)]
    """
    early, late = _thirds(problem, rows)
    twins = _twins(problem, rows)
    return [
        Column(
            name=name,
            role=_role(problem, name),
            kind=_kind(dtype),
            filled=1.0 - rows[name].null_count() / max(1, rows.height),
            distinct=_distinct(rows[name]),
            lowest=_extreme(rows[name], highest=False),
            highest=_extreme(rows[name], highest=True),
            drift=None if name in problem.key else _drift(early[name], late[name]),
            twin=twins.get(name),
        )
        for name, dtype in rows.schema.items()
    ]


def _role(problem: Problem, name: str) -> str:
    roles = {problem.period: "period", problem.unit: "unit"} | dict.fromkeys(problem.decisions, "decision")
    return roles.get(name, "known after" if name in problem.hidden else "known before")


def _kind(dtype: pl.DataType) -> str:
    for kind, is_it in (
        ("whole number", dtype.is_integer()),
        ("number", dtype.is_numeric()),
        ("date", dtype == pl.Date),
        ("time", dtype.is_temporal()),
        ("truth", dtype == pl.Boolean),
        ("text", dtype in (pl.String, pl.Categorical, pl.Enum)),
    ):
        if is_it:
            return kind
    return str(dtype).lower()


def _distinct(column: pl.Series) -> int:
    values = column.drop_nulls()
    return values.n_unique() if not values.dtype.is_nested() else values.len()


def _extreme(column: pl.Series, *, highest: bool) -> str | None:
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()) or column.null_count() == len(column):
        return None
    value = column.max() if highest else column.min()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _thirds(problem: Problem, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    periods = rows[problem.period].unique().sort()
    third = len(periods) // 3
    if not third:
        return rows.clear(), rows.clear()
    at = pl.col(problem.period)
    return rows.filter(at < periods[third]), rows.filter(at >= periods[len(periods) - third])


def _drift(early: pl.Series, late: pl.Series) -> float | None:
    early, late = early.drop_nulls(), late.drop_nulls()
    if not (len(early) and len(late)):
        return None
    if early.dtype.is_numeric() or early.dtype == pl.Boolean:
        return _between_means(early.cast(pl.Float64).to_numpy(), late.cast(pl.Float64).to_numpy())
    return _between_shares(early, late) if _kind(early.dtype) == "text" else None


def _between_means(early: np.ndarray, late: np.ndarray) -> float | None:
    spread = float(np.sqrt((early.var() + late.var()) / 2.0))
    moved = float(late.mean() - early.mean())
    if not np.isfinite(moved):
        return None
    return moved / spread if spread > 0 else 0.0 if moved == 0 else float(np.sign(moved)) * 99.0


def _between_shares(early: pl.Series, late: pl.Series) -> float | None:
    counts = [dict(part.cast(pl.String).value_counts().rows()) for part in (early, late)]
    names = {name for count in counts for name in count}
    if len(names) > _CATEGORIES:
        return None
    shares = [[count.get(name, 0) / sum(count.values()) for name in names] for count in counts]
    return float(sum(abs(one - other) for one, other in zip(*shares, strict=True)) / 2.0)


def _twins(problem: Problem, rows: pl.DataFrame) -> dict[str, str]:
    """Of two columns that say the same, the later one with the name of the earlier."""
    sample = rows.sample(min(_SAMPLE, rows.height), seed=1) if rows.height > _SAMPLE else rows
    candidates = [name for name in rows.columns if name not in problem.key and not rows[name].dtype.is_nested()]
    varying = [name for name in candidates if sample[name].drop_nulls().n_unique() > 1]
    return {other: name for name, other in reversed(list(_pairs(sample, varying)))}


def _pairs(sample: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    numbers = [name for name in names if sample[name].dtype.is_numeric()]
    likeness = _correlations(sample, numbers)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            if name in likeness and other in likeness:
                alike = abs(likeness[name][other]) >= _SAME
            else:
                alike = sample[name].dtype == sample[other].dtype and sample[name].equals(
                    sample[other], null_equal=True
                )
            if alike:
                yield name, other


def _correlations(sample: pl.DataFrame, names: Sequence[str]) -> dict[str, dict[str, float]]:
    if len(names) < 2:
        return {}
    matrix = sample.select(pl.col(names).cast(pl.Float64)).fill_null(strategy="mean").fill_nan(0.0).to_numpy()
    found = np.nan_to_num(np.corrcoef(matrix, rowvar=False))
    return {name: dict(zip(names, map(float, row), strict=True)) for name, row in zip(names, found, strict=True)}
