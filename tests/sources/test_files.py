"""Rows come from Parquet, CSV and JSON files, and say what is wrong when they do not."""

import re
from typing import Any

import polars as pl
import pytest

from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.sources.files import csv, json, parquet
from tests.problems import sales

TABLE = sales(3)
WRITTEN: dict[str, tuple[Any, Any]] = {
    "rows.parquet": (parquet, TABLE.write_parquet),
    "rows.csv": (csv, TABLE.write_csv),
    "rows.json": (json, TABLE.write_json),
    "rows.ndjson": (json, TABLE.write_ndjson),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_kind_of_file_gives_the_table_that_was_written(tmp_path, name):
    """Dates are dates again, also from CSV and JSON, which have no type for them."""
    source, write = WRITTEN[name]
    write(tmp_path / name)
    assert source(name).load(tmp_path).equals(TABLE)


def test_a_pattern_reads_all_of_its_files(tmp_path):
    """Files are read in the order of their names, in folders below too."""
    (tmp_path / "2026" / "01").mkdir(parents=True)
    TABLE.head(3).write_parquet(tmp_path / "2026" / "01" / "a.parquet")
    TABLE.tail(6).write_parquet(tmp_path / "2026" / "b.parquet")

    assert parquet("2026/**/*.parquet").load(tmp_path).equals(TABLE)
    assert parquet("2026/?.parquet").load(tmp_path).equals(TABLE.tail(6))
    assert parquet(f"{tmp_path}/2026/[ab].parquet").load(tmp_path / "elsewhere").equals(TABLE.tail(6))


def test_a_file_may_be_called_like_a_pattern(tmp_path):
    """A file that is there is read, whatever its name."""
    TABLE.write_csv(tmp_path / "sales[1].csv")
    assert csv("sales[1].csv").load(tmp_path).equals(TABLE)


def test_whole_numbers_at_first_are_no_promise(tmp_path):
    """A column is what all of its rows say, over files too."""
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 500 + "2.5\n")
    (tmp_path / "b.csv").write_text("x\n7\n")
    (tmp_path / "c.json").write_text("[" + '{"x": 1},' * 500 + '{"x": 2.5}]')

    assert csv("*.csv").load(tmp_path)["x"].tail(2).to_list() == [2.5, 7.0]
    assert json("c.json").load(tmp_path)["x"][-1] == 2.5


def test_dates_in_csv_are_read_as_people_write_them(tmp_path):
    """Whatever the first hundred rows say, a column is dates or times where all of its texts are."""
    (tmp_path / "a.csv").write_text(
        "iso,german,at,zone,late,mixed,empty\n"
        + "2026-01-31,31.01.2026,2026-01-31 10:00,2026-01-31T10:00:00+02:00,,2026-01-31,\n" * 200
        + "2026-02-01,01.02.2026,2026-02-01 10:00,2026-02-01T10:00:00Z,2026-02-01,jam,\n"
    )

    read = csv("a.csv").load(tmp_path)

    assert read.dtypes == [pl.Date, pl.Date, pl.Datetime("us"), pl.Datetime("us", "UTC"), pl.Date, pl.String, pl.String]
    assert [str(value) for value in read.row(-1)[:-1]] == [
        *("2026-02-01", "2026-02-01", "2026-02-01 10:00:00", "2026-02-01 10:00:00+00:00", "2026-02-01", "jam"),
    ]


def test_times_in_json_are_times_and_other_texts_stay_texts(tmp_path):
    """ISO 8601 is read, an offset makes it UTC, and one text that is none leaves the column as it is."""
    (tmp_path / "a.ndjson").write_text(
        '{"at": "2026-01-01T10:00:00+02:00", "on": "2026-01-01 10:00", "no": "2026-13-45", "mixed": "2026-01-01"}\n'
        '{"at": "2026-01-01T10:00:00Z", "on": null, "no": "2026-01-01", "mixed": "soon"}\n'
    )
    rows = json("a.ndjson").load(tmp_path)

    assert rows.dtypes == [pl.Datetime("us", "UTC"), pl.Datetime("us"), pl.String, pl.String]
    assert [at.hour for at in rows["at"]] == [8, 10]


