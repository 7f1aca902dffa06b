"""Live trials through their public doors: tables in, a verdict out, and never a traceback."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis import (
    SwitchbackPlan,
    TrialDecision,
    judge_canary,
    judge_shadow,
    judge_switchback,
    plan_switchback,
)
from shipworthy.errors import InvalidInputError
from shipworthy.statistics.assignment import arm_of

START = datetime(2026, 9, 7)
PLAN = SwitchbackPlan(seed="autumn", start=START, days=28, block_hours=4.0, carry_over_hours=1.0)


def shadow(rng, gain, periods=90, units=4):
    """A shadow, or a replay, of independent days."""
    size = periods * units
    champion = rng.normal(100.0, 10.0, size=size)
    return pl.DataFrame(
        {
            "period": np.repeat(np.arange(periods), units),
            "unit": np.tile(np.arange(units), periods),
            "value_champion": champion,
            "value_challenger": champion + gain + rng.normal(size=size),
        }
    )


def canary(rng, gain, *, kept=False, units=24, periods=60, share=0.5):
    """A canary whose arms come from the hash, of shops that earn 70 to 130."""
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(periods)]
    sizes = rng.permutation(np.linspace(70.0, 130.0, units))
    rows = []
    for day in days:
        for unit in range(units):
            arm = arm_of("trial", unit, *([] if kept else [day]), share=share)
            value = sizes[unit] + rng.normal() + (gain if arm == "challenger" else 0.0)
            rows.append({"period": day, "unit": f"shop {unit}", "arm": arm, "value": value})
    before = [
        {"period": days[0] - timedelta(days=back), "unit": f"shop {unit}", "value": sizes[unit] + rng.normal()}
        for back in range(1, 31)
        for unit in range(units)
    ]
    return pl.DataFrame(rows), pl.DataFrame(before)


def switchback(rng, gain, plan=PLAN, *, felt_hours=1):
    """Hours of a switchback: the arm of the hour before is still felt for some hours."""
    hours = pl.datetime_range(plan.start, plan.start + timedelta(days=plan.days), "1h", closed="left", eager=True)
    blocks = plan.blocks()
    parts = []
    for market in plan.markets:
        own = pl.DataFrame({"at": hours}).join_asof(
            blocks.filter(market=market).select("arm", "start", at="start"), on="at"
        )
        tried = (own["arm"] == "challenger").to_numpy()
        felt = tried.copy()
        felt[felt_hours:] = tried[:-felt_hours] if felt_hours else tried
        daily = np.repeat(rng.normal(0.0, 5.0, size=plan.days), 24)
        value = 100.0 + daily + gain * felt + rng.normal(size=hours.len())
        parts.append(own.select("at", "arm").with_columns(value=pl.Series(value), market=pl.lit(market)))
    return pl.concat(parts)


@pytest.mark.parametrize(("gain", "decision"), [(0.5, "ship"), (-0.5, "roll back"), (0.0, "undecided")])
def test_shadow_is_judged_against_its_backtest(gain, decision):
    """A gain ships, a loss is taken back by the interval, and nothing stays undecided."""
    rng = np.random.default_rng(1)

    found = judge_shadow(shadow(rng, gain), backtest=shadow(rng, 0.0, 180))

    assert (str(found.decision), found.look) == (decision, 90)
    assert found.low < gain < found.high
    assert found.trigger == ("interval" if gain < 0 else None)


def test_shadow_pauses_on_a_disaster_and_rolls_back_late_harm():
    """One day beyond anything seen asks a human; a loss that begins after four good months is taken back by the CUSUM."""
    rng = np.random.default_rng(2)
    backtest, live = shadow(rng, 0.0, 200), shadow(rng, 0.0, 200)
    awful = live.with_columns(value_challenger=pl.col("value_challenger") - 60.0 * (pl.col("period") == 20))
    late = live.with_columns(value_challenger=pl.col("value_challenger") - 0.6 * (pl.col("period") >= 120))

    paused, taken = judge_shadow(awful, backtest=backtest), judge_shadow(late, backtest=backtest)

    assert (paused.decision, paused.trigger, paused.decided_at) == (TrialDecision.PAUSE, "breaker", 21)
    assert (taken.decision, taken.trigger) == (TrialDecision.ROLL_BACK, "cusum")
    assert 120 < taken.decided_at < 170


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(("gain", "decision"), [(2.0, "ship"), (-2.0, "roll back"), (0.0, "undecided")])
def test_canary_is_judged_whether_arms_are_drawn_anew_or_kept(kept, gain, decision):
    """Both designs find a gain and a loss of 2 %, give the true one in their interval, and see nothing where there is nothing."""
    rows, before = canary(np.random.default_rng(3), gain, kept=kept)

    found = judge_canary(rows, share=0.5, arms="kept" if kept else "anew", before=before)

    assert (str(found.decision), found.look) == (decision, 60)
    assert found.low < gain < found.high
    assert sum(found.sample_ratio.counts) == (24 if kept else rows.height)


def test_canary_takes_a_forecast_made_before_the_period():
    """A model's forecast, where there is one, takes the place of the unit's own mean; a poor one costs width, not truth."""
    rows, before = canary(np.random.default_rng(4), 2.0)

    own = judge_canary(rows, share=0.5, before=before)
    poor = judge_canary(rows.with_columns(forecast=100.0), share=0.5)

    assert poor.high - poor.low > 2.0 * (own.high - own.low)
    assert poor.low < 2.0 < poor.high


def test_canary_that_lost_rows_of_one_arm_is_invalid():
    """A tenth of the challenger's rows missing is a mismatch, whatever the gain looks like."""
    rng = np.random.default_rng(5)
    rows, before = canary(rng, 5.0, periods=120)
    lost = (pl.col("arm") == "challenger") & pl.Series(rng.random(rows.height) < 0.15)

    found = judge_canary(rows.filter(~lost), share=0.5, before=before)

    assert found.decision is TrialDecision.INVALID
    assert "not filled as planned" in found.reasons[0]
    assert np.isnan(found.mean)


