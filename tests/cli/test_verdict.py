"""`shipworthy verdict`: any file of paired rows gets a verdict and a page, and whatever is wrong with it gets a message."""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pptx
import pytest

from shipworthy.analysis import Criteria, Margin, verdict
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.project import Project
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import research_idea
from tests.cli.typed import Said, typed
from tests.series import clear_gain, days, evidence

FRAME = evidence(clear_gain(periods=90, units=3))
OTHERS = {"period": "date", "unit": "shop", "value_champion": "control", "value_challenger": "treatment"}
STATED = ("--smallest-gain", "100", "--currency", "EUR")
PROJECT_WORDS = ("idea", "snapshot", "research", "replay", "locked", "fixed before")


def judged(folder: Path, file: str, *words: object) -> dict[str, Any]:
    """The answer for programs, about a file that can be judged."""
    said = typed(folder, "verdict", file, *words, "--json")
    assert said.err == ""
    return said.json


def refused(folder: Path, *words: object, code: int = 2) -> str:
    """The one message of a refusal, without a traceback and without a page."""
    said: Said = typed(folder, "verdict", *words)
    assert (said.code, said.out) == (code, ""), said
    assert said.err.strip()
    assert "Traceback" not in said.err
    assert "defect" not in said.err
    assert list(folder.glob("*.html")) == []
    return said.err


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz", "semicolons", "jsonl"])
def test_the_same_rows_are_judged_alike_in_every_form(tmp_path: Path, form: str):
    """Parquet, CSV, packed CSV, CSV with semicolons and decimal commas, JSON lines: one verdict, that of the library."""
    file = tmp_path / ("rows.csv" if form == "semicolons" else f"rows.{form}")
    match form:
        case "parquet":
            FRAME.write_parquet(file)
        case "csv.gz":
            file.write_bytes(gzip.compress(FRAME.write_csv().encode()))
        case "jsonl":
            file.write_text(FRAME.with_columns(pl.col("period").cast(pl.String)).write_ndjson())
        case "semicolons":
            file.write_text(FRAME.write_csv(separator=";", decimal_comma=True))
        case _:
            FRAME.write_csv(file)
    found = judged(tmp_path, file.name, *STATED)
    expected = verdict(FRAME, Criteria(min_effect=100.0 / 1095.0, units_per_year=1095.0))

    assert found["decision"] == expected.decision == "ship"
    assert found["per_year"]["gain"] == pytest.approx(expected.per_year().gain)
    assert found["per_year"]["low"] == pytest.approx(expected.per_year().low)
    assert found["report"] == "rows.verdict.html"
    assert (tmp_path / "rows.verdict.html").is_file()


