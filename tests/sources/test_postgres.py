"""Rows come from a PostgreSQL database, which is only read, and no password is ever told."""

import traceback

import adbc_driver_postgresql.dbapi
import polars as pl
import pytest

from shipworthy.errors import InvalidInputError, UnavailableError
from shipworthy.sources.postgres import postgres
from tests.problems import sales

TABLE = sales(3)


@pytest.fixture(scope="module")
def shop(database):
    """The address of a database with a table of sales."""
    with adbc_driver_postgresql.dbapi.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("create table sales (day date, item text, price numeric(10, 2), sold bigint, known timestamptz)")
        for day, item, price, sold in TABLE.rows():
            cursor.execute(f"insert into sales values ('{day}', '{item}', {price}, {sold}, '{day} 12:00+00')")
        connection.commit()
    return database


def test_a_query_reads_a_server(shop, tmp_path):
    """Dates are dates, and what is `numeric` there are floating-point numbers here."""
    rows = postgres("select day, item, price, sold from sales order by 1, 2", shop).load(tmp_path)
    assert rows.equals(TABLE)


def test_the_address_may_stand_in_the_environment_alone(shop, tmp_path, monkeypatch):
    """So no password stands in the code; a variable that is not set is named."""
    source = postgres("select count(*) as n from sales", "$SHOP_DATABASE")
    monkeypatch.delenv("SHOP_DATABASE", raising=False)
    with pytest.raises(InvalidInputError, match="variable 'SHOP_DATABASE', which is not set"):
        source.load(tmp_path)
    monkeypatch.setenv("SHOP_DATABASE", shop)
    assert source.load(tmp_path)["n"].item() == TABLE.height


def test_types_that_only_postgres_has_come_as_texts(shop, tmp_path):
    """JSON is a text; empty numbers stay empty; times with an offset are UTC."""
    query = """select '{"a": 1}'::jsonb as j, null::numeric as n, '2026-01-01 10:00+02'::timestamptz as at"""
    rows = postgres(query, shop).load(tmp_path)
    assert rows.dtypes == [pl.String, pl.Float64, pl.Datetime("us", "UTC")]
    assert rows["at"].item().hour == 8


def test_a_query_only_reads(shop, tmp_path):
    """A query that would write is refused, and nothing is lost."""
    with pytest.raises(InvalidInputError, match="cannot execute DELETE in a read-only transaction"):
        postgres("delete from sales returning *", shop).load(tmp_path)
    assert postgres("select * from sales", shop).load(tmp_path).height == TABLE.height


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nope\nfrom sales", "the PostgreSQL query 'select nope': .*column \"nope\" does not exist"),
        ("selec", "the PostgreSQL query 'selec': .*syntax error at or near \"selec\""),
        ("select 1 / 0 as x", "division by zero"),
    ],
)
def test_a_query_that_is_refused_says_why(shop, tmp_path, query, why):
    """The first line of the query and the message of the database; no traceback."""
    with pytest.raises(InvalidInputError, match=why):
        postgres(query, shop).load(tmp_path)


ADDRESSES = [
    "postgresql://ada:hu%24h-hush@127.0.0.1:9/shop",
    "postgresql://ada:hu$h/hush@127.0.0.1:9/shop",
    "postgresql://127.0.0.1:9/shop?user=ada&password=hu$h-hush",
    "postgresql://ada:and now hu$h-hush@127.0.0.1:9/shop",
    "postgresql://127.0.0.1:9/shop?user=ada&password=and now hu$h-hush",
    "host=127.0.0.1 port=9 user=ada password='hu$h-hush'",
    "mysql://ada:hu$h-hush@127.0.0.1/shop",
    "hu$h-hush",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_server_that_does_not_answer_is_unavailable_and_its_password_untold(tmp_path, address):
    """Neither error, nor what caused it, nor label repeats any of it."""
    source = postgres("select 1 as x", address)
    with pytest.raises(
        UnavailableError, match="The database for the PostgreSQL query 'select 1 as x' does not answer"
    ) as refused:
        source.load(tmp_path)
    told = "".join(traceback.format_exception(refused.value)) + repr(source)
    assert "hu$h" not in told
    assert "hu%24h" not in told
