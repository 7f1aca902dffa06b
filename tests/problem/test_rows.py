"""Rows come from files and frames, and say what is wrong when they do not."""

import polars as pl
import pytest

from shipworthy.errors import NotFoundError, UserCodeError
from shipworthy.problem import csv, frame, parquet
from tests.problems import sales

TABLE = sales(3)


def test_rows_come_from_a_parquet_file_or_several(tmp_path):
    """A path is read from the project's folder; a pattern reads all of its files."""
    TABLE.head(3).write_parquet(tmp_path / "a.parquet")
    TABLE.tail(6).write_parquet(tmp_path / "b.parquet")

    assert parquet("a.parquet").load(tmp_path).equals(TABLE.head(3))
    assert parquet("*.parquet").load(tmp_path).equals(TABLE)


def test_dates_in_a_csv_file_are_dates(tmp_path):
    """A CSV file gives the same rows as the frame it was written from."""
    TABLE.write_csv(tmp_path / "a.csv")
    assert csv("a.csv").load(tmp_path).equals(TABLE)


def test_a_frame_may_be_made_when_it_is_needed(tmp_path):
    """A frame and a function that returns one are the same source."""
    assert frame(TABLE).load(tmp_path).equals(TABLE)
    assert frame(lambda: TABLE).load(tmp_path).equals(TABLE)


def test_the_raw_table_stays_apart_from_its_preparation(tmp_path):
    """What is read can be read without being prepared, and prepared again from something else."""
    source = frame(TABLE).then(lambda raw: raw.with_columns(twice=pl.col("sold") * 2))

    assert source.read(tmp_path).columns == TABLE.columns
    assert source.prepare(TABLE.clear()).columns == [*TABLE.columns, "twice"]
    assert source.load(tmp_path)["twice"].to_list() == (TABLE["sold"] * 2).to_list()


def test_a_missing_file_names_those_beside_it(tmp_path):
    """A misspelt path gets the right one suggested."""
    TABLE.write_csv(tmp_path / "sales.csv")
    with pytest.raises(NotFoundError, match=r"No file .*There is: sales\.csv\. Correct the path in Problem\(rows="):
        csv("sale.csv").load(tmp_path)


def test_a_missing_folder_is_a_missing_file(tmp_path):
    """A path into nowhere is no traceback."""
    with pytest.raises(NotFoundError, match="There is none yet"):
        parquet("data/rows.parquet").load(tmp_path)


def test_a_preparation_that_gives_no_frame_is_refused(tmp_path):
    """Returning nothing is the commonest slip."""
    with pytest.raises(UserCodeError, match=r"must give a polars\.DataFrame, not NoneType"):
        frame(TABLE).then(lambda raw: None).load(tmp_path)
