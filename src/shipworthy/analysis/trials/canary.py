"""A canary, judged: each unit's period was decided by one of the two, as a coin said."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from shipworthy.analysis.trials.observations import (
    floats,
    index_of,
    read_rows,
    refuse_bounds,
    refuse_unknown_arms,
    too_few_usable,
    twice,
)
from shipworthy.analysis.trials.trial_verdict import Bounds, TrialVerdict, invalid, verdict_of
from shipworthy.errors import InvalidInputError
from shipworthy.statistics.canary import (
    FEWEST_PERIODS_BEFORE,
    FEWEST_UNITS_AN_ARM,
    means_before,
    period_effects,
    randomised_path,
    sticky_path,
)
from shipworthy.statistics.sample_ratio import SampleRatio, sample_ratio
from shipworthy.statistics.sequential import read_path
from shipworthy.statistics.series import FloatArray

_COLUMNS = ("period", "unit", "arm", "value")
_CHALLENGED = pl.col("arm") == "challenger"
_FEWEST_TO_TELL = 5

Arms = Literal["anew", "kept"]


def judge_canary(
    frame: pl.DataFrame,
    *,
    share: float,
    arms: Arms = "anew",
    before: pl.DataFrame | None = None,
    min_effect: float = 0.0,
    margin: float | None = None,
    alpha: float = 0.05,
    planned: int = 90,
) -> TrialVerdict:
    """Judges a canary so far; read it after every period.

    Args:
        frame: Columns period, unit, arm ("champion" or "challenger") and value, one row per period and unit; and, if
            there is one, a forecast of the value made before the arm was drawn.
        share: The probability with which a coin chose the challenger.
        arms: "anew" where each period has its own coin, "kept" where each unit keeps its arm.
        before: Columns period, unit, value of the periods before the trial; where arms are kept at least 28.
        min_effect: Ship where the interval lies above it.
        margin: How much worse is tolerated per unit; None rolls back where the gain is below `min_effect`.
        alpha: Two-sided error over all looks together.
        planned: Periods that the trial was planned for.

    Raises:
        InvalidInputError: A column is missing, holds no numbers or an unknown arm, or a bound is out of its range.

    >>> rng = np.random.default_rng(0)
    >>> rows = pl.DataFrame({"period": np.repeat(range(60), 20), "unit": list(range(20)) * 60})
    >>> coins = rng.random(1200) < 0.5
    >>> arm = pl.Series(np.where(coins, "challenger", "champion"))
    >>> rows = rows.with_columns(arm=arm, value=100 + coins + rng.normal(size=1200))
    >>> found = judge_canary(rows, share=0.5)
    >>> str(found.decision), found.look
    ('ship', 59)
    """
    bounds = Bounds(min_effect=min_effect, margin=margin, alpha=alpha)
    refuse_bounds(bounds)
    if not 0.0 < share < 1.0:
        raise InvalidInputError(f"share is {share!r}. Give the probability of the challenger, between 0 and 1.")
    if arms not in ("anew", "kept"):
        raise InvalidInputError(f"arms is {arms!r}. Say 'anew' or 'kept'.")
    forecast = ["forecast"] if "forecast" in getattr(frame, "columns", ()) else []
    rows = read_rows(frame, _COLUMNS, numbers=["value", *forecast], what="canary")
    refuse_unknown_arms(rows)
    past = None if before is None else _past(before, rows)
    obstacle = twice(rows, ["period", "unit"]) or too_few_usable(rows, "value")
    if obstacle:
        return invalid(obstacle)
    known = rows.drop_nulls("value").sort("period", "unit")
    if arms == "kept":
        return _judge_kept(known, past, share, bounds, planned)
    return _judge_anew(known, past, share, bounds)


def _judge_anew(rows: pl.DataFrame, past: pl.DataFrame | None, share: float, bounds: Bounds) -> TrialVerdict:
    """Judges coins that were thrown anew each period."""
    n = rows["period"].n_unique()
    units = rows.group_by("unit").agg(pl.col("arm").n_unique().alias("arms"), pl.len())
    if n >= _FEWEST_TO_TELL and units["arms"].max() == 1 and units.height > 1 and not _together(rows):
        return invalid("Every unit has kept its arm, so nothing was drawn anew. Say arms='kept'.", look=n)
    ratio = _ratio(_coins(rows), share)
    forecasts = _forecasts(rows, past)
    usable = rows.filter(pl.Series(np.isfinite(forecasts)))
    notes = []
    if usable.height < rows.height:
        notes.append(f"{rows.height - usable.height:,} rows without a forecast, the first of their unit, are left out.")
    effects = np.zeros(0)
    if usable.height:
        effects = period_effects(
            floats(usable["value"]),
            forecasts[np.isfinite(forecasts)],
            usable.select(_CHALLENGED)["arm"].to_numpy(),
            index_of(usable["period"]),
            share,
        )
    path = randomised_path(effects, alpha=bounds.alpha)
    found = read_path(path, min_effect=bounds.min_effect, harm_below=bounds.harm_below)
    return verdict_of(found, bounds, "period", ratio=ratio, notes=notes)


def _judge_kept(
    rows: pl.DataFrame, past: pl.DataFrame | None, share: float, bounds: Bounds, planned: int
) -> TrialVerdict:
    """Judges units that keep their arm."""
    if rows.group_by("unit").agg(pl.col("arm").n_unique())["arm"].max() != 1:
        return invalid("A unit was decided by both arms, so arms were not kept. Say arms='anew'.")
    ratio = _ratio(rows.group_by("unit").agg(pl.col("period").min(), pl.col("arm").first()), share)
    known, means, notes = _with_past(rows, past)
    units = known.group_by("unit").agg(pl.col("arm").first()).sort("unit")
    sizes = [units.filter(pl.col("arm") == arm).height for arm in ("champion", "challenger")]
    if min(sizes) < FEWEST_UNITS_AN_ARM:
        few = f"The arms have {sizes[0]} and {sizes[1]} units to compare; {FEWEST_UNITS_AN_ARM} each are the least."
        return invalid(f"{few} Use a switchback.", look=rows["period"].n_unique(), ratio=ratio)
    shape = (rows["period"].n_unique(), units.height)
    periods = rows.select("period").unique().sort("period").with_row_index("at")
    at = known.join(periods, on="period", how="left", maintain_order="left")["at"].to_numpy().astype(np.int64)
    cells = at * units.height + index_of(known["unit"])
    size = shape[0] * shape[1]
    path = sticky_path(
        np.bincount(cells, floats(known["value"]), size).astype(np.float64).reshape(shape),
        np.bincount(cells, minlength=size).reshape(shape).astype(np.float64),
        units.select(_CHALLENGED)["arm"].to_numpy(),
        before=means,
        planned=planned,
        alpha=bounds.alpha,
    )
    found = read_path(path, min_effect=bounds.min_effect, harm_below=bounds.harm_below)
    return verdict_of(found, bounds, "period", ratio=ratio, notes=notes)


def _with_past(rows: pl.DataFrame, past: pl.DataFrame | None) -> tuple[pl.DataFrame, FloatArray | None, list[str]]:
    """The rows of units with a past, each unit's mean over it in their order, and what was left out."""
    bare = "so bare means are compared, which see little where units are of unlike size"
    if past is None:
        return rows, None, [f"No periods before the trial are given, {bare}."]
    if past["period"].n_unique() < FEWEST_PERIODS_BEFORE:
        few = f"{past['period'].n_unique()} periods before the trial are fewer than {FEWEST_PERIODS_BEFORE}"
        return rows, None, [f"{few}, {bare}."]
    means = past.group_by("unit", maintain_order=True).agg(pl.col("value").mean().alias("past"))
    known = rows.join(means, on="unit", how="inner", maintain_order="left")
    left = rows["unit"].n_unique() - known["unit"].n_unique()
    notes = [f"{left:,} units without a past are left out."] if left else []
    return known, floats(known.group_by("unit").agg(pl.col("past").first()).sort("unit")["past"]), notes