def test_canary_of_whole_periods_counts_its_coins_by_the_period():
    """Where all units of a period share an arm there are as many coins as periods, and the verdict still holds."""
    rows, before = canary(np.random.default_rng(6), 0.0)
    days = {day: arm_of("t", day, share=0.5) for day in rows["period"].unique()}
    together = rows.with_columns(arm=pl.col("period").replace_strict(days))

    found = judge_canary(together, share=0.5, before=before)

    assert sum(found.sample_ratio.counts) == 60
    assert found.decision is TrialDecision.UNDECIDED


def test_a_design_that_is_not_the_one_told_is_invalid():
    """Arms that are kept are not drawn anew, and the other way round; few units are sent to a switchback."""
    rng = np.random.default_rng(7)
    anew, _ = canary(rng, 0.0)
    kept, _ = canary(rng, 0.0, kept=True)
    few, _ = canary(rng, 0.0, kept=True, units=12)

    found = [
        judge_canary(kept, share=0.5),
        judge_canary(anew, share=0.5, arms="kept"),
        judge_canary(few, share=0.5, arms="kept"),
    ]

    assert {one.decision for one in found} == {TrialDecision.INVALID}
    assert "kept its arm" in found[0].reasons[0]
    assert "decided by both arms" in found[1].reasons[0]
    assert "Use a switchback." in found[2].reasons[0]


@pytest.mark.parametrize(("gain", "decision"), [(3.0, "ship"), (-3.0, "roll back"), (0.0, "undecided")])
def test_switchback_is_judged_pair_by_pair(gain, decision):
    """Of 84 pairs, days that swing by 5 and an hour of carry-over, the true gain comes out without bias."""
    found = judge_switchback(switchback(np.random.default_rng(8), gain), PLAN)

    assert (str(found.decision), found.look) == (decision, 84)
    assert found.low < gain < found.high
    assert found.sample_ratio.counts == (84, 84)
    assert "With 2 hours of each block dropped instead of 1" in found.notes[0]


def test_carry_over_that_is_not_dropped_hides_a_gain():
    """Where an hour of the other's decisions counts, a quarter of each block does, the estimate falls short."""
    short = SwitchbackPlan(seed="autumn", start=START, days=28, block_hours=4.0)
    rows = switchback(np.random.default_rng(9), 40.0, short)

    assert judge_switchback(rows, short).mean < 33.0
    assert judge_switchback(rows, PLAN).mean == pytest.approx(40.0, abs=2.0)


def test_switchback_of_several_markets_averages_them():
    """Four markets with coins of their own halve the interval of one."""
    four = SwitchbackPlan(**{**PLAN.to_dict(), "start": START, "markets": ("n", "e", "s", "w")})
    rng = np.random.default_rng(10)

    one, together = (judge_switchback(switchback(rng, 1.0, plan), plan) for plan in (PLAN, four))

    assert together.look == one.look == 84
    assert together.low < 1.0 < together.high
    assert 0.3 < (together.high - together.low) / (one.high - one.low) < 0.75


