"""Rows come from tables that are in memory already, of whatever library."""

import pandas
import polars as pl
import pyarrow
import pytest

from shipworthy.errors import UserCodeError
from shipworthy.sources.frame import frame
from tests.problems import sales

TABLE = sales(3)
ROWS = TABLE.to_dicts()


@pytest.mark.parametrize(
    "table",
    [TABLE, TABLE.lazy(), pyarrow.Table.from_pylist(ROWS), pandas.DataFrame(ROWS)],
    ids=["polars", "lazy", "arrow", "pandas"],
)
def test_every_kind_of_table_gives_the_same_rows(tmp_path, table):
    """At once, or by a function that makes it when it is needed."""
    assert frame(table).load(tmp_path).equals(TABLE)
    assert frame(lambda: table).load(tmp_path).equals(TABLE)


def test_what_pandas_calls_nan_is_empty(tmp_path):
    """Pandas has no other way to say that a number is missing."""
    rows = frame(pandas.DataFrame({"sold": [1.5, None]})).load(tmp_path)
    assert rows["sold"].to_list() == [1.5, None]


def test_what_is_no_table_is_refused(tmp_path):
    """A function that returns nothing is the commonest slip."""
    with pytest.raises(UserCodeError, match=r"a NoneType is none\. Give a Polars or pandas frame"):
        frame(lambda: None).load(tmp_path)


def test_a_frame_keeps_its_known_at():
    """The column that says when outcomes became known is part of the source."""
    assert frame(pl.DataFrame(), known_at="known").known_at == "known"
