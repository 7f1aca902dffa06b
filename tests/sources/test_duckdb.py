"""Rows come from SQL over the project's files."""

from pathlib import Path

import polars as pl
import pytest

from shipworthy.errors import InvalidInputError
from shipworthy.sources.duckdb import duckdb
from tests.problems import sales

TABLE = sales(3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project whose sales lie in two files, asked from another folder in which a file has the same name."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / "data").mkdir(parents=True)
    (elsewhere / "data").mkdir(parents=True)
    TABLE.head(3).write_parquet(project / "data" / "a.parquet")
    TABLE.tail(6).write_parquet(project / "data" / "b.parquet")
    TABLE.clear().write_parquet(elsewhere / "data" / "a.parquet")
    monkeypatch.chdir(elsewhere)
    return project


def test_a_query_reads_a_pattern_of_files(folder):
    """Types come over as they are, and paths are relative to the project's folder."""
    assert duckdb("from 'data/*.parquet' order by day, item").load(folder).equals(TABLE)


def test_a_file_of_the_same_name_elsewhere_is_not_read(folder):
    """Where the command is typed makes no difference, and is where one is afterwards."""
    assert duckdb("select * from 'data/a.parquet'").load(folder).height == 3
    assert Path.cwd() == folder.parent / "elsewhere"


def test_one_query_joins_and_sums_files_of_several_kinds(folder):
    """What SQL is good at happens before the rows are there."""
    pl.DataFrame({"item": ["ham", "jam"], "aisle": [1, 2]}).write_csv(folder / "aisles.csv")
    rows = duckdb(
        """
        select day, aisle, sum(sold)::double as sold
        from 'data/*.parquet' join 'aisles.csv' using (item)
        group by all order by all
        """
    ).load(folder)
    assert rows.columns == ["day", "aisle", "sold"]
    assert rows["sold"].sum() == TABLE.filter(pl.col("item") != "tea")["sold"].sum()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nope\nfrom 'data/a.parquet'", r"the DuckDB query 'select nope': Binder Error: .*\"nope\" not found"),
        ("selec", "the DuckDB query 'selec': Parser Error: syntax error"),
        ("select * from 'data/c.parquet'", 'No files found that match the pattern "data/c.parquet"'),
        ("", "the DuckDB query ''"),
    ],
    ids=["column", "syntax", "file", "nothing"],
)
def test_a_query_that_is_refused_says_why(folder, query, why):
    """The first line of the query and the message of the database; no traceback."""
    with pytest.raises(InvalidInputError, match=why):
        duckdb(query).load(folder)