def test_switchback_read_once_decides_only_at_its_end():
    """With one look planned nothing is decided before; at the end the t interval is narrower than the one for all looks."""
    rows = switchback(np.random.default_rng(11), 3.0)
    half = rows.filter(pl.col("at") < START + timedelta(days=20))

    early, end = (judge_switchback(one, PLAN, looks="end") for one in (half, rows))
    every = judge_switchback(rows, PLAN)

    assert early.decision is TrialDecision.UNDECIDED
    assert (end.decision, end.decided_at) == (TrialDecision.SHIP, 84)
    assert every.low < end.low < end.high < every.high


def test_few_pairs_are_decided_by_their_coins():
    """Six pairs that all gain could be chance once in 32 times, five once in 16: only six can ship."""
    found = []
    for days in (10, 12):
        plan = SwitchbackPlan(seed="s", start=START, days=days, block_hours=24.0)
        rows = switchback(np.random.default_rng(12), 60.0, plan, felt_hours=0)
        found.append(judge_switchback(rows, plan, looks="end"))

    assert [str(one.decision) for one in found] == ["undecided", "ship"]
    assert "with probability 0.0312" in found[1].notes[0]


def test_switchback_that_was_played_otherwise_is_invalid():
    """Arms that were logged are held against the plan: a few strays are kept as planned, many end the trial."""
    rows = switchback(np.random.default_rng(13), 3.0)
    swapped = rows.with_columns(arm=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("champion")).otherwise("arm"))

    found = judge_switchback(swapped, PLAN)

    assert found.decision is TrialDecision.INVALID
    assert "another arm than was planned" in found.reasons[0]


def test_plan_is_the_same_from_its_seed_and_balanced():
    """Seed and plan give the blocks, whoever computes them; each pair has both arms at the same hours of adjacent days."""
    blocks = PLAN.blocks()
    pairs = blocks.sort("start").group_by("pair").agg("start", "arm")

    assert SwitchbackPlan.from_dict(json.loads(json.dumps(PLAN.to_dict()))) == PLAN
    assert SwitchbackPlan.from_dict(PLAN.to_dict()).digest == PLAN.digest
    assert all(set(arms) == {"champion", "challenger"} for arms in pairs["arm"])
    assert all(second - first == timedelta(days=1) for first, second in pairs["start"])
    assert (blocks["counts_from"] - blocks["start"]).unique().to_list() == [timedelta(hours=1)]
    firsts = [arms[0] for arms in pairs["arm"]]
    assert 0.3 < firsts.count("challenger") / len(firsts) < 0.7
    assert (
        SwitchbackPlan(**{**PLAN.to_dict(), "start": START, "markets": ("all",), "seed": "x"}).blocks().equals(blocks)
        is False
    )


def test_planned_days_show_the_planned_gain():
    """Hours of eight weeks plan a trial in which that gain is shown in at least seven of ten seeds."""
    rng = np.random.default_rng(14)
    history = switchback(rng, 0.0, SwitchbackPlan(seed="past", start=START, days=56, block_hours=4.0)).drop("arm")

    plan = plan_switchback(history, gain=4.0, carry_over_hours=1.0, seed="autumn", start=START)
    shipped = [judge_switchback(switchback(rng, 4.0, plan), plan).decision is TrialDecision.SHIP for _ in range(20)]

    assert plan.block_hours == 3.0
    assert 2 <= plan.days <= 28
    assert np.mean(shipped) >= 0.7


def trials():
    """One of each kind, with how it is judged."""
    rng = np.random.default_rng(15)
    backtest = shadow(rng, 0.0, 120)
    anew, _ = canary(rng, 1.0)
    kept, before = canary(rng, 1.0, kept=True)
    return {
        "shadow": (shadow(rng, 0.3), lambda rows: judge_shadow(rows, backtest=backtest)),
        "alone": (shadow(rng, 0.3), judge_shadow),
        "anew": (anew, lambda rows: judge_canary(rows, share=0.5)),
        "kept": (kept, lambda rows: judge_canary(rows, share=0.5, arms="kept", before=before)),
        "switchback": (switchback(rng, 1.0), lambda rows: judge_switchback(rows, PLAN)),
    }


@pytest.mark.parametrize("kind", trials())
def test_order_of_rows_does_not_matter(kind):
    """Shuffled rows give the same verdict to the last bit."""
    rows, judge = trials()[kind]

    assert judge(rows.sample(fraction=1.0, shuffle=True, seed=1)) == judge(rows)


