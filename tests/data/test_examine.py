"""The Data stage: testable or not and why, recorded, and a gate that knows when the answer is of something else."""

from dataclasses import asdict
from typing import Any

import pytest

from shipworthy.data.examine import examine_data, read_answer
from shipworthy.data.gate import missing
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import code_digest
from shipworthy.errors import GateClosedError, InvalidInputError, NotFoundError, UserCodeError
from shipworthy.ideas.register import find_idea
from shipworthy.project.code import load_problem
from tests.problems import SHOP, make_project


def examined(tmp_path, source=SHOP, **idea):
    """The answer for the first idea of a small project."""
    return examine_data(make_project(tmp_path / "shop", source, {1: idea}), 1)


def what(answer):
    """What keeps the idea from being tested."""
    return [gap.what for gap in answer.gaps]


def test_a_sound_idea_is_testable_and_the_answer_is_recorded(bakery):
    """The starter's idea can be proved; the record holds the whole answer, and the gate is open."""
    told = []
    answer = examine_data(bakery, 1, lambda done, of: told.append((done, of)))
    record = bakery.records.get("data", "0001")

    assert answer.is_testable
    assert (answer.leaks, answer.remarks, answer.quarantine) == ([], [], None)
    assert answer.profile["n_periods"] == 400
    assert answer.provable["periods"] == 267
    assert 0 < answer.provable["smallest_detectable"] < answer.provable["smallest_worth"] == 5.0
    assert told[-1] == (1, 1)
    assert open_snapshot(bakery, answer.snapshot).height == 1200
    assert record.by == "tester"
    assert {**asdict(read_answer(record)), "profile": 0} == {**asdict(answer), "profile": 0}
    assert missing(bakery, find_idea(bakery, 1), answer.code) == []


def test_the_same_rows_are_the_same_snapshot(bakery):
    """A snapshot is named by its content: examined again, nothing new is kept, and the record says so."""
    first, again = examine_data(bakery, 1), examine_data(bakery, 1)
    assert first.snapshot == again.snapshot
    assert len(bakery.records.history("data", "0001")) == 2


def test_an_idea_that_is_not_written_out_is_not_examined(tmp_path):
    """The gate from Idea names every field that is missing."""
    with pytest.raises(GateClosedError, match=r"Idea to Data for idea 1 is closed.*(?s:.)*does not say why"):
        examined(tmp_path, texts={"because": ""})


@pytest.mark.parametrize(
    ("idea", "error", "says"),
    [
        ({"texts": {"challenger": "bettr"}}, NotFoundError, "No policy 'bettr'. Did you mean 'better'"),
        ({"texts": {"problem": "shoop"}}, NotFoundError, "No problem 'shoop'. Did you mean 'shop'"),
    ],
)
def test_an_idea_about_nothing_is_refused(tmp_path, idea, error, says):
    """A misspelt challenger or problem gets the right one suggested."""
    with pytest.raises(error) as refused:
        examined(tmp_path, **idea)
    assert says in str(refused.value)


