"""The replay: the same for every policy and on every engine, computed once, and clear about what failed."""

import re
import sys

import polars as pl
import pytest

from shipworthy.engine import first_replayed, replay
from shipworthy.errors import InvalidInputError, UserCodeError
from shipworthy.project import open_project
from shipworthy.research.evidence import pair
from shipworthy.step import History, Rung, seed_of
from tests.problems import HERE, SHOP, THERE, deciding, make_project, replay_of, sales, shop, tracks

SEEING = (
    SHOP
    + """
@shop.policy
class Seeing(Yesterday):
    def decide(self, now, fitted):
        return now.rows.select("item", stock=pl.lit(float(now.seed)))

shop.policy(name="seeing_too")(Seeing)
"""
)


def test_a_policy_against_itself_differs_by_exactly_nothing_in_every_period(tmp_path):
    """Under another name, computed on its own, every decision, value and seed is the same."""
    project = make_project(tmp_path / "shop")
    replayed = replay_of(project)
    today, twin = (replay(replayed, name, HERE) for name in ("today", "twin"))
    paired = pair(replayed.problem, today, twin)

    assert (today.fits, twin.fits) == (4, 4)
    assert paired.height == 27 * 3
    assert (paired["value_champion"] - paired["value_challenger"]).to_list() == [0.0] * paired.height
    assert today.without_telemetry().equals(twin.without_telemetry())


def test_two_engines_give_identical_tracks(tmp_path):
    """One process and two give the same rows, seeds and rungs; only the seconds differ."""
    [here] = tracks(make_project(tmp_path / "here"), "better")
    [there] = tracks(make_project(tmp_path / "there"), "better", engine=THERE)

    assert here.fits == there.fits == 4
    assert here.table.drop("seconds").equals(there.table.drop("seconds"))


def test_champion_and_challenger_get_the_same_periods_units_and_seeds(tmp_path):
    """What differs between two policies is what they decide, nothing of what they are given."""
    seeing, too, today = tracks(make_project(tmp_path / "shop", SEEING), "seeing", "seeing_too", "today")
    given = ["day", "item", "seed"]

    assert seeing.table.select(given).equals(today.table.select(given))
    assert seeing.table["stock"].to_list() == too.table["stock"].to_list()
    assert seeing.table["seed"].to_list() == [seed_of(1, period) for period in seeing.table["day"]]
    assert seeing.table["stock"].cast(pl.Int64).to_list() == seeing.table["seed"].to_list()


def test_a_fit_sees_what_was_known_at_the_first_period_of_its_block(tmp_path):
    """The rows of a fit grow by its cadence, and never hold a period whose outcome is out."""
    source = SHOP + (
        "\n@shop.policy\nclass Counting(Yesterday):\n"
        "    def decide(self, now, fitted):\n        return [float(fitted)] * now.rows.height\n"
    )
    [track] = tracks(make_project(tmp_path / "shop", source), "counting")
    per_day = track.table.group_by("day", maintain_order=True).first()["stock"].to_list()
    assert per_day == [39.0] * 7 + [60.0] * 7 + [81.0] * 7 + [102.0] * 6


def test_nothing_is_computed_twice(tmp_path):
    """A second replay reads what the first one kept, and gives the same."""
    project = make_project(tmp_path / "shop")
    [first], [again] = tracks(project, "better"), tracks(project, "better")

    assert (first.fits, first.blocks, again.fits, again.blocks) == (4, 4, 0, 4)
    assert again.table.equals(first.table)


