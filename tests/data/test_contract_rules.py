"""A contract's file: every rule finds its bad row and no other, and whatever is wrong with the file is said with its place."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.data.contract import parse_contract, read_contract
from shipworthy.data.examine import examine_data
from shipworthy.data.freshness import stale
from shipworthy.data.gate import missing
from shipworthy.data.quarantine import REASON, broken_rows
from shipworthy.data.snapshot import take_snapshot
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project.code import load_problem
from shipworthy.sources.frame import frame
from tests.problems import SHOP, make_project, sales, shop

FILE = "contracts/shop.toml"
NOON = datetime(2026, 1, 1, 12)


def contract(text):
    """The contract that a text says."""
    return parse_contract(text.encode() if isinstance(text, str) else text, FILE)


def table(**columns):
    """Rows of a shop, one a day, with further columns."""
    n = len(next(iter(columns.values())))
    return pl.DataFrame({"day": range(n), "item": "ham", "sold": 1, **columns})


def held(text, rows):
    """The rows parted by the contract that a text says."""
    return broken_rows(shop(rows), rows, contract(text))


RULES = {
    "required": ("{ type = 'text', required = true }", ["a", None], "x is empty"),
    "a number that is none": ("{ type = 'number', required = true }", [1.5, float("nan")], "x is empty"),
    "min": ("{ type = 'integer', min = 0 }", [0, -1], "x is below 0"),
    "max": ("{ type = 'number', max = 2.5 }", [2.5, 2.6], "x is above 2.5"),
    "min and max": ("{ type = 'integer', min = 1, max = 9 }", [9, 10], "x is outside 1 to 9"),
    "a bound beyond the type": ("{ type = 'integer', min = -1000, max = 9 }", pl.Series([9, 10], dtype=pl.Int8),
                                "x is outside -1000 to 9"),
    "dates": ("{ type = 'date', min = 2026-01-01 }", [date(2026, 1, 1), date(2025, 12, 31)], "x is below 2026-01-01"),
    "times": ("{ type = 'datetime', max = 2026-01-01T12:00:00 }", [NOON, NOON.replace(minute=1)],
              "x is above 2026-01-01 12:00:00"),
    "times of a zone": ("{ type = 'datetime', max = 2026-01-01T13:00:00+01:00 }",
                        [NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=UTC, minute=1)], "x is above 2026-01-01 13:00:00+01:00"),
    "decimals": ("{ type = 'number', max = 2 }", pl.Series(["2.00", "2.01"]).cast(pl.Decimal(10, 2)), "x is above 2"),
    "one of texts": ("{ type = 'text', one_of = ['a', 'b'] }", ["a", "c"], "x is none of a, b"),
    "one of numbers": ("{ type = 'integer', one_of = [1, 3] }", [3, 2], "x is none of 1, 3"),
    "categories": ("{ type = 'text', one_of = ['a', 'b'] }", pl.Series(["a", "c"], dtype=pl.Categorical), "x is none of a, b"),
    "a pattern": ("{ type = 'text', pattern = '[A-Z]{2}' }", ["AB", "ABC"], "x does not match [A-Z]{2}"),
    "a pattern with a choice": ("{ type = 'text', pattern = 'a|b' }", ["b", "ab"], "x does not match a|b"),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_each_rule_finds_its_bad_row_and_no_other(case):
    """Of two rows the first keeps the rule; the second is set apart with the rule as its reason."""
    entry, values, reason = RULES[case]
    good, bad, counts = held(f"[columns]\nx = {entry}", table(x=values))
    assert good["day"].to_list() == [0]
    assert bad[REASON].to_list() == [reason]
    assert counts == {reason: 1}


@pytest.mark.parametrize("entry", [entry for entry, _, _ in RULES.values() if "required" not in entry])
def test_a_value_that_is_not_there_breaks_only_required(entry):
    """A hole is no bad value, and neither is a column without any value at all."""
    kind = {"integer": pl.Int64, "number": pl.Float64, "text": pl.String, "date": pl.Date}
    named = entry.split("'")[1]
    zone = "UTC" if "+01:00" in entry else None
    dtype = kind.get(named, pl.Datetime("us", zone))
    for values in (pl.Series([None, None], dtype=dtype), pl.Series([None, None]))[: 1 if zone else 2]:
        assert held(f"[columns]\nx = {entry}", table(x=values)).bad.is_empty()


def test_names_and_texts_of_a_rule_are_not_taken_for_queries():
    """A column called over, a text that says select, and the least of several columns look at one row only."""
    rules = """[rules]\nr = "item <> 'select (x)' AND least(a, \\"over\\") IN (1, 2) AND a % 2 = 1" """
    assert held(rules, table(a=[1, 1], over=[2, 5])).bad.is_empty()


def test_a_rule_over_several_columns_is_told_with_its_name_and_text():
    """A rule is SQL over one row; where it cannot be known because a value is missing, nothing is broken."""
    rules = "[rules]\nno_return_before_start = 'b >= a'\nodd = 'a % 2 = 1 OR b IS NULL'"
    rows = table(a=[1, 3, 5, 4], b=[1, 2, None, 3])
    good, bad, counts = held(rules, rows)
    assert good["a"].to_list() == [1, 5]
    assert bad[REASON].to_list() == [
        "breaks no_return_before_start: b >= a",
        "breaks no_return_before_start: b >= a; breaks odd: a % 2 = 1 OR b IS NULL",
    ]
    assert counts == {"breaks no_return_before_start: b >= a": 2, "breaks odd: a % 2 = 1 OR b IS NULL": 1}


def test_the_dirt_of_a_hotel_is_set_apart_with_the_right_reasons():
    """Negative guests, impossible days, one booking twice, a missing agent spelt out: each row says all that is wrong."""
    text = """
    [columns]
    adults = { type = "integer", required = true, min = 0, max = 10 }
    children = { type = "number", min = 0 }
    arrival = { type = "text", required = true, pattern = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])' }
    agent = { type = "text", pattern = "[0-9]+" }
    meal = { type = "text", one_of = ["BB", "HB"] }

    [rules]
    somebody_comes = "adults + COALESCE(children, 0) > 0"
    """
    rows = pl.DataFrame(
        [
            (1, "a", 2, 0.0, "2026-07-01", "9", "BB", 1),
            (1, "b", -1, 0.0, "2026-07-01", "9", "BB", 1),
            (1, "c", 2, None, "2026-13-01", "NULL", "BB", 1),
            (1, "d", 0, 0.0, "2026-07-01", None, "FB", 1),
            (2, "a", 2, 0.0, "2026-07-02", "14", "HB", 1),
            (2, "a", 2, 0.0, "2026-07-02", "14", "HB", 0),
            (2, "b", 1, 1.0, "2026-07-02", "14", None, 0),
            (2, "b", 1, 1.0, "2026-07-02", "14", None, 0),
        ],
        schema=["day", "booking", "adults", "children", "arrival", "agent", "meal", "cancelled"],
        orient="row",
    )
    hotel = Problem("hotel", rows=frame(rows), period="day", unit="booking", outcome="cancelled")
    good, bad, counts = broken_rows(hotel, rows, contract(text))
    assert good["booking"].to_list() == ["a", "b"]
    reasons = dict(zip(bad["booking"], bad[REASON], strict=True))
    assert reasons["b"] == "adults is outside 0 to 10; breaks somebody_comes: adults + COALESCE(children, 0) > 0"
    assert reasons["c"].startswith("arrival does not match")
    assert reasons["c"].endswith("; agent does not match [0-9]+")
    assert reasons["d"] == "meal is none of BB, HB; breaks somebody_comes: adults + COALESCE(children, 0) > 0"
    assert reasons["a"] == "another row has the same day and booking"
    assert list(counts.values()) == [2, 2, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        (
            "integer",
            ["1", " 2", "3"],
            r"but the column is text\. All its 3 texts read as integers.*cast\(pl.Int64\)",
        ),
        ("number", ["1.5", "NULL", "2"], r"2 of its 3 texts read as numbers; not so: 'NULL'.*strict=False"),
        (
            "date",
            ["2026-07-01", "2026-02-30"],
            r"1 of its 2 texts read as dates; not so: '2026-02-30'.*str\.to_date\(\)",
        ),
        ("boolean", ["yes", "no"], "is to be boolean, but the column is String. Cast it"),
        ("integer", [1.0, 2.0], "is to be integer, but the column is Float64"),
        ("datetime", [date(2026, 1, 1)], "is to be datetime, but the column is Date"),
        ("text", [1, 2], "is to be text, but the column is Int64"),
    ],
)
def test_a_column_of_another_type_is_refused_with_what_is_there(kind, values, says):
    """The message says the column, what was expected, what is there instead, and how to make it so."""
    with pytest.raises(InvalidInputError, match=rf"{FILE}: columns\.x.*{says}"):
        held(f"[columns]\nx = {{ type = '{kind}' }}", table(x=values))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[columns]\npice = { type = 'number' }", "columns.pice: No column 'pice'. Did you mean 'price'? There is: day, item"),
        ("[rules]\na = 'pice > 0'", "rules.a: No column 'pice'"),
        ("[columns]\nsold = { type = 'integer', required = true }", "columns.sold.required cannot be: sold is known only after"),
        ("[columns]\nitem = { type = 'text', pattern = '(' }", "columns.item.pattern is no regular expression"),
        ("[columns]\nat = { type = 'datetime', min = 2026-01-01T00:00:00Z }", "the column has no time zone: write no offset"),
        ("[rules]\na = 'price >'", "rules.a cannot be read as SQL"),
        ("[rules]\na = 'SELECT 1'", "rules.a cannot be read as SQL"),
        ("[rules]\na = '1 = 1'", "rules.a mentions no column"),
        ("[rules]\na = 'price'", "rules.a gives Float64, not true or false"),
        ("[rules]\na = 'item > 3'", "rules.a does not fit the columns item (String)"),
        ("[rules]\na = 'price > AVG(price)'", "rules.a looks at several rows"),
        ("[rules]\na = 'SUM(sold) > 3'", "rules.a looks at several rows"),
        ("[rules]\na = 'sold > COUNT(*)'", "rules.a looks at several rows"),
        ("[rules]\na = 'ROW_NUMBER() OVER (PARTITION BY item) = sold'", "rules.a looks at several rows"),
        ("[rules]\na = 'CAST(item AS INT) > 0'", "whether a row breaks a: CAST(item AS INT) > 0 cannot be told"),
    ],
)  # fmt: skip
def test_a_contract_that_does_not_fit_the_rows_is_refused(text, says):
    """Unknown columns, rules that are no rules of one row, and what cannot be evaluated are named with their field."""
    rows = sales(4).with_columns(pl.lit(NOON).alias("at"), pl.col("price").cast(pl.Float64))
    with pytest.raises(InvalidInputError) as refused:
        held(text, rows)
    assert says in str(refused.value)
    assert str(refused.value).startswith(FILE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("column = 3", "column is unknown. Known here: columns, rules, freshness"),
        ("columns = 3", "columns must be a section: write [columns]"),
        ("[columns]\nx = 3", "columns.x must be a section"),
        ("[columns.x]\ntype = 'text'\nrequire = true", "columns.x.require is unknown. Known here: type, required, min"),
        ("[columns.x]\nrequired = true", "columns.x.type must be one of text, number, integer"),
        ("[columns.x]\ntype = 3", "columns.x.type must be text"),
        ("[columns.x]\ntype = 'text'\nrequired = 'yes'", "columns.x.required must be true or false"),
        ("[columns.x]\ntype = 'text'\nmin = 3", "columns.x.min has no meaning for a text"),
        ("[columns.x]\ntype = 'integer'\nmin = 1.5", "columns.x.min must be a whole number"),
        ("[columns.x]\ntype = 'integer'\nmin = 9223372036854775808", "columns.x.min must be a whole number of at most 64 bits"),
        ("[columns.x]\ntype = 'number'\nmax = inf", "columns.x.max must be a number, not inf"),
        ("[columns.x]\ntype = 'number'\nmax = true", "columns.x.max must be a number, not True"),
        ("[columns.x]\ntype = 'date'\nmin = '2026-01-01'", "columns.x.min must be a date such as 2026-01-31, without quotes"),
        ("[columns.x]\ntype = 'date'\nmin = 2026-01-01T00:00:00", "columns.x.min must be a date"),
        ("[columns.x]\ntype = 'datetime'\nmin = 0001-01-01T00:00:00", "of the years 1700 to 2250"),
        ("[columns.x]\ntype = 'datetime'\nmin = 2026-01-01T00:00:00\nmax = 2026-01-02T00:00:00Z", "must both have an offset"),
        ("[columns.x]\ntype = 'number'\nmin = 3\nmax = 2", "columns.x.min is 3, above max, which is 2"),
        ("[columns.x]\ntype = 'number'\none_of = [1]", "columns.x.one_of is for text and integer only"),
        ("[columns.x]\ntype = 'text'\none_of = []", "columns.x.one_of must be a list of texts in quotes, at least one"),
        ("[columns.x]\ntype = 'integer'\none_of = ['1']", "columns.x.one_of must be a list of whole numbers"),
        ("[columns.x]\ntype = 'integer'\none_of = [7]\nmax = 5", "columns.x.one_of names 7, which min and max refuse"),
        ("[columns.x]\ntype = 'text'\none_of = ['a']\npattern = 'b'", "columns.x.pattern says nothing beside one_of"),
        ("[columns.x]\ntype = 'integer'\npattern = 'b'", "columns.x.pattern is for text only"),
        ("[columns.x]\ntype = 'text'\npattern = 3", "columns.x.pattern must be text"),
        ("[rules]\na = true", "rules.a must be text in quotes"),
        ("[rules]\na = ' '", "rules.a is empty"),
        ("freshness = 2", "freshness must be text in quotes"),
        ("freshness = 'soon'", "freshness cannot be read: 'soon' is not a span of time"),
        ("freshness = '2d", "is not valid TOML"),
        (b"\xff", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_file_that_says_nothing_sensible_is_refused_with_its_field(text, says):
    """Unknown fields, wrong types and what cannot be are each said with file and field."""
    with pytest.raises(InvalidInputError) as refused:
        contract(text)
    assert says in str(refused.value)
    assert str(refused.value).startswith(FILE)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    """A name that leads nowhere, or to a folder, is an error of its own kind."""
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_contract(tmp_path / "old.toml")


def test_the_page_on_contracts_shows_one_that_can_be_read():
    """The example of docs/contract.md is a contract, with all that the page speaks of."""
    page = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
    shown = contract(page.partition("```toml\n")[2].partition("```")[0])
    assert list(shown.columns) == ["date", "dish", "code", "price", "demand"]
    assert shown.freshness.text == "2d"


PIECES = st.sampled_from(
    ["[columns]", "[rules]", "[columns.x]", "type", "'text'", "'integer'", "=", "min", "max", "one_of", "pattern", "[", "]",
     "{", "}", "\n", "3", "1e999", "nan", "2026-01-01", "07:30:00", "true", "'a'", "x", ",", "freshness", "'2d'", ".", "#"]
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.datetimes()
    | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def _is_read_or_refused(content):
    said = FILE
    try:
        contract(content)
    except InvalidInputError as refused:
        said = str(refused)
    assert said.startswith(FILE)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.lists(PIECES, max_size=15).map(lambda parts: " ".join(parts).encode()))
def test_whatever_stands_in_the_file_is_read_or_refused(content):
    """Garbage never ends in anything but a refusal that names the file."""
    _is_read_or_refused(content)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["type", "required", "min", "max", "one_of", "pattern"]), VALUES, st.sampled_from("tnidDb"))
def test_whatever_a_field_holds_is_read_or_refused(field, value, kind):
    """A value of any type in any field of a column is read, or refused with the file's name."""
    kinds = {"t": "text", "n": "number", "i": "integer", "d": "date", "D": "datetime", "b": "boolean"}
    _is_read_or_refused(f"[columns.x]\ntype = '{kinds[kind]}'\n{field} = {_toml(value)}".encode(errors="replace"))