@pytest.mark.parametrize("kind", ["shadow", "alone", "anew", "kept", "switchback"])
def test_the_first_decision_period_by_period_is_the_one_at_once(kind):
    """Whoever looks after every period sees the decision fall where the whole table says that it fell."""
    rows, judge = trials()[kind]
    when = "at" if kind == "switchback" else "period"
    looks = sorted(rows[when].unique())
    # Not every period: what is compared is where the decision fell, not when somebody looked.
    daily = [judge(rows.filter(pl.col(when) <= at)) for at in looks[:: 24 if kind == "switchback" else 3]]
    at_once = judge(rows)
    first = next((one.decided_at for one in daily if one.decided_at), None)

    assert first == at_once.decided_at
    assert all(one.decision in {TrialDecision.UNDECIDED, at_once.decision, TrialDecision.INVALID} for one in daily)


@pytest.mark.parametrize("kind", ["shadow", "anew", "kept", "switchback"])
def test_rows_nobody_can_use_end_in_a_reason(kind):
    """No rows, rows without numbers and rows twice are invalid with a sentence; the verdict can be written as JSON."""
    rows, judge = trials()[kind]
    column = "value_challenger" if kind == "shadow" else "value"
    worst = [rows.clear(), rows.with_columns(pl.lit(float("nan")).alias(column)), rows.head(1)]
    if kind != "switchback":
        worst.append(pl.concat([rows, rows.head(1)]))

    for bad in worst:
        found = judge(bad)
        assert found.decision in {TrialDecision.INVALID, TrialDecision.UNDECIDED}
        assert found.reasons[0].endswith(".")
        json.dumps(found.to_dict())


@pytest.mark.parametrize("kind", ["shadow", "anew", "kept", "switchback"])
def test_missing_columns_and_texts_for_money_are_refused(kind):
    """A column that is missing is named with those that are there; a text is no amount."""
    rows, judge = trials()[kind]
    column = "value_challenger" if kind == "shadow" else "value"

    with pytest.raises(InvalidInputError, match=f"has no column '{column}'"):
        judge(rows.drop(column))
    with pytest.raises(InvalidInputError, match="Give numbers"):
        judge(rows.with_columns(pl.lit("much").alias(column)))
    with pytest.raises(InvalidInputError, match="Give a Polars DataFrame"):
        judge([1, 2, 3])


def test_settings_out_of_range_are_refused():
    """Shares, bounds, arms, plans and clocks that mean nothing are refused with what to write instead."""
    rows, _ = canary(np.random.default_rng(16), 0.0, periods=3)

    for share, alpha, margin in ((1.0, 0.05, None), (0.5, 0.0, None), (0.5, 0.05, -1.0)):
        with pytest.raises(InvalidInputError, match="Give"):
            judge_canary(rows, share=share, alpha=alpha, margin=margin)
    with pytest.raises(InvalidInputError, match="'anew' or 'kept'"):
        judge_canary(rows, share=0.5, arms="sometimes")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(InvalidInputError, match="'champion' or 'challenger'"):
        judge_canary(rows.with_columns(arm=pl.lit("b")), share=0.5)
    with pytest.raises(InvalidInputError, match="not before it"):
        judge_canary(rows, share=0.5, before=rows)
    with pytest.raises(InvalidInputError, match="days = 3"):
        SwitchbackPlan(seed="s", start=START, days=3, block_hours=4.0)
    with pytest.raises(InvalidInputError, match=r"block_hours = 5\.0"):
        SwitchbackPlan(seed="s", start=START, days=2, block_hours=5.0)
    with pytest.raises(InvalidInputError, match="less than a block"):
        SwitchbackPlan(seed="s", start=START, days=2, block_hours=4.0, carry_over_hours=4.0)
    with pytest.raises(InvalidInputError, match="730 days"):
        plan_switchback(switchback(np.random.default_rng(1), 0.0), gain=1e-6, carry_over_hours=1, seed="s", start=START)
    with pytest.raises(InvalidInputError, match="time zone"):
        judge_switchback(
            switchback(np.random.default_rng(1), 0.0),
            SwitchbackPlan(seed="s", start=START.replace(tzinfo=UTC), days=2, block_hours=4.0),
        )


def test_time_zones_count_the_hours_that_pass():
    """A plan and a log in two time zones meet where their instants do."""
    zoned = SwitchbackPlan(**{**PLAN.to_dict(), "start": START.replace(tzinfo=UTC), "markets": ("all",)})
    rows = switchback(np.random.default_rng(17), 3.0)
    berlin = rows.with_columns(pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin"))

    assert judge_switchback(berlin, zoned) == judge_switchback(rows, PLAN)
