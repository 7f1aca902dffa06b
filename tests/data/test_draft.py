"""The first draft of a contract: it takes the very rows it came from, and reads like something to edit."""

import resource
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.data.contract import Expected, find_contract, parse_contract
from shipworthy.data.draft import draft_contract, write_draft
from shipworthy.data.quarantine import broken_rows
from shipworthy.errors import AlreadyExistsError, InvalidInputError, UnavailableError
from shipworthy.problem import Problem
from shipworthy.project.code import load_problem
from shipworthy.sources.frame import frame
from tests.problems import make_project, sales, shop

N = 60


def drafted(**columns):
    """What is drafted for columns of sixty rows."""
    rows = pl.DataFrame({"day": range(N), "item": [f"i{n}" for n in range(N)], "sold": 1, **columns})
    return draft_contract(shop(rows), rows)


COLUMNS = {
    "a range, rounded outwards": (
        [n % 50 + 3 for n in range(N)], Expected(type="integer", required=True, min=0, max=60)
    ),
    "a flag": ([n % 2 for n in range(N)], Expected(type="integer", required=True, min=0, max=1)),
    "shares": ([n / 100 for n in range(N)], Expected(type="number", required=True, min=0, max=0.6)),
    "below zero": ([n / 4 - 5.2 for n in range(N)], Expected(type="number", required=True, min=-10, max=10)),
    "holes": ([None if n == 7 else n % 10 for n in range(N)], Expected(type="integer", min=0, max=9)),
    "NaN is a hole": ([float("nan") if n == 7 else n % 10 / 1 for n in range(N)], Expected(type="number", min=0, max=9)),
    "what never varies": ([7] * N, Expected(type="integer", required=True)),
    "few texts": (["ham", "jam", "tea"] * 20, Expected(type="text", required=True, one_of=("ham", "jam", "tea"))),
    "many texts": ([f"note {n}" for n in range(N)], Expected(type="text", required=True)),
    "dates go on": (
        [date(2026, 3, 1) + timedelta(days=n) for n in range(N)], Expected(type="date", required=True, min=date(2026, 1, 1))
    ),
    "times": (
        [datetime(2026, 3, 1) + timedelta(hours=n) for n in range(N)],
        Expected(type="datetime", required=True, min=datetime(2026, 1, 1)),
    ),
    "truths": ([True, False] * 30, Expected(type="boolean", required=True)),
    "nothing at all": (pl.Series([None] * N, dtype=pl.Float64), Expected(type="number")),
}  # fmt: skip


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_is_drafted_as_it_is(case):
    """Types, holes, ranges and the values of texts that come again are read off the rows."""
    values, expected = COLUMNS[case]
    assert drafted(x=values).columns["x"] == expected


def test_what_looks_like_an_identifier_is_bound_to_its_type_alone():
    """Numbers that name something have no range, and their texts no list, however few there are."""
    made = drafted(customer_id=range(N), ID=["a", "b"] * 30, country=["DE", "FR"] * 30).columns
    assert made["customer_id"] == Expected(type="integer", required=True)
    assert made["ID"] == Expected(type="text", required=True)
    assert made["country"].one_of == ("DE", "FR")


def test_units_that_are_numbers_are_left_room():
    """A new customer has a number that none had before."""
    rows = sales(30, units=(101, 102, 250))
    assert draft_contract(shop(rows), rows).columns["item"] == Expected(type="integer", required=True)


def test_period_and_outcome_are_left_room():
    """Tomorrow is later than every day there is, and its outcome is not there yet."""
    rows = sales(30)
    made = draft_contract(shop(rows), rows).columns
    assert made["day"] == Expected(type="date", required=True)
    assert made["sold"] == Expected(type="integer", min=0, max=300)


def test_columns_without_a_type_in_a_contract_are_named():
    """A list is left out, and the file says so."""
    made = drafted(tags=[["a"]] * N)
    assert dict(made.left_out) == {"tags": "List(String)"}
    assert '# not in the contract: "tags", a List(String)' in made.text


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda name: name not in {"day", "item", "sold", "reason", "*"} and (name[0] != "^" or name[-1] != "$")
)
VALUES = {
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.UInt64(): st.integers(0, 2**64 - 1),
    pl.Int8(): st.integers(-128, 127),
    pl.Float64(): st.floats(),
    pl.Float32(): st.floats(width=32),
    pl.String(): st.text(st.characters(exclude_categories=["Cs"]), max_size=2),
    pl.Categorical(): st.sampled_from("ab"),
    pl.Boolean(): st.booleans(),
    pl.Date(): st.dates(),
    pl.Datetime("us"): st.datetimes(),
    pl.Datetime("ns", "UTC"): st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    pl.Decimal(38, 4): st.decimals(-(10**20), 10**20, places=4),
}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_draft_takes_the_very_rows_it_came_from(data):
    """Whatever names, types, holes and values there are: the file can be read, and refuses no row that was good without it."""
    n = data.draw(st.integers(1, 15))

    def column(dtype):
        few = data.draw(st.lists(st.none() | VALUES[dtype], min_size=1, max_size=3))
        values = data.draw(st.lists(st.sampled_from(few) | VALUES[dtype], min_size=n, max_size=n))
        return pl.Series(values, dtype=dtype)

    names = data.draw(st.lists(NAMES, max_size=4, unique=True))
    columns = {name: column(data.draw(st.sampled_from(list(VALUES)))) for name in names}
    rows = pl.DataFrame({"day": range(n), "item": "ham", "sold": column(pl.Float64()), **columns})
    problem = Problem("shop", rows=frame(rows), period="day", unit="item", outcome="sold")
    contract = parse_contract(draft_contract(problem, rows).text.encode(), "contracts/shop.toml")
    with_it, without = broken_rows(problem, rows, contract), broken_rows(problem, rows)
    assert with_it.good.equals(without.good)
    assert with_it.counts.items() >= without.counts.items()


def test_a_draft_is_written_once_and_never_over_another(tmp_path: Path):
    """The file is where contracts are looked for; a second draft is refused, and nothing is lost."""
    project = make_project(tmp_path / "shop")
    _, problem = load_problem(project, "shop")
    path, draft = write_draft(project, problem)
    assert path == tmp_path / "shop" / "contracts" / "shop.toml"
    assert find_contract(project, "shop").columns == draft.columns

    path.write_text("# mine")
    with pytest.raises(AlreadyExistsError, match="is there already, and nothing was written"):
        write_draft(project, problem)
    assert path.read_text() == "# mine"


def test_half_a_draft_is_not_left_behind(tmp_path: Path):
    """A disk without room leaves no file that would be taken for a contract, and the message names the file."""
    project = make_project(tmp_path)
    _, problem = load_problem(project, "shop")
    (tmp_path / "contracts" / "shop.toml").unlink(missing_ok=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(UnavailableError, match=r"shop\.toml cannot be written: File too large"):
            write_draft(project, problem)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert find_contract(project, "shop") is None


def test_a_folder_in_the_place_of_a_contract_is_refused(tmp_path: Path):
    """It is not taken for no contract, which every row would keep."""
    project = make_project(tmp_path)
    path = tmp_path / "contracts" / "shop.toml"
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    with pytest.raises(InvalidInputError, match=r"contracts/shop\.toml cannot be read: Is a directory"):
        find_contract(project, "shop")
