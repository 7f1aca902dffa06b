"""The proof that nothing leaks: every planted leak is found on real data, and clean work raises no alarm."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest

from shipworthy.data import leakage
from shipworthy.data.leakage import find_leaks, is_preparation_proved
from shipworthy.data.scramble import KINDS
from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Policy, PredictThenOptimize, Problem
from shipworthy.sources.files import parquet
from shipworthy.sources.frame import frame
from tests.problems import HERE, SHOP, THERE, deciding, laid, make_project, replay_of, sales, shop

KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen"
DISHES = ("calamari", "fish", "shrimp", "chicken", "koefte", "lamb", "steak")
WEATHER = ("wind", "clouds", "rain", "sunshine", "temperature")
BY_DISH: dict[str, Any] = {"partition_by": "dish", "order_by": "date"}
DEMAND = pl.col("demand")
YESTERDAY = DEMAND.shift(1).over(**BY_DISH)


def long(days: pl.DataFrame) -> pl.DataFrame:
    """One row per day and dish, with the prices of the dishes."""
    rows = days.unpivot(
        on=DISHES, index=["date", "is_holiday", "is_closed", *WEATHER], variable_name="dish", value_name="demand"
    )
    return rows.join(pl.read_parquet(KITCHEN / "data" / "dishes.parquet"), on="dish").sort("date", "dish")


class Line:
    """Least squares on the features that are there."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Line":
        """Learns the weights."""
        self.weights = np.linalg.lstsq(np.nan_to_num(X), y, rcond=None)[0]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Forecasts."""
        return np.nan_to_num(X) @ self.weights


def line(*features, **fields):
    """A least-squares policy on these features."""
    return lambda: PredictThenOptimize(model=Line(), features=list(features), target="demand", **fields)


def kitchen(prepare=None, policy=None, raw=None, **changes) -> Problem:
    """The kitchen of the example, its rows prepared by `prepare` besides, with one policy."""
    daily = parquet(str(KITCHEN / "data" / "daily.parquet")) if raw is None else frame(raw)
    source = daily.then(lambda days: (prepare or (lambda rows: rows))(long(days)))
    problem = Problem(
        "kitchen",
        rows=source,
        period="date",
        unit="dish",
        outcome="demand",
        decision="portions",
        **{"known_after": (*WEATHER, *DISHES)} | changes,
    )
    problem.value(lambda happened: pl.min_horizontal("portions", "demand"))
    problem.policy(name="tried")(policy or line("price_eur"))
    return problem


def laid_with_champion(problem, folder):
    """A replay of the problem, which gets a champion to be complete."""
    if problem.champion is None:
        problem.policy(name="today", champion=True)(deciding(lambda now: [0.0] * now.rows.height))
    return laid(problem, Path(folder))


def leaks_of(problem):
    """What the proof finds for the policy."""
    with TemporaryDirectory() as folder:
        return find_leaks(laid_with_champion(problem, folder), "tried", HERE)


def is_proved(problem):
    """Whether the second question can be asked of the problem."""
    with TemporaryDirectory() as folder:
        return is_preparation_proved(laid_with_champion(problem, folder))


def added(**columns):
    """A preparation that adds columns."""
    return lambda rows: rows.with_columns(**columns)


PLANTED = {
    "a window that reaches into the future": added(
        smooth=DEMAND.rolling_mean(7, center=True, min_samples=1).over(**BY_DISH)
    ),
    "a lag of the wrong sign": added(lag=DEMAND.shift(-1).over(**BY_DISH)),
    "a column made from the outcome": added(revenue=DEMAND * pl.col("price_eur")),
    "the target encoded over the whole table": added(usual=DEMAND.mean().over("dish")),
    "a scaler fitted on the whole table": added(scaled=(YESTERDAY - DEMAND.mean()) / DEMAND.std()),
    "a rank over the whole table": added(rank=YESTERDAY.rank()),
    "a join that ignores the time": lambda rows: rows.join(
        rows.group_by("dish").agg(best=DEMAND.sort_by("date").last()), on="dish"
    ),
    "gaps filled from what came after": added(
        lag=pl.when(pl.col("date").dt.weekday() > 3).then(YESTERDAY).backward_fill().over(**BY_DISH)
    ),
    "the weather of the day under another name": added(warmth=pl.col("temperature") * 1.8 + 32),
}


@pytest.mark.parametrize("leak", PLANTED)
def test_a_preparation_that_looks_ahead_is_found_whether_or_not_a_policy_uses_it(leak):
    """Each kind of leak in the rows shows by its column, even where no policy reads it yet."""
    [found] = leaks_of(kitchen(PLANTED[leak]))
    assert found.kind == "preparation"
    assert len(found.columns) == 1
    assert set(found.sources) == ({"temperature"} if "weather" in leak else {*DISHES})
    assert "looks ahead" in found.why


def test_a_feature_that_is_known_too_late_is_refused_by_its_name():
    """Nothing needs to run for that."""
    [found] = leaks_of(kitchen(policy=line("price_eur", "temperature", "rain")))
    assert (found.kind, found.columns, found.period) == ("feature", ("temperature", "rain"), None)
    assert found.why == "temperature and rain of a period are known only after it was decided."


HOLDING = """
TABLE = made_up_rows()

