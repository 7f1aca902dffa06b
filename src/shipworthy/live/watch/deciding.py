"""How it is decided: by which rung, how long it takes, how good the solver's plans are, and how much they change."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from scipy.stats import binomtest

from shipworthy.live.arms import TIME_LIMIT
from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.lived import Lived
from shipworthy.live.watch.promised import Promised, at_risk
from shipworthy.live.watch.usual import MARGIN, found, in_words, stretches
from shipworthy.step import Rung

_FALLS = [str(rung) for rung in Rung if rung.is_fall]
_SMALLEST_SHARE = 0.02
_MORE_FALLS = 0.05
_LEVEL = 0.001
_NEWEST = 7
_CLOSE = 0.8
_FEWEST_ANSWERS = 20
_FEWEST_PERIODS = 5
_SMALLEST_GAP = 0.01
_MORE_CHURN = 0.1


def check_deciding(promised: Promised, lived: Lived) -> list[Alert]:
    """The alerts about how it is decided."""
    return [
        *_fallen(promised, lived),
        *_undecided(promised, lived),
        *_slow(promised, lived),
        *_gaps(promised, lived),
        *_churned(promised, lived),
        *_drifted(promised, lived),
    ]


def _fallen(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """More answers from lower rungs than the replay had, beyond what luck does in a thousand windows."""
    fell = lived.answers.filter(pl.col("rung").is_in(_FALLS))
    n, usual = lived.answers.height, _usual_falls(promised)
    share = fell.height / max(1, n)
    if (
        share > usual + _MORE_FALLS
        and binomtest(fell.height, n, max(usual, _SMALLEST_SHARE), "greater").pvalue < _LEVEL
    ):
        rungs = ", ".join(f"{count} {rung}" for rung, count in sorted(fell["rung"].value_counts().rows()))
        money, how = at_risk(
            promised, share - usual, "of the answers more than in the replay did not come from the policy"
        )
        yield Alert(
            kind="falling-back",
            what=f"{fell.height} of {n} answers fell ({rungs}), {share:.0%} against {usual:.0%} in the replay. The newest: "
            f"{_short(fell['falls'].drop_nulls())}",
            since=fell["at"].min(),  # type: ignore[arg-type]  # instants
            money_at_risk=money,
            reckoned=how,
        )


def _usual_falls(promised: Promised) -> float:
    if promised.decided is None:
        return 0.0
    per_period = promised.decided.group_by("period").agg(pl.col("rung").first())
    return _mean(per_period["rung"].is_in(_FALLS))


def _undecided(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Periods of late in which nothing could decide."""
    newest = lived.answers.filter(pl.col("period").is_in(lived.periods[-_NEWEST:]))
    none = newest.filter(pl.col("rung") == str(Rung.NONE))
    if none.height:
        periods, of = none["period"].n_unique(), newest["period"].n_unique()
        money, how = None, "nothing was replayed, so no money can be named"
        if promised.worth is not None:
            money = max(0.0, promised.worth) * periods / of
            earned = f"the {promised.worth:,.2f} {promised.currency} that a period earned in the replay"
            how = f"{periods} of the last {of} periods, times {earned}"
        yield Alert(
            kind="nothing-decided",
            what=f"Nothing could decide in {periods} of the last {of} periods. The newest: {_short(none['falls'].drop_nulls())}",
            since=none["at"].min(),  # type: ignore[arg-type]
            money_at_risk=money,
            reckoned=how,
        )