def test_evidence_of_a_project_is_judged_as_the_project_did(bakery: Project, tmp_path: Path):
    """The evidence of a replay, taken out of its project, earns the same verdict by the same criteria."""
    with (bakery.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write("\n[research]\nworkers = 1\n")
    for walk in (examine_data, research_idea):
        walk(bakery, 1)
    analysis = analyse_idea(bakery, 1)
    stored = analysis.verdict.to_dict()
    open_evidence(bakery, analysis.evidence).write_parquet(tmp_path / "taken.parquet")
    refits = stored["criteria"]["refit_periods"]
    words = ("--smallest-gain", 5, "--per", "period", "--guardrail", "sold_out:0.05:lower", "--refit-periods", refits)
    found = judged(tmp_path, "taken.parquet", *words, "--target", 20, "--no-report")

    assert found["decision"] == stored["decision"] == "ship"
    for name in ("gain", "low", "high", "probability_of_harm"):
        assert found["verdict"][name] == pytest.approx(stored[name])
    assert [rail["state"] for rail in found["verdict"]["guardrails"]] == ["holds"]
    assert found["report"] is None
    assert list(tmp_path.glob("*.html")) == []


def test_columns_are_guessed_where_their_names_say_it_and_the_guess_is_told(tmp_path: Path):
    """Date, shop, control and treatment are understood, in any case, and the notes say what was taken for what."""
    FRAME.rename(OTHERS | {"unit": "Shop"}).write_csv(tmp_path / "trial.csv")
    said = typed(tmp_path, "verdict", "trial.csv", *STATED)

    assert said.code == 0
    words = " ".join(said.out.split())
    assert (
        "Taken: date for the period, Shop for the unit, control for the champion, treatment for the challenger."
        in words
    )
    assert "A year is counted as 1,095 pairs: 3 a day (--units-per-year)." in words
    assert "Taken: date for the period" in (tmp_path / "trial.verdict.html").read_text(encoding="utf-8")


def test_named_columns_need_no_guess(tmp_path: Path):
    """What an option names is taken, and nothing is said of it."""
    FRAME.rename({"period": "p", "unit": "u", "value_champion": "old", "value_challenger": "new"}).write_csv(
        tmp_path / "own.csv"
    )
    found = judged(tmp_path, "own.csv", "--period=p", "--unit=u", "--champion=old", "--challenger=new", *STATED)
    assert found["columns"] == {"period": "p", "unit": "u", "champion": "old", "challenger": "new"}
    assert not any("Taken:" in note for note in found["verdict"]["notes"])


def test_a_file_without_units_is_about_one(tmp_path: Path):
    """Three columns are enough where a period has one row."""
    evidence(clear_gain(units=1)).drop("unit").write_csv(tmp_path / "one.csv")
    found = judged(tmp_path, "one.csv")
    assert found["decision"] == "ship"
    assert any("all rows for one unit" in note for note in found["verdict"]["notes"])


def test_two_columns_that_may_be_it_are_not_guessed(tmp_path: Path):
    """Where a champion could be two columns, the message names both and the option to type."""
    FRAME.rename(OTHERS).with_columns(baseline=0.0).write_csv(tmp_path / "two.csv")
    message = refused(tmp_path, "two.csv")
    assert "control or baseline" in message
    assert "--champion COLUMN" in message


def test_a_lacking_column_is_told_with_what_there_is(tmp_path: Path):
    """The message says what was asked for, what there is and what to type."""
    FRAME.rename({"value_challenger": "third"}).write_csv(tmp_path / "short.csv")
    message = refused(tmp_path, "short.csv")
    assert "no column value_challenger" in message
    assert "period, unit, value_champion, third" in message
    assert "--challenger COLUMN" in message


def test_weeks_are_read_off_the_calendar(tmp_path: Path):
    """Weekly rows make 52 periods a year and not 365, and the notes say what was taken for a period."""
    monday = pl.Series(days(7 * 60)[::7])
    evidence(clear_gain(units=2), periods=monday).write_csv(tmp_path / "weeks.csv")
    found = judged(tmp_path, "weeks.csv")
    assert found["verdict"]["criteria"]["cadence"] == "1w"
    assert found["verdict"]["criteria"]["units_per_year"] == pytest.approx(2 * 365 / 7)
    assert any("a week (1w)" in note for note in found["verdict"]["notes"])


@pytest.mark.parametrize(("per", "amount"), [("unit", 0.5), ("period", 1.5), ("year", 547.5)])
def test_money_is_counted_per_unit_period_or_year(tmp_path: Path, per: str, amount: float):
    """The same smallest gain, said in three ways, is the same criterion."""
    FRAME.write_parquet(tmp_path / "rows.parquet")
    found = judged(tmp_path, "rows.parquet", "--smallest-gain", amount, "--per", per, "--no-report")
    assert found["verdict"]["criteria"]["min_effect"] == pytest.approx(0.5)


def test_criteria_stand_in_a_file_and_options_go_first(tmp_path: Path):
    """A TOML file states all that options can; an option that is typed counts instead."""
    FRAME.with_columns(waste_champion=5.0, waste_challenger=4.0).write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "terms.toml").write_text(
        'smallest_gain = 2.0\ntarget = 3.0\nper = "unit"\ncurrency = "CHF"\ntitle = "Bake less"\nrefit_periods = 0\n'
        '[guardrails]\nwaste = {margin = 0.5, better = "lower"}\n'
    )
    found = judged(tmp_path, "rows.parquet", "--criteria", "terms.toml", "--currency", "EUR")
    margin = Margin(name="waste", margin=0.5, better="lower")
    expected = verdict(
        FRAME.with_columns(waste_champion=5.0, waste_challenger=4.0),
        Criteria(min_effect=2.0, target=3.0, guardrails=(margin,), units_per_year=1095.0),
    )
    assert found["decision"] == expected.decision == "stop"
    assert found["currency"] == "EUR"
    assert "<h1>Bake less</h1>" in (tmp_path / "rows.verdict.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ("smallest = 2.0", "smallest_gain"),
        ("smallest_gain = 'much'", "must be a number"),
        ("refit_periods = 1.5", "whole number"),
        ("[guardrails]\nwaste = {better = 'lower'}", "waste.margin is missing"),
        ("per = 'week'", "unit, period or year"),
        ("alpha = 2.0", "alpha"),
        ("cadence = 'daily'", "cadence"),
        ("smallest_gain = ", "not valid TOML"),
    ],
)
def test_criteria_that_cannot_be_meant_are_refused(tmp_path: Path, stated: str, names: str):
    """Each fault of the file is told by its name."""
    FRAME.write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "terms.toml").write_text(stated)
    assert names in refused(tmp_path, "rows.parquet", "--criteria", "terms.toml")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--guardrail", "waste"), "name:margin"),
        (("--guardrail", "waste:0.5"), "no column waste_challenger, waste_champion"),
        (("--guardrail", "waste:-1"), "at least 0"),
        (("--unit", "town"), "no column town"),
        (("--champion", "value_challenger"), "named twice"),
        (("--report", "page.txt"), ".html"),
        (("--units-per-year", "0"), "units_per_year"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(tmp_path: Path, words: tuple[str, ...], says: str):
    """Each refusal names what was asked and what would do."""
    FRAME.write_parquet(tmp_path / "rows.parquet")
    assert says in refused(tmp_path, "rows.parquet", *words)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("blank.csv", b"\n\n\n"),
        ("noise.bin", bytes(np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8))),
        ("false.parquet", b"period,unit\n1,a\n"),
        ("cut.parquet", b"PAR1" + b"\x00" * 40),
        ("ragged.csv", b"period,unit,value_champion,value_challenger\n1,a,2,3,4,5\n2\n"),
        ("broken.jsonl", b'{"period": 1,\n'),
        ("packed.csv.gz", b"\x1f\x8b\x08\x00 no gzip"),
    ],
)
def test_what_is_no_table_is_refused_with_its_name(tmp_path: Path, name: str, content: bytes):
    """Empty, random, cut-off and ragged files get one message that names the file."""
    (tmp_path / name).write_bytes(content)
    assert name in refused(tmp_path, name)