@shop.policy
class Knowing(sw.Policy):
    def decide(self, now, fitted):
        return {decide}
"""


@pytest.mark.parametrize(
    "decide",
    [
        'now.rows.select("day", "item").join(TABLE, on=["day", "item"]).select("item", stock="sold")',
        'now.rows.select("item").join(TABLE.group_by("item").agg(stock=pl.col("sold").mean()), on="item")',
    ],
)
def test_a_policy_that_reads_a_whole_table_of_its_module_is_found(tmp_path, decide):
    """A table with period and outcome that a module holds is scrambled too: looking it up gives itself away."""
    replayed = replay_of(make_project(tmp_path / "shop", SHOP + HOLDING.format(decide=decide)))
    problem = replayed.problem
    [found] = find_leaks(replayed, "knowing", HERE)

    assert (found.kind, found.columns, found.sources) == ("decision", ("stock",), ("sold",))
    assert find_leaks(replayed, "better", HERE) == []
    held = type(problem.make_policy("knowing")).decide.__globals__["TABLE"]
    assert held.equals(problem.rows.load(replayed.project.root))


PLACES = {
    "a dictionary": ('TABLES = {"all": made_up_rows()}', 'TABLES["all"]'),
    "a list": ("TABLES = [made_up_rows()]", "TABLES[0]"),
    "a class": ("class Store:\n    table = made_up_rows()", "Store.table"),
    "a query that was not run yet": ("LATER = made_up_rows().lazy()", "LATER.collect()"),
    "the period under another name": (
        'OTHER = made_up_rows().rename({"day": "at"})', 'OTHER.rename({"at": "day"})',
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_table_is_found_wherever_a_module_holds_it(tmp_path, place):
    """In a dictionary, a list, a class, as a lazy frame or with another name for the time."""
    held, table = PLACES[place]
    decide = f'now.rows.select("day", "item").join({table}, on=["day", "item"]).select("item", stock="sold")'
    source = SHOP + HOLDING.format(decide=decide).replace("TABLE = made_up_rows()", held)
    [found] = find_leaks(replay_of(make_project(tmp_path / "shop", source)), "knowing", HERE)
    assert (found.kind, found.columns, found.sources) == ("decision", ("stock",), ("sold",))


COUNTING = {
    "how many rows lie ahead": 'now.rows.select("item", stock=pl.lit(TABLE.height))',
    "how often a unit comes ahead": (
        'now.rows.select("item").join(TABLE.filter(pl.col("day") > now.period).group_by("item").agg(stock=pl.len()), on="item")'
    ),
}


@pytest.mark.parametrize("look", COUNTING)
def test_a_policy_that_only_counts_what_lies_ahead_is_found(tmp_path, look):
    """It reads no value of the future, and yet it knows how many there will be: rows ahead are taken away as well."""
    replayed = replay_of(make_project(tmp_path / "shop", SHOP + HOLDING.format(decide=COUNTING[look])))
    [found] = find_leaks(replayed, "knowing", HERE)
    assert (found.kind, found.columns, found.sources) == ("decision", ("stock",), ())
    assert found.why.endswith("differently when only how many rows lie ahead of it changed.")


def test_a_fit_that_reads_ahead_is_found_on_workers_as_it_is_here(tmp_path, monkeypatch):
    """A mean over the whole table learnt in `fit` moves the decisions; workers find what this process finds."""
    fit = "    def fit(self, past):\n        return TABLE['sold'].mean()\n\n    def decide"
    knowing = HOLDING.format(decide='now.rows.select("item", stock=pl.lit(fitted))').replace("    def decide", fit)
    replayed = replay_of(make_project(tmp_path / "shop", SHOP + knowing))
    told = []
    here = find_leaks(replayed, "knowing", HERE, lambda done, of: told.append((done, of)))
    assert [(leak.kind, leak.sources) for leak in here] == [("decision", ("sold",))]
    assert told[-1] == (7, 7)

    monkeypatch.setattr(leakage, "_PATIENCE", 0.0)
    assert find_leaks(replayed, "knowing", THERE) == here


def test_a_preparation_that_gives_other_rows_each_time_is_told_from_a_leak():
    """Noise without a seed proves nothing; it is called what it is."""
    rng = np.random.default_rng(3)
    [found] = leaks_of(kitchen(lambda rows: rows.with_columns(noise=pl.Series(rng.normal(size=rows.height)))))
    assert (found.kind, found.columns) == ("chance", ("noise",))


HARMLESS = {
    "days without an outcome are left out": lambda rows: rows.filter(DEMAND.is_not_null() & (DEMAND > 0)),
    "the outcome is that of the day after, and the last day has none": (
        lambda rows: rows.with_columns(demand=DEMAND.shift(-1).over(**BY_DISH)).drop_nulls("demand")
    ),
    "outliers are left out": lambda rows: rows.filter(pl.col("demand") < 95),
    "one column per kind of day, some of which come up late": (
        lambda rows: rows.with_columns(year=pl.col("date").dt.year()).to_dummies("year")
    ),
}


@pytest.mark.parametrize("rule", HARMLESS)
def test_rules_about_which_rows_there_are_raise_no_alarm(rule):
    """Rows may be left out for their own outcome, and a category may come up later: nothing known was changed by it."""
    assert leaks_of(kitchen(HARMLESS[rule])) == []


def test_keeping_only_units_that_will_do_well_is_found():
    """Which rows there are says something too, where the choice rests on what lies ahead."""

    def best(rows):
        return rows.filter(DEMAND.mean().over("dish") > 12)

    [found] = leaks_of(kitchen(best))
    assert (found.kind, found.columns) == ("preparation", ("dish",))


def test_a_policy_that_reads_only_the_past_of_such_a_table_is_clean(tmp_path):
    """Holding a table is no leak; reading ahead in it is."""
    past = (
        'now.rows.select("item").join(TABLE.filter(pl.col("day") < now.period).group_by("item").agg('
        'stock=pl.col("sold").mean()), on="item", how="left")'
    )
    replayed = replay_of(make_project(tmp_path / "shop", SHOP + HOLDING.format(decide=past)))
    assert find_leaks(replayed, "knowing", HERE) == []


def usual(now: Now) -> pl.DataFrame:
    """The mean of what is remembered."""
    means = now.past.group_by("dish").agg(portions=DEMAND.mean())
    return now.rows.select("dish").join(means, on="dish", how="left", maintain_order="left")


class Remembering(Policy):
    """Learns the mean per dish and a jitter of its own seed, and decides with another."""

    memory = "7d"
    refit = "28d"

    def fit(self, past):
        """Learns."""
        return dict(past.group_by("dish").agg(DEMAND.mean()).rows()), np.random.default_rng(5).normal()

    def decide(self, now, fitted):
        """Decides with the seed of the period."""
        means, jitter = fitted
        noise = np.random.default_rng(now.seed).normal(size=now.rows.height)
        return np.array([means[dish] for dish in now.rows["dish"]]) + jitter + noise


def lags(rows):
    """Features that look back."""
    return rows.with_columns(lag=YESTERDAY, lag_7=DEMAND.shift(7).over(**BY_DISH))


CLEAN = {
    "nothing but prices": (None, line("price_eur", "unit_cost_eur")),
    "the calendar": (added(weekday=pl.col("date").dt.weekday(), month=pl.col("date").dt.month()), line("weekday")),
    "holidays, known beforehand": (None, line("is_holiday", "is_closed", "price_eur")),
    "yesterday": (added(lag=YESTERDAY), line("lag")),
    "a window over the past": (added(smooth=YESTERDAY.rolling_mean(7, min_samples=1).over(**BY_DISH)), line("smooth")),
    "a mean that grows": (added(mean=YESTERDAY.cum_sum().over(**BY_DISH) / 10), line("mean")),
    "yesterday's weather": (added(warmth=pl.col("temperature").shift(1).over(**BY_DISH)), line("warmth", "price_eur")),
    "gaps filled from what came before": (added(lag=YESTERDAY.forward_fill().over(**BY_DISH)), line("lag")),
    "a code per dish": (added(code=pl.col("dish").rank("dense")), line("code")),
    "a scaler with constants": (added(scaled=(YESTERDAY - 20) / 7), line("scaled")),
    "an as-of join": (
        lambda rows: rows.sort("date").join_asof(
            rows.select("date", "dish", before=DEMAND).sort("date"),
            on="date", by="dish", strategy="backward", allow_exact_matches=False,
        ),
        line("before"),
    ),
    "the target encoded up to yesterday": (
        added(usual=YESTERDAY.cum_sum().over(**BY_DISH) / DEMAND.is_not_null().cum_sum().over(**BY_DISH)),
        line("usual"),
    ),
    "lags that the policy derives": (None, line("lag", "lag_7", derive=lags, memory="14d")),
    "a policy that refits": (None, line("lag", derive=lags, memory="7d", refit="7d", train_window="90d")),
    "a longer delay": (added(lag=DEMAND.shift(3).over(**BY_DISH)), line("lag"), {"outcome_delay": "3d"}),
    "a mean of what is remembered": (None, deciding(usual, memory="28d")),
    "last week": (None, deciding(lambda now: now.past.head(7).select("dish", portions="demand"), memory="7d")),
    "seeds of its own and of the period": (None, Remembering),
    "always the same": (None, deciding(lambda now: [10.0] * now.rows.height)),
    "a solver with a limit": (
        None, line("price_eur", optimise=lambda now, forecast: np.floor(forecast), time_limit=30.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("policy", CLEAN)
def test_clean_work_raises_no_alarm(policy):
    """Twenty ways to use what is known: the calendar, lags, windows over the past, seeds, solvers."""
    prepare, make, *rest = CLEAN[policy]
    assert leaks_of(kitchen(prepare, make, **(rest[0] if rest else {}))) == []


def test_chance_without_a_seed_is_told_from_a_leak():
    """A policy that does not decide twice the same proves nothing; it is called what it is."""
    rng = np.random.default_rng(3)
    [found] = leaks_of(kitchen(policy=deciding(lambda now: rng.normal(size=now.rows.height))))
    assert found.kind == "chance"
    assert "differently when it was asked twice the same" in found.why


def test_a_policy_that_never_decides_is_no_clean_one():
    """Nothing moves where nothing is decided: that is said, with the reason, instead of passing as clean."""
    [found] = leaks_of(kitchen(policy=deciding(lambda now: now.rows.select("dish", portions="demand"))))
    assert found.kind == "silent"
    assert "ColumnNotFoundError" in found.why


def test_a_policy_that_decides_sometimes_is_judged_by_that():
    """A fall on one of the days that are tried is for the ladder, not for the proof."""
    early = kitchen(policy=deciding(lambda now: [1.0] * 7 if now.period.year > 2014 else None))
    assert leaks_of(early) == []


def test_rows_whose_raw_table_has_another_name_for_the_time_are_proved_too():
    """The only column of the raw table that holds times says when, in the course of a day too."""
    orders = sales(12).select(
        at=pl.col("day").cast(pl.Datetime) + pl.duration(hours=pl.int_range(pl.len()) % 20),
        item=pl.col("item"),
        n=pl.col("sold"),
    )

    def daily(raw):
        return raw.group_by(day=pl.col("at").dt.date(), item="item", maintain_order=True).agg(sold=pl.col("n").sum())

    def ahead(raw):
        return daily(raw).with_columns(usual=pl.col("sold").mean())

    for prepare, expected in ((daily, []), (ahead, [("usual",)])):
        problem = shop(known_after=("n",), rows=frame(orders).then(prepare))
        problem.policy(name="tried")(deciding(lambda now: [1.0] * now.rows.height))
        assert [leak.columns for leak in leaks_of(problem)] == expected
        assert is_proved(problem)


@pytest.mark.parametrize("kept", ["kept", "declared"])
def test_a_date_of_what_came_after_deciding_does_not_say_when(kept):
    """The day of a departure lies after that of the arrival: rows are not cut by it, and a clean preparation raises no alarm."""
    stays = sales(12).select(
        pl.col("day").dt.to_string().alias("arrival"), "item", "sold", left=pl.col("day") + pl.duration(days=3)
    )
    rows = frame(stays).then(lambda raw: raw.with_columns(day=pl.col("arrival").str.to_date()))
    problem = shop(rows=rows, known_after=("left",) if kept == "declared" else ())
    problem.policy(name="tried")(deciding(lambda now: [1.0] * now.rows.height))
    assert leaks_of(problem) == []
    assert not is_proved(problem)


def test_a_raw_table_that_does_not_say_when_leaves_the_preparation_unproved():
    """Dates that are text in the raw table cannot be told apart by time, and that is said."""
    text = sales(12).with_columns(pl.col("day").cast(pl.String))
    problem = shop(rows=frame(text).then(lambda raw: raw.with_columns(pl.col("day").str.to_date())))
    assert not is_proved(problem)


def test_a_preparation_that_knows_only_its_codes_is_tried_with_other_codes_that_occur():
    """Numbers that are codes cannot be stretched: the preparation is tried with values it has seen."""
    coded = sales(12).with_columns(kind=pl.int_range(pl.len()) % 2)
    names = pl.col("kind").replace_strict({0: "even", 1: "odd"})

    for prepare, expected in (
        (lambda raw: raw.with_columns(name=names), []),
        (lambda raw: raw.with_columns(name=names.shift(-3)), [("name",)]),
    ):
        problem = shop(rows=frame(coded).then(prepare))
        problem.policy(name="tried")(deciding(lambda now: [1.0] * now.rows.height))
        assert [leak.columns for leak in leaks_of(problem)] == expected


def test_a_preparation_that_bears_no_other_future_is_named():
    """It cannot be proved, and the message says what it raised."""
    rows = sales(12)

    def strict(raw):
        if not raw.equals(rows):
            raise ValueError("never seen")
        return raw

    problem = shop(rows=frame(rows).then(strict))
    problem.policy(name="tried")(deciding(lambda now: [1.0] * now.rows.height))
    with pytest.raises(UserCodeError, match=r"preparation of the rows raised when.*ValueError: never seen"):
        leaks_of(problem)


def test_what_history_decided_is_no_clue():
    """A policy that copies the decision which stands in the rows cannot: it is not there for the period to decide."""
    rows = sales(12).with_columns(stock=pl.col("sold"))
    problem = shop(rows=frame(rows))
    problem.policy(name="tried")(deciding(lambda now: now.rows.select("item", "stock")))
    [found] = leaks_of(problem)
    assert found.kind == "silent"


def test_the_policies_of_the_starter_are_clean(bakery):
    """What `shipworthy init` lays raises no alarm."""
    replayed = replay_of(bakery, "bakery")
    for policy in replayed.problem.policies:
        assert find_leaks(replayed, policy, HERE) == []


TOMORROW = DEMAND.shift(-1).over(**BY_DISH)

ONE_KIND_ONLY: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "a value ahead that no known value reaches": ("drawn", (TOMORROW > 100).fill_null(value=False), DISHES),
    "how many rows of a dish there are": ("cut", pl.len().over("dish"), ()),
    "up to when there are rows": ("cut", pl.col("date").max(), ()),
    "the last time a dish was there": ("cut", pl.col("date") == pl.col("date").max().over("dish"), ()),
    "whether something is measured tomorrow": (
        "null",
        pl.col("wind").is_null().shift(-1).over(**BY_DISH).fill_null(value=False),
        ("wind",),
    ),
    "whether nothing is asked for tomorrow": ("zero", (TOMORROW == 0).fill_null(value=False), DISHES),
    "whether a price ahead is below nothing": ("negated", (TOMORROW < 0).fill_null(value=False), DISHES),
}


@pytest.mark.parametrize("look", ONE_KIND_ONLY)
def test_each_kind_of_another_unknown_finds_what_no_other_finds(look, monkeypatch):
    """A look ahead that only one kind moves is found, traced to its columns, and missed where that kind is left out."""
    kind, expression, sources = ONE_KIND_ONLY[look]
    raw = pl.read_parquet(KITCHEN / "data" / "daily.parquet")
    with_gaps = raw.with_columns(wind=pl.when(pl.col("date").dt.day() < 31).then("wind"))
    problem = kitchen(added(seen=expression), raw=with_gaps)

    [found] = leaks_of(problem)
    assert (found.kind, found.columns) == ("preparation", ("seen",))
    assert set(found.sources) <= set(sources)
    assert bool(found.sources) == bool(sources)

    others = tuple(one for one in KINDS if one != kind)
    monkeypatch.setattr(leakage, "KINDS", others)
    monkeypatch.setattr(leakage, "OCCURRING", "drawn")
    assert leaks_of(problem) == []