def _toml(value):
    """A value as TOML has it, near enough."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(name))} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else f'"{value}"' if isinstance(value, str) else str(value)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=12)
    | st.lists(
        st.sampled_from(["price", "sold", "item", "day", ">", "=", "AND", "NOT", "(", ")", "1", "'a'", "IS NULL", "SUM(", "%",
                         "CAST(", "AS INT)", "CASE WHEN", "THEN", "END", "IN (1)", "OVER", "*", "/", "LIKE", "-", "||"]),
        max_size=9,
    ).map(" ".join)
)  # fmt: skip
def test_whatever_a_rule_says_parts_the_rows_or_is_refused(text):
    """Any text as a rule is evaluated on every row by itself, or is refused with file and field."""
    rows = sales(3)
    made = parse_contract(b"", FILE)
    object.__setattr__(made, "rules", {"r": text})
    said, found = FILE, None
    try:
        found = broken_rows(shop(rows), rows, made)
    except InvalidInputError as refused:
        said = str(refused)
    assert said.startswith(FILE)
    if found is None:
        return
    assert found.good.height + found.bad.height == rows.height
    singly = sum(broken_rows(shop(row), row, made).bad.height for row in rows.iter_slices(1))
    assert singly == found.bad.height


def laid(tmp_path, text, source=SHOP):
    """A small project with a contract."""
    project = make_project(tmp_path / "shop", source)
    path = project.root / "contracts" / "shop.toml"
    path.parent.mkdir()
    path.write_text(text)
    return project, path


def test_the_answer_counts_what_is_broken_and_names_what_is_not_checked(tmp_path):
    """Bad rows are counted by rule, and a column without an entry is told."""
    project, _ = laid(
        tmp_path, "[columns]\nsold = { type = 'integer', max = 11 }\n[rules]\nb = 'sold < 12 OR price < 4'"
    )
    answer = examine_data(project, 1)
    assert answer.remarks[0] == "5 rows are set apart: 5 x sold is above 11; 5 x breaks b: sold < 12 OR price < 4."
    assert "The contract has no entry for: day, item, price." in answer.remarks


def test_a_contract_that_changed_closes_the_gate_until_data_is_run_again(tmp_path):
    """The record keeps the digest: an edit, and a contract that came or went, ask for `shipworthy data`."""
    project, path = laid(tmp_path, "[columns]\nprice = { type = 'number', min = 0 }")
    idea = find_idea(project, 1)
    answer = examine_data(project, 1)
    assert (answer.is_testable, missing(project, idea, answer.code)) == (True, [])
    assert project.records.get("data", "0001").body["contract"] == answer.contract

    before = path.read_text()
    path.write_text(before.replace("min = 0", "min = 1"))
    [gap] = missing(project, idea, answer.code)
    assert (gap.what, gap.remedy) == ("The contract changed since the data were examined.", "Run `shipworthy data 1`.")
    path.write_text(before)
    assert missing(project, idea, answer.code) == []
    path.unlink()
    assert len(missing(project, idea, answer.code)) == 1
    assert examine_data(project, 1).contract is None
    assert missing(project, idea, answer.code) == []


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (datetime(2026, 2, 11, 23, tzinfo=UTC), None),
        (
            datetime(2026, 2, 12, tzinfo=UTC),
            "The newest outcome is of 2026-02-09; the contract wants one of 2026-02-10 or later",
        ),
    ],
)
def test_rows_that_are_too_old_are_a_gap(tmp_path, now, says):
    """The newest period with an outcome counts from the moment of asking, whatever rows without one there are."""
    project, _ = laid(tmp_path, "freshness = '2d'")
    _, problem = load_problem(project, "shop")
    gaps = [gap.what for gap in stale(problem, take_snapshot(project, problem), now)]
    assert [gap.startswith(says) for gap in gaps] == ([True] if says else [])


def test_stale_rows_are_not_testable(tmp_path):
    """A history that ended long ago keeps the gate closed where the contract wants it fresh."""
    project, _ = laid(tmp_path, "freshness = '2d'", SHOP.replace("date(2026, 1, 1)", "date(2016, 1, 1)"))
    [gap] = examine_data(project, 1).gaps
    assert gap.what.startswith("The newest outcome is of 2016-02-09")
    assert gap.remedy == "Bring the rows up to date."


def test_numbers_have_no_age(tmp_path):
    """Freshness of periods that are numbers is refused."""
    project, _ = laid(tmp_path, "freshness = '2d'", SHOP.replace('"day": FIRST + timedelta(days=day)', '"day": day'))
    _, problem = load_problem(project, "shop")
    with pytest.raises(InvalidInputError, match="freshness needs periods that are dates or times, and day is a number"):
        stale(problem, take_snapshot(project, problem))
