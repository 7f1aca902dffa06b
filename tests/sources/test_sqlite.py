"""Rows come from a SQLite database, which stays as it is."""

import sqlite3
from contextlib import closing
from datetime import date

import pytest

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.sources.sqlite import sqlite
from tests.problems import sales

TABLE = sales(3)


@pytest.fixture
def folder(tmp_path):
    """A project with a database of sales."""
    with closing(sqlite3.connect(tmp_path / "shop #1.db")) as database, database:
        database.execute("create table sales (day text, item text, price real, sold integer)")
        rows = [(row[0].isoformat(), *row[1:]) for row in TABLE.rows()]
        database.executemany("insert into sales values (?, ?, ?, ?)", rows)
    return tmp_path


def test_a_query_reads_a_database(folder):
    """Texts that are all dates become dates: SQLite has no type for them."""
    assert sqlite("select * from sales", "shop #1.db").load(folder).equals(TABLE)


def test_a_column_holds_what_all_of_its_rows_hold(folder):
    """SQLite lets each value have its own type: whole numbers and others are numbers."""
    mixed = "select null as x union all select 1 union all select 2.5"
    assert sqlite(mixed, "shop #1.db").load(folder)["x"].to_list() == [None, 1.0, 2.5]


def test_a_query_only_reads(folder):
    """A query that would write is refused, and nothing is lost."""
    with pytest.raises(InvalidInputError, match="readonly database"):
        sqlite("delete from sales", "shop #1.db").load(folder)
    assert sqlite("select count(*) n from sales", "shop #1.db").load(folder)["n"].item() == TABLE.height


def test_a_missing_database_is_not_made(folder):
    """The message lists what lies beside it, and nothing new lies there."""
    with pytest.raises(NotFoundError, match=r"There is: shop #1\.db\."):
        sqlite("select 1", "shop.db").load(folder)
    assert not (folder / "shop.db").exists()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nope\nfrom sales", "the SQLite query 'select nope': no such column: nope"),
        ("selec", 'near "selec": syntax error'),
        ("select 1; select 2", "one statement at a time"),
        ("select 1 as a, 2 as a", "the SQLite query"),
    ],
)
def test_a_query_that_is_refused_says_why(folder, query, why):
    """The first line of the query and the message of the database; no traceback."""
    with pytest.raises(InvalidInputError, match=why):
        sqlite(query, "shop #1.db").load(folder)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """Whatever it is, it is not read."""
    (tmp_path / "shop.db").write_text("day,item\n" * 200)
    with pytest.raises(InvalidInputError, match="file is not a database"):
        sqlite("select * from sales", "shop.db").load(tmp_path)


def test_dates_of_one_database_compare_with_those_of_a_file(folder):
    """A day is a day, wherever it came from."""
    assert sqlite("select max(day) as day from sales", "shop #1.db").load(folder)["day"].item() == date(2026, 1, 3)
