"""`shipworthy compare`: a table of 100 columns, and the same ideas for programs, for a spreadsheet and for a browser."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from shipworthy.analysis.analyse import analyse_idea, read_whole_verdict
from shipworthy.cli.show import narrowed
from shipworthy.data.examine import examine_data
from shipworthy.project import Project
from shipworthy.research.research import research_idea
from tests.cli.typed import typed
from tests.problems import make_project
from tests.research.test_windows import NOISY

LONG = "Bake for the weekday and for the weather, and for the fair, and for whoever else comes along on that day"


@pytest.fixture
def judged(bakery: Project) -> Path:
    """The bakery with a verdict on its idea, and a second idea that is a sentence so far."""
    with (bakery.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write("\n[research]\nworkers = 1\n")
    for walk in (examine_data, research_idea, analyse_idea):
        walk(bakery, 1)
    assert typed(bakery.root, "idea", "new", LONG, "--problem", "bakery").code == 0
    return bakery.root


def test_every_way_out_says_the_same(judged: Path):
    """Table, JSON, CSV and page hold both ideas, in the order and the choice that were asked for."""
    table = typed(judged, "compare", "--sort", "number", "--reverse").out.splitlines()
    rows = typed(judged, "compare", "--json").json
    written = typed(judged, "compare", "--csv", "ideas.csv", "--html", "--json").json
    with (judged / "ideas.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))

    assert [line.split()[0] for line in table[:3]] == ["idea", "2", "1"]
    assert table[4].startswith("Misses  2: The idea has no challenger.")
    assert [row["idea"] for row in rows] == [1, 2]
    assert rows[0]["decision"] == "ship"
    assert rows[0]["low"] < rows[0]["gain"] < rows[0]["high"]
    assert {name: str(value) if value is not None else "" for name, value in rows[0].items()} == lines[0]
    assert lines[1]["stands"] == "to be completed"
    assert written == [{"csv": "ideas.csv", "page": "reports/compare.html"}]
    assert f"{rows[0]['gain']:,.2f} EUR" in (judged / "reports" / "compare.html").read_text(encoding="utf-8")


def test_choices_narrow_what_is_shown(judged: Path):
    """Numbers, a problem and a verdict choose; where none is left, that is said and is no error."""
    assert [row["idea"] for row in typed(judged, "compare", "2", "--json").json] == [2]
    assert [row["idea"] for row in typed(judged, "compare", "--decision", "ship", "--json").json] == [1]
    assert [row["idea"] for row in typed(judged, "compare", "--problem", "bakery", "--json").json] == [1, 2]
    nothing = typed(judged, "compare", "--decision", "invalid")
    assert (nothing.code, nothing.out) == (0, "No such idea yet.\n")


def test_no_door_shows_what_a_sealed_holdout_withholds(tmp_path: Path):
    """An idea that is stopped on its holdout stands there with its decision, and with none of its figures."""
    worth = {1: {"worth": "smallest_gain = 50.0"}}
    project = make_project(tmp_path / "shop", NOISY, worth, "[research]\nworkers = 1")
    for verb in ("data", "research", "analyse"):
        typed(project.root, verb, "1")
    said = typed(project.root, "compare").out + typed(project.root, "compare", "--json").out
    typed(project.root, "compare", "--csv", "ideas.csv", "--html")
    for file in ("ideas.csv", "reports/compare.html"):
        said += (project.root / file).read_text(encoding="utf-8")
    whole = read_whole_verdict(project.records.get("verdict", "0001"))
    year = whole.per_year()

    assert str(whole.decision) == "stop"
    assert "stop" in said
    for amount in (year.gain, year.low, year.high):
        assert f"{amount}" not in said
        assert f"{abs(amount):,.2f}" not in said
    assert "<figure>" not in said
    [row] = typed(project.root, "compare", "--json").json
    assert [row[name] for name in ("gain", "low", "high", "harm")] == [None] * 4


def test_the_table_fits_100_columns(judged: Path):
    """However long titles are, they are cut and the gain is whole."""
    lines = typed(judged, "compare").out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "Bake for the weekday" in lines[2]
    assert "13,800 (12,000 to 15,800) EUR" in lines[1]


def test_spare_columns_without_room_are_left_out_from_the_right():
    """All other columns stay, the title is cut as little as there is need for."""
    rows = [{"idea": 1, "title": LONG, "gain": "9" * 60, "harm": "5%", "looks": "8" * 40}]
    [row] = narrowed(rows, title=20, spare=["harm", "looks"])
    assert list(row) == ["idea", "title", "gain", "harm"]
    assert 10 < len(row["title"]) <= 25
    assert list(narrowed(rows)[0]) == list(rows[0])
    assert narrowed([{"idea": 1, "title": "short"}]) == [{"idea": 1, "title": "short"}]