def _slow(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Answers that take most of the time there is."""
    limit = promised.release.decider.policy.time_limit or TIME_LIMIT
    seconds = lived.answers["seconds"].drop_nulls()
    close = _mean(seconds > _CLOSE * limit)
    if len(seconds) >= _FEWEST_ANSWERS and close > _MORE_FALLS:
        money, how = at_risk(promised, close, "of the answers come close to the limit, at most")
        what = f"{close:.0%} of {len(seconds)} answers took more than {_CLOSE:.0%} of the limit of {limit:g} s."
        yield Alert(kind="slow-solves", what=what, money_at_risk=money, reckoned=how)


def _gaps(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Plans that are proved less well than the replay's."""
    if promised.decided is None or "gap" not in promised.decided.columns:
        return
    then = promised.decided.group_by("period").agg(pl.col("gap").first())["gap"].drop_nulls()
    now = lived.answers["gap"].drop_nulls()
    if len(now) < _FEWEST_ANSWERS or then.is_empty():
        return
    usual, live = float(then.quantile(0.95) or 0.0), float(now.median() or 0.0)  # type: ignore[arg-type]
    if live > max(2.0 * usual, usual + _SMALLEST_GAP):
        what = f"The solver's median gap is {live:.1%}; in the replay, 95 % of the periods were below {usual:.1%}."
        worth = max(0.0, promised.worth or 0.0)
        earned = f"the {worth:,.2f} {promised.currency} that a period earned in the replay"
        how = f"{live - usual:.1%} more gap, times {earned}, at most"
        yield Alert(kind="solver-gaps", what=what, money_at_risk=(live - usual) * worth, reckoned=how)


def _churned(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Plans that change more from period to period than the replay's."""
    if promised.decided is None:
        return
    period, unit = promised.problem.key
    for column in promised.problem.decisions:
        now = churn(lived.decided, period, unit, column)
        then = churn(promised.decided, "period", "unit", column)
        if now.height < _FEWEST_PERIODS or then.height < now.height:
            continue
        means = [_mean(then["churn"].slice(first, now.height)) for first in stretches(then.height, now.height)]
        live, usual = _mean(now["churn"]), max(means)
        if live > max(MARGIN * usual, usual + _MORE_CHURN):
            what = f"{live:.0%} of the plan ({column}) changes from a period to the next"
            what += f"; in the replay {usual:.0%} at most in {now.height} periods."
            yield Alert(kind="plan-churn", about=column, what=what, reckoned="changing plans cost what no value counts")


def churn(decided: pl.DataFrame, period: str, unit: str, column: str) -> pl.DataFrame:
    """For each period after one, which share of the plan is another than the period before: `period` and `churn`.

    Of numbers, what was added or taken away over what was there in both together; of words, the units that got another one.

    >>> plans = pl.DataFrame({"day": [1, 1, 2, 2], "van": ["a", "b"] * 2, "load": [4.0, 4.0, 2.0, 6.0]})
    >>> churn(plans, "day", "van", "load").rows()
    [(2, 0.25)]
    """
    places = pl.col(period).rank("dense").alias("place")
    plans = decided.select(period, unit, column, places).drop_nulls()
    before = plans.select(unit, pl.col("place") + 1, pl.col(column).alias("before"))
    both = plans.join(before, on=[unit, "place"])
    if plans.schema[column].is_numeric():
        moved = (pl.col(column).cast(pl.Float64) - pl.col("before")).abs().sum()
        there = pl.col(column).cast(pl.Float64).abs().sum() + pl.col("before").abs().sum()
        share = pl.when(there > 0).then(moved / there).otherwise(0.0)
    else:
        share = (pl.col(column) != pl.col("before")).mean()
    return both.group_by(period).agg(share.alias("churn")).sort(period)


def _drifted(promised: Promised, lived: Lived) -> Iterator[Alert]:
    """Decisions that are distributed otherwise than the replay's."""
    if promised.decided is None or lived.decided.is_empty() or len(lived.periods) < _FEWEST_PERIODS:
        return
    now = lived.decided.rename({promised.problem.period: "period"})
    for column in promised.problem.decisions:
        said = found(now, promised.decided, "period", column)
        if said is not None and said.is_far and said.drift.p_value < _LEVEL:
            money, how = at_risk(promised, said.drift.moved, "of the decisions, at most, lie where none did before")
            what = f"{column} {in_words(said, said.drift.p_value)}"
            yield Alert(kind="decision-drift", about=column, what=what, money_at_risk=money, reckoned=how)


def _mean(values: pl.Series) -> float:
    return 0.0 if values.is_empty() else float(values.cast(pl.Float64).to_numpy().mean())


def _short(falls: pl.Series) -> str:
    text = str(falls[-1]) if len(falls) else "no reason was logged"
    return text if len(text) <= 200 else text[:197] + "..."