CHANGES = {
    "the policy": ("problem.py", 'stock=1 * pl.col("sold").mean()', 'stock=pl.col("sold").mean() + 1'),
    "a single figure": ("problem.py", "stock=1 * pl.col", "stock=2 * pl.col"),
    "the value": ("problem.py", '- pl.col("stock")', '- 1.5 * pl.col("stock")'),
    "the rows": ("problem.py", "3 * place + day % 7", "3 * place + day % 6"),
    "the seed": ("shipworthy.toml", "[project]", "[research]\nseed = 2\n[project]"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_computed_again(tmp_path, monkeypatch, what):
    """Another policy, value, row or seed is other work: everything is computed, by the new code, in the same second."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file, old, new = CHANGES[what]
    project = make_project(tmp_path / "shop")
    [before] = tracks(project, "better")
    text = (project.root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (project.root / file).write_text(text.replace(old, new), encoding="utf-8")
    [after] = tracks(open_project(project.root), "better")

    assert after.fits == 4
    assert not after.table.drop("seconds").equals(before.table.drop("seconds"))


@pytest.mark.parametrize("engine", [HERE, THERE])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        ('raise ValueError("Found array with 0 samples")', "ValueError: Found array with 0 samples"),
        ("raise type('Odd', (Exception,), {'__init__': lambda self, a, b: None})(1, 2)", "Odd"),
        ("raise SystemExit('out')", "SystemExit: out"),
    ],
)
def test_a_fit_that_raises_names_policy_period_and_cause(tmp_path, engine, error, says):
    """The project's own mistake is a clear error on every engine, whatever its exception looks like."""
    source = SHOP + f"\n@shop.policy\nclass Failing(Better):\n    def fit(self, past):\n        {error}\n"
    with pytest.raises(UserCodeError) as raised:
        tracks(make_project(tmp_path / "shop", source), "failing", engine=engine)
    assert re.match(r"Policy 'failing' could not be fitted at 2026-0\d-\d\d, on \d+ rows: ", str(raised.value))
    assert says in str(raised.value)


def test_a_fallback_that_cannot_be_fitted_does_not_end_the_replay(tmp_path):
    """Where policy and fallback both fail, the replay goes on, and says so in each period."""
    source = SHOP.replace("return past.height", 'raise ValueError("no")') + (
        "\n@shop.policy\nclass Raising(sw.Policy):\n    def decide(self, now, fitted):\n        raise ValueError('never')\n"
    )
    [track] = tracks(make_project(tmp_path / "shop", source), "raising")

    assert track.table["rung"].unique().to_list() == ["none"]
    assert track.table["value"].null_count() == track.table.height
    assert "raising: ValueError: never; Policy 'today' could not be fitted at 2026-01-14" in track.table["falls"][0]


def test_the_last_plan_stays_the_last_one_that_there_was(tmp_path):
    """A period in which nothing could be decided does not take the plan away from the period after it."""
    source = SHOP + (
        "\n@shop.constraint\ndef not_on_the_second_day(decided):\n"
        "    return pl.lit(decided['day'][0] != FIRST + timedelta(days=14))\n"
        "\n@shop.policy\nclass Once(Better):\n    def decide(self, now, fitted):\n"
        "        return [1.0, 2.0, 3.0] if now.period == FIRST + timedelta(days=13) else None\n"
    )
    source = source.replace('decision="stock")', 'decision="stock", fallback="once")')
    [track] = tracks(make_project(tmp_path / "shop", source), "once")
    rungs = track.table.group_by("day", maintain_order=True).first()["rung"].to_list()

    assert rungs[:7] == [Rung.POLICY, Rung.NONE] + [Rung.LAST_PLAN] * 5
    assert track.table.filter(rung=Rung.LAST_PLAN)["stock"].unique().sort().to_list() == [1.0, 2.0, 3.0]


def test_falls_are_priced_like_any_decision(tmp_path):
    """What the fallback decided is worth what it is worth."""
    source = SHOP + (
        "\n@shop.policy\nclass Absent(sw.Policy):\n    refit = '7d'\n"
        "    def decide(self, now, fitted):\n        raise ValueError('absent')\n"
    )
    absent, today = tracks(make_project(tmp_path / "shop", source), "absent", "today")

    assert absent.table["rung"].unique().to_list() == ["fallback"]
    assert absent.table["value"].to_list() == today.table["value"].to_list()


@pytest.mark.parametrize(
    ("periods", "of"),
    [
        ("[datetime(2026, 1, 1) + timedelta(minutes=30 * n) for n in range(40)]", pl.Datetime("us")),
        ("[datetime(2026, 1, 1, tzinfo=__import__('datetime').UTC) + timedelta(hours=n) for n in range(40)]",
         pl.Datetime("us", "UTC")),
        ("pl.Series([datetime(2026, 1, 1) + timedelta(hours=n) for n in range(40)], dtype=pl.Datetime('ns'))",
         pl.Datetime("ns")),
        ("pl.Series([datetime(2026, 1, 1) + timedelta(hours=n) for n in range(40)], dtype=pl.Datetime('ms'))",
         pl.Datetime("ms")),
        ("pl.Series(range(40), dtype=pl.Int16)", pl.Int16),
        ("pl.Series(range(40), dtype=pl.UInt32)", pl.UInt32),
        ("[10**12 + n for n in range(40)]", pl.Int64),
    ],
)  # fmt: skip
def test_periods_of_every_kind_come_out_as_they_went_in(tmp_path, periods, of):
    """Times in any precision and zone, and whole numbers in any width, key the track as they key the rows."""
    source = SHOP.replace(
        "frame(made_up_rows)",
        f"frame(pl.DataFrame({{'day': {periods}, 'item': 'ham', 'price': 2.0}}).with_columns(sold=pl.lit(3.0)))",
    ).replace('decision="stock")', 'decision="stock", outcome_delay="0", warm_up="10")')
    source = source.replace('memory = "1d"', 'memory = "1"').replace("class Yesterday", "class Older")
    source = source.replace("(Yesterday)", "(Flat)").replace(
        "shop.policy(champion", "class Flat(sw.Policy):\n    def decide(self, now, fitted):\n"
        "        return [2.0]\n\nshop.policy(champion", 1,
    )  # fmt: skip
    replayed = replay_of(make_project(tmp_path / "shop", source))
    if of.is_temporal():
        replayed.problem.warm_up = None
    [track] = [replay(replayed, "today", HERE)]

    assert track.table.schema["day"] == of
    assert track.table["value"].to_list() == [2.0] * track.table.height
    assert track.table["day"].to_list() == replayed.history.periods[-track.table.height :]


def test_decisions_may_be_words(tmp_path):
    """A policy that decides words is replayed, also through a period in which nothing could be decided."""
    source = SHOP.replace('pl.min_horizontal("stock", "sold") * pl.col("price") - pl.col("stock")', "pl.lit(1.0)") + (
        "\n@shop.policy\nclass Words(sw.Policy):\n    def decide(self, now, fitted):\n"
        "        return ['up', 'up', 'down'] if now.period > FIRST + timedelta(days=13) else None\n"
    )
    source = source.replace('decision="stock")', 'decision="stock", fallback="words")')
    [track] = tracks(make_project(tmp_path / "shop", source), "words")

    assert track.table["stock"].to_list() == [None] * 3 + ["up", "up", "down"] * 26
    assert track.table["value"].null_count() == 3


@pytest.mark.parametrize("name", ["value", "rung", "seed", "seconds", "gap"])
def test_a_name_that_the_evidence_needs_is_refused_before_anything_runs(tmp_path, name):
    """A decision, a unit or a guardrail cannot have the name of a column of the track."""
    for source in (
        SHOP.replace('decision="stock"', f'decision="{name}"'),
        SHOP.replace('unit="item"', f'unit="{name}"'),
    ):
        problem = source.replace('{"day": FIRST', f'{{"{name}": place, "day": FIRST')
        with pytest.raises(UserCodeError, match=f"uses {name} for a key, a decision or a guardrail"):
            tracks(make_project(tmp_path / "shop", problem), "today")


def test_a_guardrail_with_the_name_of_a_decision_is_refused(tmp_path):
    """One of the two would silently take the other's place."""
    source = SHOP + "\n@shop.guardrail(margin=0.1)\ndef stock(happened):\n    return pl.col('sold')\n"
    with pytest.raises(UserCodeError, match="uses stock for a key, a decision or a guardrail"):
        tracks(make_project(tmp_path / "shop", source), "today")


def test_every_fit_ends_its_gap_before_the_block_it_is_for(tmp_path):
    """With a gap of 5 days each block's fit has seen five days less than it would have without."""
    counting = SHOP + (
        "\n@shop.policy\nclass Counting(Yesterday):\n    def decide(self, now, fitted):\n"
        "        return now.rows.select('item', stock=pl.lit(float(fitted)))\n"
        "\n@shop.policy\nclass Late(Counting):\n    gap = '5d'\n"
    )
    counted, late = (
        track.table.group_by("day").agg(pl.col("stock").first()).sort("day")["stock"]
        for track in tracks(make_project(tmp_path / "shop", counting), "counting", "late")
    )
    assert counted.to_list()[::7] == [13 * 3, 20 * 3, 27 * 3, 34 * 3]
    assert (counted - late).unique().to_list() == [5 * 3]


@pytest.mark.parametrize("declared", [{"gap": "soon"}, {"gap": None}, {"refit": "0d"}])
def test_a_span_that_cannot_be_used_is_refused_when_the_policy_is_made(declared):
    """A gap may be empty and must be a span; a cadence may not be empty."""
    problem = shop()
    problem.policy(name="odd")(deciding(lambda now: None, **declared))
    with pytest.raises(UserCodeError, match=f"'odd' has a {next(iter(declared))}"):
        problem.make_policy("odd")


@pytest.mark.parametrize(("warm_up", "first"), [(None, 3), ("0d", 0), ("4d", 4), ("90h", 4)])
def test_the_replay_begins_after_the_warm_up_or_a_third(warm_up, first):
    """The first period that is replayed follows from the declaration."""
    problem = shop(warm_up=warm_up)
    history = History(problem, sales(10))
    assert first_replayed(problem, history) == history.periods[first]


@pytest.mark.parametrize(("days", "warm_up"), [(10, "10d"), (0, None), (0, "1d")])
def test_a_warm_up_that_leaves_nothing_is_refused(days, warm_up):
    """The message says how many periods there are and what to change."""
    problem = shop(warm_up=warm_up)
    history = History(problem, sales(10).head(3 * days))
    with pytest.raises(InvalidInputError, match=f"Nothing is left to replay: {days} periods"):
        first_replayed(problem, history)
