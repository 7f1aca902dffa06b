"""A switchback, planned from what the business already logs, and judged pair by pair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import chdtri

from shipworthy.analysis.trials.observations import floats, read_rows, refuse_bounds, too_few_usable
from shipworthy.analysis.trials.schedule import SwitchbackPlan, block_length, washout
from shipworthy.analysis.trials.trial_verdict import Bounds, TrialVerdict, invalid, verdict_of
from shipworthy.analysis.wording import amount
from shipworthy.errors import InvalidInputError
from shipworthy.statistics.sample_ratio import SampleRatio, sample_ratio
from shipworthy.statistics.sequential import LiveDecision, Monitor, Path, read_path
from shipworthy.statistics.series import FloatArray
from shipworthy.statistics.switchback import draws_for, pairs_interval, pairs_path, sign_flip_p

LONGEST_DAYS = 730
_CONFIDENCE = 0.8
_MOST_ASTRAY = 0.05
_HOUR = 3600.0

Looks = Literal["every", "end"]


def plan_switchback(
    history: pl.DataFrame,
    *,
    gain: float,
    carry_over_hours: float,
    seed: str,
    start: datetime,
    alpha: float = 0.05,
    wanted: float = 0.8,
) -> SwitchbackPlan:
    """Plans a switchback: blocks of three carry-overs, and as many days as show a gain with the wanted probability.

    Args:
        history: Columns at (date or datetime) and value, of a time without a trial; and market where there are several.
        gain: The gain per row of the history that is to be shown.
        carry_over_hours: How long a decision is still felt.
        seed: What the coins follow from.
        start: The beginning of the first block.
        alpha: Two-sided error over all looks together.
        wanted: Probability of showing such a gain.

    Raises:
        InvalidInputError: The history cannot be read or is too short, or two years would not show the gain.

    >>> hours = pl.datetime_range(datetime(2026, 1, 1), datetime(2026, 2, 25, 23), "1h", eager=True)
    >>> noise = np.random.default_rng(0).normal(100.0, 2.0, size=hours.len())
    >>> log = pl.DataFrame({"at": hours, "value": noise})
    >>> plan = plan_switchback(log, gain=1.0, carry_over_hours=1.0, seed="autumn", start=datetime(2026, 3, 2))
    >>> plan.block_hours, plan.carry_over_hours, plan.days
    (3.0, 1.0, 18)
    """
    if not 0.0 <= carry_over_hours < LONGEST_DAYS:
        raise InvalidInputError(f"carry_over_hours is {carry_over_hours!r}. Give a number of hours, 0 or more.")
    rows = _read(history, "history")
    if (obstacle := too_few_usable(rows, "value")) is not None:
        raise InvalidInputError(f"The history cannot plan a switchback. {obstacle}")
    cadence = _cadence(rows)
    block = block_length(carry_over_hours, cadence_hours=cadence)
    felt = washout(carry_over_hours, cadence_hours=cadence)
    days = horizon_days(rows, gain, block, felt, alpha=alpha, wanted=wanted)
    if days is None:
        raise InvalidInputError(
            f"Not even {LONGEST_DAYS} days of a switchback would show a gain of {amount(gain)}, or the history holds no two "
            "rounds of blocks to plan with. Give a larger gain, more markets or a longer history."
        )
    markets = tuple(str(one) for one in rows["market"].unique().sort())
    return SwitchbackPlan(seed=seed, start=start, days=days, block_hours=block, carry_over_hours=felt, markets=markets)


def horizon_days(
    rows: pl.DataFrame,
    gain: float,
    block_hours: float,
    carry_over_hours: float,
    *,
    alpha: float = 0.05,
    wanted: float = 0.8,
) -> int | None:
    """Returns the fewest days of a switchback that show a gain; None where two years would not, or nothing is known.

    The differences of neighbouring rounds are what the coins will turn; their mean square, at its 80 % upper bound, is
    the variance of a pair.

    Args:
        rows: Columns market, at, value.
        gain: The gain per row that is to be shown.
        block_hours: Length of a block.
        carry_over_hours: What is dropped of each.
        alpha: Two-sided error over all looks together.
        wanted: Probability of showing such a gain.
    """
    span = (rows["at"].max() - rows["at"].min()).total_seconds() / _HOUR  # type: ignore[operator, union-attr]  # instants
    start = rows["at"].min()
    whole = max(24.0, block_hours)
    days = 2 * round(whole / 24.0) * max(1, round((span + 1.0) / whole) // 2 + 1)
    assert isinstance(start, datetime), "read as datetimes"
    markets = tuple(str(one) for one in rows["market"].unique().sort())
    plan = SwitchbackPlan(
        seed="", start=start, days=days, block_hours=block_hours, carry_over_hours=carry_over_hours, markets=markets
    )
    means = _block_means(rows, plan, carry_over_hours)
    a_round = plan.blocks_a_round
    following = means.select("market", number=pl.col("number") - a_round, after=pl.col("mean"))
    both = means.join(following, on=["market", "number"]).with_columns(d=pl.col("after") - pl.col("mean"))
    squares = both.group_by("number").agg((pl.col("d").pow(2).sum() / pl.len().pow(2)).alias("square"))["square"]
    df = squares.len() / 2.0
    if df < 1.0:
        return None
    sd = float(np.sqrt(float(squares.mean()) * df / chdtri(df, _CONFIDENCE)))  # type: ignore[arg-type]  # a number
    pairs = draws_for(sd, gain, alpha=alpha, wanted=wanted)
    if pairs is None:
        return None
    found = -(-pairs // a_round) * 2 * round(whole / 24.0)
    return found if found <= LONGEST_DAYS else None


def judge_switchback(
    frame: pl.DataFrame,
    plan: SwitchbackPlan,
    *,
    min_effect: float = 0.0,
    margin: float | None = None,
    alpha: float = 0.05,
    looks: Looks = "every",
) -> TrialVerdict:
    """Judges a switchback so far; read it after every pair, or once, at the end.

    Args:
        frame: Columns at (date or datetime) and value, one row per decision or per period; market where the plan has several;
            arm, if it was logged, to be compared with the plan.
        plan: The plan that was published.
        min_effect: Ship where the interval lies above it.
        margin: How much worse is tolerated per row; None rolls back where the gain is below `min_effect`.
        alpha: Two-sided error over all looks together.
        looks: "every" decides as soon as an interval that holds at all pairs together does; "end" decides once, with a t
            interval (and fair coins alone for fewer than 12 pairs), when all pairs are complete.

    Raises:
        InvalidInputError: A column is missing or holds no numbers, or a bound is out of its range.

    >>> plan = SwitchbackPlan(seed="autumn", start=datetime(2026, 9, 7), days=28, block_hours=6.0, carry_over_hours=2.0)
    >>> hours = pl.datetime_range(datetime(2026, 9, 7), datetime(2026, 10, 4, 23), "1h", eager=True)
    >>> rows = pl.DataFrame({"at": hours}).join_asof(plan.blocks().select("arm", at="start"), on="at")
    >>> noise = np.random.default_rng(0).normal(size=hours.len())
    >>> found = judge_switchback(rows.with_columns(value=(pl.col("arm") == "challenger") + noise), plan)
    >>> str(found.decision), found.look
    ('ship', 56)
    """
    bounds = Bounds(min_effect=min_effect, margin=margin, alpha=alpha)
    refuse_bounds(bounds)
    if looks not in ("every", "end"):
        raise InvalidInputError(f"looks is {looks!r}. Say 'every' or 'end'.")
    rows = _read(frame, "switchback", plan)
    if plan.start.tzinfo is not None:
        plan = replace(plan, start=plan.start.astimezone(UTC).replace(tzinfo=None))
    obstacle = too_few_usable(rows, "value") or _astray(rows, plan)
    if obstacle:
        return invalid(obstacle)
    means = _block_means(rows, plan, plan.carry_over_hours)
    differences = _differences(means, plan)
    ratio = _ratio(means)
    notes = _twice_the_carry_over(rows, plan)
    p = sign_flip_p(differences, null=bounds.min_effect) if differences.size else None
    if p is not None:
        notes.append(f"Fair coins alone would give such {differences.size} pairs with probability {p:.3g}.")
    if looks == "every":
        path = pairs_path(differences, planned=plan.pairs, alpha=alpha)
        found = read_path(path, min_effect=min_effect, harm_below=bounds.harm_below)
    else:
        found = _at_the_end(differences, plan, bounds, p)
    return verdict_of(found, bounds, "pair", ratio=ratio, notes=notes)


def _at_the_end(differences: FloatArray, plan: SwitchbackPlan, bounds: Bounds, p: float | None) -> Monitor:
    """The one look at the end; before it nothing is decided."""
    n = differences.size
    mean, low, high = pairs_interval(differences, alpha=bounds.alpha)
    may = n >= plan.pairs and (p is None or p <= bounds.alpha)
    ends = (np.array([mean]), np.array([low]), np.array([high]))
    once = Path(*ends, sigma=np.ones(1), df=np.ones(1), can_ship=np.array([may]), can_stop=np.array([may]))
    found = read_path(once, min_effect=bounds.min_effect, harm_below=bounds.harm_below)
    at = n if found.decision is not LiveDecision.UNDECIDED else None
    return Monitor(n=n, mean=mean, low=low, high=high, decision=found.decision, decided_at=at)


def _read(frame: pl.DataFrame, what: str, plan: SwitchbackPlan | None = None) -> pl.DataFrame:
    """Rows with market, at (a datetime of the plan's kind) and value, in one order whatever theirs was."""
    needed = ["at", "value", *(["market"] if plan is not None and len(plan.markets) > 1 else [])]
    rows = read_rows(frame, needed, numbers=["value"], what=what)
    if rows.schema["at"] not in (pl.Date, pl.Datetime):
        raise InvalidInputError(f"Column 'at' of the {what} holds {rows.schema['at']}. Give dates or datetimes.")
    zone = plan.start.tzinfo is not None if plan is not None else None
    has_zone = getattr(rows.schema["at"], "time_zone", None) is not None
    if zone is not None and zone is not has_zone:
        raise InvalidInputError(
            "Either both the plan's start and column 'at' have a time zone, or neither. Give both one."
        )
    if "market" not in rows.columns:
        rows = rows.with_columns(market=pl.lit(plan.markets[0] if plan is not None else "all"))
    in_utc = pl.col("at").dt.convert_time_zone("UTC").dt.replace_time_zone(None) if has_zone else pl.col("at")
    at = in_utc.cast(pl.Datetime("us"))
    return rows.with_columns(pl.col("market").cast(pl.String), at).sort("market", "at", "value")


def _cadence(rows: pl.DataFrame) -> float:
    """The usual distance of two instants, in hours, where it divides a day or days make it up; 0 elsewhere."""
    gaps = rows["at"].unique().sort().diff().drop_nulls().dt.total_seconds() / _HOUR
    usual = float(gaps.median() or 0.0)  # type: ignore[arg-type]  # a number
    fits = usual > 0.0 and ((24.0 / usual).is_integer() or (usual / 24.0).is_integer())
    return usual if fits else 0.0


def _block_means(rows: pl.DataFrame, plan: SwitchbackPlan, dropped_hours: float) -> pl.DataFrame:
    """The mean of each market's complete block, without its first hours: market, number, pair, arm, mean, end."""
    number = (pl.col("at") - pl.lit(plan.start)).dt.total_microseconds().floordiv(round(plan.block_hours * _HOUR * 1e6))
    placed = rows.select("market", "at", "value", number=number)
    into = (pl.col("at") - pl.lit(plan.start)).dt.total_microseconds() - pl.col("number") * round(
        plan.block_hours * _HOUR * 1e6
    )
    total = 2 * plan.pairs
    kept = placed.filter(
        pl.col("number").is_between(0, total - 1),
        into >= round(dropped_hours * _HOUR * 1e6),
        pl.col("value").is_not_null(),
    )
    means = kept.group_by("market", "number", maintain_order=True).agg(pl.col("value").mean().alias("mean"))
    turn, slot = pl.col("number").floordiv(plan.blocks_a_round), pl.col("number") % plan.blocks_a_round
    means = means.filter(pl.col("number") < _complete(rows, plan)).with_columns(
        pair=turn.floordiv(2) * plan.blocks_a_round + slot, second=turn % 2 == 1
    )
    firsts = [
        (market, pair, plan.first_arm(market, pair)) for market, pair in means.select("market", "pair").unique().rows()
    ]
    coins = pl.DataFrame(
        firsts, schema={"market": pl.String, "pair": means.schema["pair"], "first": pl.String}, orient="row"
    )
    led = pl.col("first") == "challenger"
    return means.join(coins, on=["market", "pair"], how="left").with_columns(challenged=led != pl.col("second"))


def _complete(rows: pl.DataFrame, plan: SwitchbackPlan) -> int:
    """How many blocks are over: those that end no later than one usual step after the last row."""
    last = rows["at"].max()
    gaps = rows["at"].unique().sort().diff().drop_nulls()
    step = gaps.min() if gaps.len() else timedelta(0)
    assert isinstance(last, datetime), "read as datetimes"
    assert isinstance(step, timedelta), "a difference of datetimes"
    return int((last + step - plan.start).total_seconds() // (plan.block_hours * _HOUR))


def _differences(means: pl.DataFrame, plan: SwitchbackPlan) -> FloatArray:
    """Challenger less champion of each complete pair, averaged over markets, in order of completion."""
    signed = pl.when("challenged").then("mean").otherwise(-pl.col("mean"))
    pairs = means.sort("market", "number").group_by("market", "pair", maintain_order=True)
    whole = pairs.agg(signed.sum().alias("d"), pl.len()).filter(pl.col("len") == 2)
    found = whole.sort("pair", "market").group_by("pair", maintain_order=True).agg(pl.col("d").mean(), pl.len())
    return floats(found["d"]) if plan.pairs else np.zeros(0)


def _ratio(means: pl.DataFrame) -> SampleRatio:
    """How many blocks with rows each arm has, round by round: a plan gives both the same."""
    each = (
        means.group_by("pair")
        .agg((~pl.col("challenged")).sum().alias("kept"), pl.col("challenged").sum().alias("tried"))
        .sort("pair")
    )
    return sample_ratio(each.select("kept", "tried").to_numpy(), [0.5, 0.5])


def _twice_the_carry_over(rows: pl.DataFrame, plan: SwitchbackPlan) -> list[str]:
    """What the gain is with twice as much dropped: far from the first, decisions are felt for longer than was planned."""
    twice = 2.0 * plan.carry_over_hours
    if not 0.0 < twice < plan.block_hours:
        return []
    again = _differences(_block_means(rows, plan, twice), plan)
    if again.size < 2:
        return []
    mean, low, high = pairs_interval(again)
    return [
        f"With {twice:g} hours of each block dropped instead of {plan.carry_over_hours:g} the gain is {amount(mean)} "
        f"({amount(low)} to {amount(high)}, read once)."
    ]


def _astray(rows: pl.DataFrame, plan: SwitchbackPlan) -> str | None:
    """Says so where what was logged is not what was planned."""
    strange = sorted(set(rows["market"].unique().to_list()) - set(plan.markets))
    if strange:
        return f"Market {strange[0]!r} is not in the plan. It has {', '.join(plan.markets)}."
    if "arm" not in rows.columns:
        return None
    placed = rows.sort("at").join_asof(
        plan.blocks().sort("start").select("market", "end", at=pl.col("start").dt.cast_time_unit("us"), planned="arm"),
        on="at",
        by="market",
        check_sortedness=False,  # it is sorted, which polars cannot see within groups
    )
    within = placed.filter(pl.col("planned").is_not_null() & (pl.col("at") < pl.col("end")))
    wrong = within.filter(pl.col("arm").cast(pl.String) != pl.col("planned")).height
    if wrong <= _MOST_ASTRAY * within.height:
        return None
    return f"{wrong:,} of {within.height:,} rows were decided by another arm than was planned. Find out why, and begin anew."