def _past(before: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The usable rows from before the trial."""
    past = read_rows(before, ["period", "unit", "value"], numbers=["value"], what="table of periods before")
    for name in ("period", "unit"):
        if past.schema[name] != rows.schema[name]:
            raise InvalidInputError(
                f"Column {name!r} is {rows.schema[name]} in the trial and {past.schema[name]} before it. Give both one type."
            )
    if past.height and rows.height and past["period"].max() >= rows["period"].min():  # type: ignore[operator]  # one type
        raise InvalidInputError("Some periods before the trial are not before it. Give those before its first period.")
    return past.drop_nulls("value").sort("period", "unit")


def _forecasts(rows: pl.DataFrame, past: pl.DataFrame | None) -> FloatArray:
    """What each row was expected to come to: the given forecast, else the unit's mean so far; NaN where there is none."""
    if "forecast" in rows.columns:
        return floats(rows["forecast"])
    columns = ["period", "unit", "value"]
    whole = pl.concat([past.select(columns), rows.select(columns)]) if past is not None else rows
    means = means_before(floats(whole["value"]), index_of(whole["unit"]), index_of(whole["period"]))
    return means[whole.height - rows.height :]


def _coins(rows: pl.DataFrame) -> pl.DataFrame:
    """The coins that were thrown: one a row, or one a period where all its units share it."""
    together = rows.group_by("period").agg(pl.col("arm").first())
    return together if _together(rows) else rows.select("period", "arm")


def _together(rows: pl.DataFrame) -> bool:
    """Whether all units of each period share an arm."""
    shared = rows.group_by("period").agg(pl.col("arm").n_unique().alias("arms"), pl.len())
    return shared["arms"].max() == 1 and bool((shared["len"] > 1).any())


def _ratio(coins: pl.DataFrame, share: float) -> SampleRatio:
    """How the coins fell, period by period, against what was promised."""
    each = (
        coins.group_by("period")
        .agg((~_CHALLENGED).sum().alias("kept"), _CHALLENGED.sum().alias("tried"))
        .sort("period")
    )
    return sample_ratio(each.select("kept", "tried").to_numpy(), [1.0 - share, share])
