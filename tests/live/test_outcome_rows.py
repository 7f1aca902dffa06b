"""Outcomes that come as a table are noted once, corrected when they change, and refused row by row with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shipworthy.live import overrides
from shipworthy.live.answering import Answering
from shipworthy.live.outcomes import archive_of
from shipworthy.live.overrides import OverrideLog
from shipworthy.live.serving import open_serving
from shipworthy.log import read_outcomes, read_overrides
from shipworthy.log.archive import OUTCOMES
from shipworthy.project import Project
from tests.cli.typed import typed
from tests.live.stall import Stall, stall_rows

DAY = "2026-01-31"


@pytest.fixture
def served(stall: Stall) -> Stall:
    """A stall of which one policy serves, and where one day was decided."""
    stall.move("mean_of_three_days")
    folder = stall.project.log_folder / "stock"
    answering = Answering("stock", folder, archive_of(stall.project, "stock", folder))
    body = json.dumps({"period": DAY, "rows": stall_rows()}).encode()
    answering.decide(open_serving(stall.project, "stock"), body, None)
    answering.close()
    return stall


def _sold(**sold: Any) -> pl.DataFrame:
    return pl.DataFrame({"day": DAY, "fruit": list(sold), "sold": list(sold.values())})


def _noted(project: Project) -> dict[str, Any]:
    return {row["fruit"]: row["sold"] for entry in read_outcomes(project, "stock") for row in entry["rows"]}


def _size(project: Project) -> int:
    return sum(path.stat().st_size for path in (project.log_folder / "stock").glob(f"{OUTCOMES}-*"))


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_file_is_noted_once_and_corrected_later(served: Stall, tmp_path: Path, ending: str) -> None:
    """The same file again writes nothing; one with late and corrected rows writes those, and they count."""
    file = tmp_path / f"sold.{ending}"
    write: dict[str, Any] = {
        "csv": pl.DataFrame.write_csv,
        "parquet": pl.DataFrame.write_parquet,
        "jsonl": pl.DataFrame.write_ndjson,
    }
    write[ending](_sold(apple=3, fig=None), file)
    first = typed(served.project.root, "outcomes", file, "--json")
    assert first.json == {"new": 1, "corrected": 0, "same": 0, "open": 1, "undecided": 0, "refused": []}
    size = _size(served.project)
    assert typed(served.project.root, "outcomes", file, "--json").json["same"] == 1
    assert _size(served.project) == size
    write[ending](_sold(apple=4, fig=6), file)
    third = typed(served.project.root, "outcomes", file, "--json").json
    assert (third["new"], third["corrected"]) == (1, 1)
    assert _noted(served.project) == {"apple": 4, "fig": 6}


def test_rows_that_break_the_contract_come_back_with_a_reason(served: Stall, tmp_path: Path) -> None:
    """Unknown units, halves of a fruit and days that are none are refused one by one; the good rows are noted."""
    file, bad = tmp_path / "sold.csv", tmp_path / "bad.csv"
    file.write_text(f"day,fruit,sold,till\n{DAY},apple,3,a\n{DAY},pear,3,b\n{DAY},fig,2.5,c\nsoon,plum,1,d\n")
    said = typed(served.project.root, "outcomes", file, "--bad-rows", bad)
    assert said.code == 2
    assert "3 rows were refused" in said.err
    refused = pl.read_csv(bad)
    assert refused["till"].to_list() == ["b", "c", "d"]
    assert [
        word in reason for word, reason in zip(("does not know", "2.5", "soon"), refused["reason"], strict=True)
    ] == [True] * 3
    assert _noted(served.project) == {"apple": 3}


def test_a_correction_keeps_what_it_does_not_say(served: Stall) -> None:
    """Where a later table has fewer columns, what an earlier one said of the others is kept."""
    file = served.project.root / "sold.csv"
    _sold(apple=3).with_columns(weather=pl.lit(20.5)).write_csv(file)
    typed(served.project.root, "outcomes", file)
    _sold(apple=5).write_csv(file)
    typed(served.project.root, "outcomes", file)
    *_, last = read_outcomes(served.project, "stock")
    assert last["rows"] == [{"day": DAY, "fruit": "apple", "sold": 5, "weather": 20.5}]


def test_a_query_and_the_own_source_know_outcomes_too(served: Stall) -> None:
    """SQL over files gives rows like a file; of the own source only rows that were decided live are noted."""
    _sold(plum=7).write_csv(served.project.root / "sold.csv")
    assert typed(served.project.root, "outcomes", "--sql", "from 'sold.csv'", "--json").json["new"] == 1
    source = served.project.root / "stock.py"
    source.write_text(source.read_text().replace("range(30)", "range(31)"))
    noted = typed(served.project.root, "outcomes", "--from-source", "--json").json
    assert (noted["new"], noted["corrected"], noted["undecided"]) == (2, 1, 90)
    assert _noted(served.project) == {"apple": 0, "fig": 4, "plum": 8}


def test_a_table_without_the_outcome_is_refused(served: Stall) -> None:
    """A column that is missing is named, with those that are there; so is a file of another kind."""
    _sold(apple=3).drop("sold").write_csv(served.project.root / "sold.csv")
    said = typed(served.project.root, "outcomes", "sold.csv")
    assert (said.code, said.err) == (2, "Invalid input: Outcomes need the column sold. There is: day, fruit.\n")
    assert typed(served.project.root, "outcomes", "sold.xls").code == 2
    assert typed(served.project.root, "outcomes").code == 2


def test_the_last_word_counts_although_the_clock_went_back(
    served: Stall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What corrects outcomes and overrides, as a table or over HTTP, stands after what it corrects, whatever the clock says."""
    monkeypatch.setenv("SHIPWORTHY_CLOCK", str(tmp_path / "clock"))
    file, folder = tmp_path / "sold.csv", served.project.log_folder / "stock"
    champion = open_serving(served.project, "stock").champion
    done = OverrideLog("stock", folder)
    row = {"day": DAY, "fruit": "apple", "by": "ada", "why": "a feast"}
    for hour, sold in ((12, 3), (11, 4), (10, 5)):
        (tmp_path / "clock").write_text(f"2026-02-01T{hour}:00:00+00:00")
        _sold(apple=sold).write_csv(file)
        assert typed(served.project.root, "outcomes", file).code == 0
        assert _noted(served.project) == {"apple": sold}
        done.note(champion, json.dumps({"rows": [{**row, "laid_in": sold}]}).encode())
        *_, last = read_overrides(served.project, "stock")
        assert last["rows"][0]["laid_in"] == sold
    done.close()
    overrides.note_table(served.project, champion, pl.DataFrame([{**row, "laid_in": 9.0}]))
    *_, last = read_overrides(served.project, "stock")
    assert last["rows"][0]["laid_in"] == 9.0
    times = [entry["at"] for entry in read_outcomes(served.project, "stock")]
    assert len(set(times)) == len(times)


@pytest.mark.parametrize("day", [7, 20260131])
def test_a_number_is_no_day(served: Stall, tmp_path: Path, day: int) -> None:
    """A day that is written as a number is refused with its row, and never counted from 1970 on."""
    file = tmp_path / "sold.jsonl"
    _sold(apple=3).with_columns(day=pl.lit(day)).write_ndjson(file)
    before = _size(served.project)
    said = typed(served.project.root, "outcomes", file)
    assert said.code != 0
    assert f"not {day}" in said.out + said.err
    assert _size(served.project) == before
    assert _noted(served.project) == {}
