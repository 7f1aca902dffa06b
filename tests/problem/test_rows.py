"""The port through which rows come: read, then prepared, and never taken for what they are not."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from shipworthy.errors import InvalidInputError, UserCodeError
from shipworthy.problem import Rows
from tests.problems import sales, shop

TABLE = sales(3)
RAW = Rows(read=lambda folder: TABLE, label="a table")
DATED = Rows(read=lambda folder: TABLE.with_columns(known=pl.lit(date(2026, 1, 2))), label="a table", known_at="known")


def test_the_raw_table_stays_apart_from_its_preparation(tmp_path):
    """What is read can be read without being prepared, and prepared again from something else."""
    source = RAW.then(lambda raw: raw.with_columns(twice=pl.col("sold") * 2))

    assert source.read(tmp_path).columns == TABLE.columns
    assert source.prepare(TABLE.clear()).columns == [*TABLE.columns, "twice"]
    assert source.load(tmp_path)["twice"].to_list() == (TABLE["sold"] * 2).to_list()


def test_preparing_keeps_all_else_of_a_source():
    """Its name and the column that says when outcomes became known stay."""
    prepared = DATED.then(lambda raw: raw.head(1))
    assert (prepared.label, prepared.known_at, prepared.load(Path()).height) == ("a table", "known", 1)


def test_a_preparation_that_gives_no_frame_is_refused(tmp_path):
    """Returning nothing is the commonest slip."""
    with pytest.raises(UserCodeError, match=r"must give a polars\.DataFrame, not NoneType"):
        RAW.then(lambda raw: None).load(tmp_path)


def test_a_preparation_that_loses_known_at_is_refused():
    """Without the column nobody could say which revision was known."""
    with pytest.raises(
        InvalidInputError, match=r"no column 'known', which known_at names\. There is: day, item, price, sold"
    ):
        DATED.then(lambda raw: raw.drop("known")).load(Path())


def test_known_at_says_when():
    """A text is no time."""
    with pytest.raises(InvalidInputError, match="column 'known' of the rows from a table is String"):
        DATED.then(lambda raw: raw.with_columns(pl.col("known").cast(pl.String))).load(Path())


def test_known_at_is_a_column_of_its_own():
    """When an outcome became known is neither its period nor the outcome itself."""
    for taken in ("day", "sold", "stock"):
        with pytest.raises(InvalidInputError, match=f"names '{taken}' for two things"):
            shop(Rows(read=lambda folder: TABLE, known_at=taken))