def test_a_file_that_is_not_there_is_told_with_what_is(tmp_path: Path):
    """A misspelt name gets a hint; a folder is no file."""
    FRAME.write_csv(tmp_path / "trial.csv")
    assert "Did you mean" in refused(tmp_path, "trail.csv", code=3)
    assert "folder" in refused(tmp_path, ".")


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path):
    """Without permission the message says so."""
    FRAME.write_csv(tmp_path / "mine.csv")
    (tmp_path / "mine.csv").chmod(0)
    assert "mine.csv" in refused(tmp_path, "mine.csv", code=6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"period": pl.lit("some day")}, "must hold dates"),
        ({"value_champion": pl.lit("much")}, "must hold numbers"),
        ({"unit": pl.lit(None, pl.String)}, "have no unit"),
        ({"unit": pl.lit("all")}, "different values"),
        ({"value_challenger": pl.lit(None, pl.Float64)}, "number on both sides"),
    ],
)
def test_evidence_that_cannot_be_judged_is_no_error_but_an_answer(tmp_path: Path, change, says: str):
    """Texts instead of numbers, no units, rows that contradict one another: not to ship, and why."""
    FRAME.with_columns(**change).write_csv(tmp_path / "odd.csv")
    said = typed(tmp_path, "verdict", "odd.csv")
    assert (said.code, said.err) == (4, "")
    assert re.match(r"Verdict +(invalid|inconclusive)", said.out)
    assert says in " ".join(said.out.split())
    assert (tmp_path / "odd.verdict.html").is_file()