NOT_TESTABLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "the champion against itself": (SHOP, {"texts": {"challenger": "today"}}, "The challenger is the champion itself."),
    "outcomes that depend on the decision": (
        SHOP.replace('decision="stock"', 'decision="stock", counterfactual=False'), {},
        "Outcomes depend on what was decided, and the rows do not say what was.",
    ),
    "too few periods": (SHOP.replace("days=40", "days=7"), {}, "There are 7 usable periods."),
    "no outcome at all": (
        SHOP.replace('"sold": 3 * place + day % 7}', '"sold": None}'), {}, "No row has an outcome yet.",
    ),
    "an unknown guardrail": (SHOP, {"more": "[guardrails]\nwaste = 0.1"}, "The problem has no guardrail waste."),
    "a hope below what luck does": (
        SHOP.replace("day % 7", "(day * 7919) % 101").replace("days=40", "days=120")
        .replace("return past.height", "return past['sold'].mean()")
        .replace('stock="sold")', 'stock=0.5 * pl.col("sold") + 0.5 * fitted)'),
        {"worth": "smallest_gain = 0.01\nexpected_gain = [0.01, 0.02, 0.03]"},
        "Even the 0.03 EUR per period hoped for could not be told from luck",
    ),
    "a leak": (
        SHOP.replace(
            "frame(made_up_rows)", "frame(made_up_rows).then(lambda raw: raw.with_columns(m=pl.col('sold').mean()))"
        ), {}, "It leaks: m of 2026-01-14 changed",
    ),
    "a challenger that never decides": (
        SHOP.replace('memory = "14d"', 'memory = "0d"'), {}, "It decided no period that was tried: better: 3 of 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_TESTABLE)
def test_what_cannot_be_tested_is_answered_and_keeps_the_gate_closed(tmp_path, case):
    """Each obstacle is a gap with a remedy, recorded, and research does not begin."""
    source, idea, says = NOT_TESTABLE[case]
    project = make_project(tmp_path / "shop", source, {1: idea})
    answer = examine_data(project, 1)

    assert not answer.is_testable
    assert [line for line in what(answer) if line.startswith(says)]
    assert all(gap.remedy for gap in answer.gaps)
    assert missing(project, find_idea(project, 1), answer.code) == answer.gaps


def test_bad_rows_are_kept_beside_the_snapshot_and_remarked_on(tmp_path):
    """Quarantine is an object with a reason in each row; copies, gaps and holes are told in figures."""
    tail = """
def spoilt():
    good = made_up_rows()
    bad = good.head(2).with_columns(item=pl.lit(None, dtype=pl.String))
    kept = good.filter((pl.col("day") != FIRST + timedelta(days=20)) & ((pl.col("item") != "tea") | (pl.col("price") < 0)))
    open_ = pl.when(pl.col("day") < FIRST + timedelta(days=39)).then("sold")
    return pl.concat([kept.with_columns(open_), kept.head(1), bad]).with_columns(empty=pl.lit(None, dtype=pl.Float64))
"""
    source = SHOP.replace("\nshop = sw.Problem", f"{tail}\nshop = sw.Problem").replace("made_up_rows)", "spoilt)", 1)
    answer = examined(tmp_path, source)

    assert answer.is_testable
    assert answer.remarks[:5] == [
        "2 rows are set apart: 2 x item is empty.",
        "1 rows were exact copies of others and count once.",
        "1 periods are missing between the first and the last.",
        "2 rows have no outcome yet.",
        "Columns without any value: empty.",
    ]
    assert answer.quarantine.startswith("quarantine/")


def test_rows_whose_raw_dates_are_text_are_remarked_on(tmp_path):
    """Where the preparation could not be proved, the answer says so instead of staying silent."""
    source = SHOP.replace(
        "frame(made_up_rows)",
        "frame(lambda: made_up_rows().with_columns(pl.col('day').cast(pl.String))).then("
        "lambda raw: raw.with_columns(pl.col('day').str.to_date()))",
    )
    assert any("could not be ruled out" in remark for remark in examined(tmp_path, source).remarks)


def test_a_vain_hope_is_a_remark_where_no_differences_could_be_measured(tmp_path):
    """A stand-in may be far too large for two policies alike, so it stops nobody."""
    source = SHOP.replace("day % 7", "(day * 7919) % 101").replace("days=40", "days=120")
    worth = {"worth": "smallest_gain = 0.01\nexpected_gain = [0.01, 0.02, 0.03]"}
    answer = examine_data(make_project(tmp_path / "shop", source, {1: worth}), 1)
    assert answer.is_testable
    assert any("Even the 0.03 EUR per period hoped for" in remark for remark in answer.remarks)


def test_few_periods_are_a_remark(tmp_path):
    """A verdict to ship needs 28 of them."""
    assert examined(tmp_path).remarks == ["Only 27 periods are judged: a verdict to ship needs 28."]


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        (
            SHOP.replace("made_up_rows(days=40):", "made_up_rows(days=40):\n    1 / 0"),
            UserCodeError,
            "ZeroDivisionError",
        ),
        (SHOP.replace("days=40", "days=0"), InvalidInputError, "no column 'day'"),
        (SHOP.replace("day % 7", "oops"), UserCodeError, "NameError: name 'oops' is not defined"),
    ],
)
def test_rows_that_cannot_be_had_are_a_clear_error(tmp_path, source, error, says):
    """Reading the rows is the project's own code: what it raises names the problem and the cause."""
    with pytest.raises(error, match="problem 'shop'") as refused:
        examined(tmp_path, source)
    assert says in str(refused.value)


def test_another_idea_or_other_code_closes_the_gate_again(bakery):
    """The answer is about one challenger and one state of the code."""
    idea = find_idea(bakery, 1)
    assert [gap.what for gap in missing(bakery, idea)] == ["The data have not been examined for this idea."]
    answer = examine_data(bakery, 1)

    path = bakery.root / "problem.py"
    path.write_text(path.read_text(encoding="utf-8").replace("1.1", "1.2"), encoding="utf-8")
    changed = code_digest(*load_problem(bakery, "bakery"), idea.challenger)
    assert [gap.what for gap in missing(bakery, idea, changed)] == ["The code changed since the data were examined."]
    assert missing(bakery, idea, answer.code) == []

    file = bakery.root / "ideas" / "0001-same-weekday.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"same_weekday"', '"yesterday"'), encoding="utf-8")
    [gap] = missing(bakery, find_idea(bakery, 1))
    assert gap.what.startswith("The idea names another problem or challenger")
    assert gap.remedy == "Run `shipworthy data 1`."


def test_a_champion_that_never_decides_is_named(bakery):
    """A champion whose decisions cannot be used refuses every idea, with its reason: there is nothing to compare with."""
    code = bakery.root / "problem.py"
    code.write_text(code.read_text().replace('loaves="demand")', 'loafs="demand")'))
    answer = examine_data(bakery, 1)
    [gap] = answer.gaps
    assert "The champion 'yesterday' decided no period" in gap.what
    assert "without loaves" in gap.what