def test_a_missing_file_names_those_beside_it(tmp_path):
    """A misspelt path gets the right one suggested."""
    TABLE.write_csv(tmp_path / "sales.csv")
    with pytest.raises(NotFoundError, match=r"No file .*There is: sales\.csv\. Correct the path in Problem\(rows="):
        csv("sale.csv").load(tmp_path)


def test_a_missing_folder_is_a_missing_file(tmp_path):
    """A path into nowhere is no traceback."""
    with pytest.raises(NotFoundError, match="There is none yet"):
        parquet("data/rows.parquet").load(tmp_path)


def test_a_pattern_that_matches_nothing_says_so(tmp_path):
    """With what is there instead, and also where there is nothing."""
    (tmp_path / "data").mkdir()
    TABLE.write_csv(tmp_path / "data" / "sales.csv")
    with pytest.raises(NotFoundError, match=r"No file matches 'data/\*\.parquet' in .*there is: sales\.csv\. Correct"):
        parquet("data/*.parquet").load(tmp_path)
    with pytest.raises(NotFoundError, match=r"No file matches 'more/\*\.csv'.*more is empty, or no folder\."):
        csv("more/*.csv").load(tmp_path)


def test_a_folder_is_no_file(tmp_path):
    """The pattern to be written instead stands in the message."""
    (tmp_path / "data").mkdir()
    with pytest.raises(InvalidInputError, match=r"is a folder.*Write data/\* for all of its files"):
        parquet("data/").load(tmp_path)


def test_files_with_other_columns_are_named(tmp_path):
    """Each file that does not fit the first one is named with what is wrong, three of them at most."""
    TABLE.write_csv(tmp_path / "a.csv")
    TABLE.rename({"sold": "sale"}).write_csv(tmp_path / "b.csv")
    TABLE.with_columns(price=pl.lit("dear")).write_csv(tmp_path / "c.csv")
    TABLE.drop("price").write_csv(tmp_path / "d.csv")
    TABLE.drop("price").write_csv(tmp_path / "e.csv")

    with pytest.raises(InvalidInputError) as refused:
        csv("*.csv").load(tmp_path)
    message = str(refused.value).replace(f"{tmp_path}/", "")
    assert message.startswith(
        "Not every file has the columns of a.csv: b.csv lacks sold and has besides sale; c.csv has price as String, not "
        "Float64; d.csv lacks price; and 1 more."
    )


def test_columns_may_stand_in_another_order(tmp_path):
    """What counts is their names."""
    TABLE.head(3).write_parquet(tmp_path / "a.parquet")
    TABLE.tail(6).select(reversed(TABLE.columns)).write_parquet(tmp_path / "b.parquet")
    assert parquet("*.parquet").load(tmp_path).equals(TABLE)


BROKEN: dict[str, tuple[Any, bytes]] = {
    "short.parquet": (parquet, b""),
    "torn.parquet": (parquet, b"PAR1" + bytes(40)),
    "ragged.csv": (csv, b"a,b\n1,2\n3,4,5\n"),
    "binary.csv": (csv, b"a,b\n\xff\xfe\x00,2\n"),
    "empty.csv": (csv, b""),
    "torn.json": (json, b'[{"a": 1,'),
    "torn.ndjson": (json, b'{"a": 1}\n{"a":'),
    "empty.json": (json, b""),
    "binary.json": (json, b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named(tmp_path, name):
    """Whatever is wrong with it, the message says which file."""
    source, content = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    kind = source.__name__.upper() if source is not parquet else "Parquet"
    with pytest.raises(InvalidInputError, match=rf"{re.escape(name)} is no {kind} file that can be read: .+"):
        source(name).load(tmp_path)


def test_a_csv_file_without_commas_is_told_by_its_header(tmp_path):
    """What a spreadsheet of another language writes, mark and all, is refused with what reads it."""
    (tmp_path / "sales.csv").write_bytes("\ufeffday;item;sold\n2026-01-01;a;3,5\n".encode())
    with pytest.raises(InvalidInputError, match=r"header 'day;item;sold' has no comma\. Read it with sw\.frame"):
        csv("sales.csv").load(tmp_path)
    (tmp_path / "one.csv").write_bytes(b"day\n2026-01-01\n")
    assert csv("one.csv").load(tmp_path).columns == ["day"]