def test_the_page_speaks_of_no_project(tmp_path: Path):
    """Who judges a file reads of the file alone, and how to judge it again."""
    FRAME.rename(OTHERS).write_csv(tmp_path / "trial.csv")
    assert typed(tmp_path, "verdict", "trial.csv", *STATED).code == 0
    page = (tmp_path / "trial.verdict.html").read_text(encoding="utf-8")
    says = re.sub(r"<(style|script)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL).lower()
    assert [word for word in PROJECT_WORDS if re.search(rf"\b{word}", says)] == []
    assert "shipworthy verdict trial.csv --smallest-gain 100 --currency eur" in says
    assert "ship it" in says


def test_without_the_extra_the_verdict_counts_and_the_page_is_told_missing(tmp_path: Path, monkeypatch):
    """Where nothing can be drawn, exit code and figures are the same, and a line says what to install."""
    monkeypatch.setitem(sys.modules, "altair", None)
    FRAME.write_parquet(tmp_path / "rows.parquet")
    said = typed(tmp_path, "verdict", "rows.parquet")
    assert said.code == 0
    assert "pip install 'shipworthy[report]'" in " ".join(said.out.split())
    assert "altair" in refused(tmp_path, "rows.parquet", "--report", "page.html", code=6)


def test_the_page_goes_where_it_is_asked_to(tmp_path: Path):
    """`--report` names the page."""
    FRAME.write_parquet(tmp_path / "rows.parquet")
    assert judged(tmp_path, "rows.parquet", "--report", "pages/mine.html")["report"] == "pages/mine.html"
    assert [path.name for path in tmp_path.rglob("*.html")] == ["mine.html"]


def test_every_form_of_the_report_lies_beside_the_file(tmp_path: Path):
    """`--format all` writes what `analyse` writes, each about the file alone, and the record names them all."""
    FRAME.rename(OTHERS).write_csv(tmp_path / "trial.csv")
    found = judged(tmp_path, "trial.csv", *STATED, "--format", "all")
    endings = ("html", "md", "pptx", "json", "card.md")
    assert found["reports"] == [f"trial.verdict.{ending}" for ending in endings]
    assert found["report"] == "trial.verdict.html"
    pictures = [f"trial.verdict.{name}.png" for name in ("course", "gain")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["trial.csv", *found["reports"], *pictures])
    told = json.loads((tmp_path / "trial.verdict.json").read_text())
    assert (told["decision"], told["project"]) == ("ship", None)
    assert told["file"]["sha256"] == found["sha256"] == sha256((tmp_path / "trial.csv").read_bytes()).hexdigest()
    assert told["file"]["columns"] == found["columns"]
    assert (told["file"]["name"], told["file"]["rows"]) == ("trial.csv", FRAME.height)
    assert told["file"]["command"].startswith("shipworthy verdict trial.csv")
    slides = pptx.Presentation(str(tmp_path / "trial.verdict.pptx")).slides
    says = " ".join(shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame)
    assert "from what was stated" in says
    assert "fixed before research" not in says


def test_only_the_forms_that_are_asked_for_are_written(tmp_path: Path):
    """A form is written alone where it is asked for alone, and `--report` names it, or the place of several."""
    FRAME.write_parquet(tmp_path / "rows.parquet")
    assert judged(tmp_path, "rows.parquet", "--format", "json")["reports"] == ["rows.verdict.json"]
    words = ("--format", "card", "--format", "html", "--report", "out/mine.card.md")
    assert judged(tmp_path, "rows.parquet", *words)["reports"] == ["out/mine.card.md", "out/mine.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "rows.parquet", "rows.verdict.json"]
    assert judged(tmp_path, "rows.parquet", "--format", "all", "--no-report")["reports"] == []


def test_no_report_takes_the_place_of_the_evidence(tmp_path: Path):
    """A report under the name of the evidence, or under an ending of another form, is refused."""
    rows = FRAME.with_columns(pl.col("period").cast(pl.String)).write_ndjson()
    (tmp_path / "rows.json").write_text(rows)
    assert "take the place" in refused(tmp_path, "rows.json", "--format", "json", "--report", "./rows.json")
    assert "ends with .json" in refused(tmp_path, "rows.json", "--format", "json", "--report", "rows.html")
    assert (tmp_path / "rows.json").read_text() == rows


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("latin.csv", "period,unit,control,treatment\n1,Menü,2,3\n".encode("latin-1"), "Save it as UTF-8."),
        ("array.json", b'[{"period": 1, "unit": "a", "control": 1.0, "treatment": 2.0}]', "one JSON object a line"),
        ("twice.csv", b"period,unit,control,control,treatment\n1,a,2,3,4\n", "several columns control"),
    ],
)
def test_common_faults_of_a_file_are_told_with_their_cure(tmp_path: Path, name: str, content: bytes, says: str):
    """An old encoding, an array of JSON and a column that is there twice each get a message that says what to do."""
    (tmp_path / name).write_bytes(content)
    assert says in refused(tmp_path, name)


@pytest.mark.parametrize(
    ("period", "says"),
    [
        (pl.int_range(pl.len()) // 3, "A period is taken to be a day (1d), since they are whole numbers (--cadence)."),
        (pl.lit("2024-W05"), "A period is taken to be a day (1d) (--cadence)."),
        (
            pl.datetime(2024, 1, 1) + pl.duration(hours=pl.int_range(pl.len()) // 3),
            "A period is taken to be a day (1d), with all that is decided in it (--cadence).",
        ),
    ],
)
def test_why_a_period_is_so_long_is_told_as_it_is(tmp_path: Path, period: pl.Expr, says: str):
    """Texts are not called numbers, and hours are not said to lie a day apart."""
    FRAME.with_columns(period=period).write_parquet(tmp_path / "rows.parquet")
    said = typed(tmp_path, "verdict", "rows.parquet", "--no-report")
    assert says in " ".join(said.out.split())
