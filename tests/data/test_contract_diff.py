"""Two contracts side by side: each difference, whether it breaks what was good, and whom."""

import pytest

from shipworthy.data.contract import parse_contract
from shipworthy.data.contract_diff import compare_contracts
from tests.problems import shop

X = "[columns]\nx = {{ type = {} }}"
BOTH = "breaks rows and requests: "
ROWS = "breaks rows: "
LOOSENS = "loosens: "


def compared(old, new):
    """Every difference as it is told."""
    before, now = (parse_contract(text.encode(), "contracts/shop.toml") for text in (old, new))
    return [str(found) for found in compare_contracts(before, now, shop())]


CASES = {
    "an entry that came": ("", X.format("'text'"), BOTH + "columns.x has an entry now"),
    "an entry that went": (X.format("'text'"), "", LOOSENS + "columns.x has no entry any more"),
    "a wider type": (X.format("'integer'"), X.format("'number'"), LOOSENS + "columns.x.type is number instead of integer"),
    "a narrower type": (X.format("'number'"), X.format("'integer'"), BOTH + "columns.x.type is integer instead of number"),
    "another type": (X.format("'text'"), X.format("'date'"), BOTH + "columns.x.type is date instead of text"),
    "required": (X.format("'text'"), X.format("'text', required = true"), BOTH + "columns.x.required is true instead of false"),
    "not required": (
        X.format("'text', required = true"), X.format("'text'"), LOOSENS + "columns.x.required is false instead of true"
    ),
    "a higher min": (X.format("'number', min = 0"), X.format("'number', min = 1"), BOTH + "columns.x.min is 1 instead of 0"),
    "a lower min": (X.format("'number', min = 1"), X.format("'number', min = 0"), LOOSENS + "columns.x.min is 0 instead of 1"),
    "a new min": (X.format("'number'"), X.format("'number', min = 0"), BOTH + "columns.x.min is 0 now, and was not there"),
    "no min": (X.format("'number', min = 0"), X.format("'number'"), LOOSENS + "columns.x.min is not there any more, and was 0"),
    "a lower max": (X.format("'number', max = 3"), X.format("'number', max = 2"), BOTH + "columns.x.max is 2 instead of 3"),
    "a higher max": (X.format("'number', max = 2"), X.format("'number', max = 3"), LOOSENS + "columns.x.max is 3 instead of 2"),
    "a new list": (X.format("'text'"), X.format("'text', one_of = ['a']"), BOTH + "columns.x.one_of allows only a now"),
    "no list": (X.format("'text', one_of = ['a']"), X.format("'text'"), LOOSENS + "columns.x.one_of allows every value now"),
    "a longer list": (
        X.format("'text', one_of = ['a']"), X.format("'text', one_of = ['b', 'a']"), LOOSENS + "columns.x.one_of allows b too"
    ),
    "another list": (
        X.format("'text', one_of = ['a']"), X.format("'text', one_of = ['b']"),
        BOTH + "columns.x.one_of allows a no more and allows b too",
    ),
    "a new pattern": (
        X.format("'text'"), X.format("'text', pattern = 'a'"), BOTH + "columns.x.pattern is a now, and was not there"
    ),
    "another pattern": (
        X.format("'text', pattern = 'a'"), X.format("'text', pattern = 'b'"), BOTH + "columns.x.pattern is b instead of a"
    ),
    "no pattern": (
        X.format("'text', pattern = 'a'"), X.format("'text'"), LOOSENS + "columns.x.pattern is not there any more, and was a"
    ),
    "the outcome": (
        "[columns]\nsold = { type = 'integer' }", "[columns]\nsold = { type = 'integer', min = 0 }",
        ROWS + "columns.sold.min is 0 now, and was not there",
    ),
    "a new rule": ("", "[rules]\nr = 'x > 0'", BOTH + "rules.r is new: x > 0"),
    "a rule about the outcome": ("", "[rules]\nr = 'x > sold'", ROWS + "rules.r is new: x > sold"),
    "another rule": ("[rules]\nr = 'x > 0'", "[rules]\nr = 'x > 1'", BOTH + "rules.r is x > 1 instead of x > 0"),
    "no rule": ("[rules]\nr = 'x > 0'", "", LOOSENS + "rules.r is no rule any more"),
    "freshness": ("", "freshness = '2d'", ROWS + "freshness is 2d now, and was not there"),
    "shorter": ("freshness = '2d'", "freshness = '36h'", ROWS + "freshness is 36h instead of 2d"),
    "longer": ("freshness = '2d'", "freshness = '1w'", LOOSENS + "freshness is 1w instead of 2d"),
    "any age": ("freshness = '2d'", "", LOOSENS + "freshness is not there any more, and was 2d"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_difference_says_whether_it_breaks(case):
    """What could refuse a row that was good breaks; requests are named where they are held against it too."""
    old, new, told = CASES[case]
    assert compared(old, new) == [told]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[rules]\nr = 'x > 0'", "# another name\n[rules]\nq = 'x > 0'"),
        ("freshness = '2d'", "freshness = '48h'"),
        (X.format("'text', one_of = ['a', 'b']"), X.format("'text', one_of = ['b', 'a']")),
        (X.format("'number', min = 0"), X.format("'number', min = 0.0")),
    ],
)
def test_what_says_the_same_is_no_difference(old, new):
    """Names of rules, units of time, order and remarks change nothing."""
    assert compared(old, new) == []


def test_bounds_of_another_type_break():
    """What cannot be compared is counted as breaking."""
    new = X.format("'date', min = 2026-01-01")
    assert compared(X.format("'number', min = 0"), new) == [
        BOTH + "columns.x.type is date instead of number",
        BOTH + "columns.x.min is 2026-01-01 instead of 0",
    ]
