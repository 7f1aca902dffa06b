"""The faces of the report: the same verdict in each, readable by the libraries of their form, and nothing that is sealed."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from markdown_it import MarkdownIt

from shipworthy.analysis import Criteria, verdict
from shipworthy.analysis.report.faces import FACES, write_faces
from shipworthy.analysis.report.findings import Findings, course_of, units_of, usable_pairs
from shipworthy.analysis.report.palette import LIGHT
from shipworthy.analysis.report.sentences import HEADLINES
from shipworthy.analysis.report.story import tell_story
from shipworthy.analysis.report.write import write_report
from shipworthy.errors import InvalidInputError, UnavailableError
from tests.series import clear_gain, evidence

pptx = pytest.importorskip("pptx")

YEARLY = Criteria(units_per_year=1460.0)
NOISE = np.random.default_rng(11).normal(0.1, 4.0, size=(90, 4))
TWICE = evidence(clear_gain()).vstack(evidence(clear_gain()).head(1).with_columns(value_challenger=99.0))
CASES = {
    "ship": (evidence(clear_gain()), YEARLY),
    "stop": (evidence(-clear_gain(units=40)), YEARLY),
    "inconclusive": (evidence(NOISE), Criteria(min_effect=0.05, units_per_year=1460.0)),
    "no interval": (evidence(clear_gain(periods=12)), YEARLY),
    "numbered periods": (evidence(clear_gain(), range(60)), YEARLY),
    "nothing but zeros": (evidence(np.zeros((60, 2))), YEARLY),
    "invalid": (TWICE, YEARLY),
}
WORDY = "A very long title that goes on about what would be done differently " * 6
ATTACK = (
    "<script>alert(1)</script> | ![x](http://evil.example/a.png) *b* [l](javascript:1) `c` @all #1 www.evil.example"
)
GITHUB = MarkdownIt("commonmark").enable("table")
PROSE = ("markdown", "card")


def findings_of(frame, criteria, **other) -> Findings:
    """Findings of evidence that no project has made."""
    found = verdict(frame, criteria)
    pairs = usable_pairs(frame, criteria)
    known = {"title": "Evidence", "currency": "EUR", "unit_noun": "shop", "claimed": None, "is_sealed": False}
    return Findings(**{**known, "verdict": found, "course": course_of(pairs), "units": units_of(pairs), **other})


def sealed_findings() -> tuple[Findings, list[float]]:
    """Findings of a sealed holdout that says stop, and every figure that it keeps to itself."""
    whole = findings_of(evidence(-clear_gain(units=40)), YEARLY)
    told = whole.verdict
    assert told.decision == "stop"
    hidden = [
        *(amount for gain in (told.per_period(), told.per_year()) for amount in (gain.gain, gain.low, gain.high)),
        told.gain, told.low, told.high, told.se,
        *whole.course["total"], *whole.units["total"], *whole.units["gain"],
    ]  # fmt: skip
    sealed = replace(
        whole, verdict=told.withheld(), is_sealed=True, course=whole.course.clear(), units=whole.units.clear()
    )
    return sealed, hidden


def opened(path: Path):
    """A deck, as its own library reads it."""
    return pptx.Presentation(str(path))


def texts_of(path: Path) -> str:
    """Everything that a face says: of a deck its boxes, tables, notes, alternative texts and the figures of its charts."""
    if path.suffix != ".pptx":
        return path.read_text(encoding="utf-8")
    with ZipFile(path) as deck:
        said = [
            deck.read(name).decode() for name in deck.namelist() if name.startswith("ppt/") and name.endswith(".xml")
        ]
        for name in deck.namelist():
            if name.endswith(".xlsx"):
                with ZipFile(BytesIO(deck.read(name))) as book:
                    said += [book.read(sheet).decode() for sheet in book.namelist() if sheet.startswith("xl/")]
    slides = [part for part in said if "slideLayout" not in part[:300]]
    return re.sub(r"<[^>]+>", " ", "\n".join(slides))


def shown(text: str) -> str:
    """What a reader of Markdown sees, and nothing of what marks it up."""
    tokens = [inline for token in GITHUB.parse(text) for inline in (token.children or [token])]
    return " ".join(token.content for token in tokens if token.type in ("text", "code_inline", "fence"))


@pytest.fixture(scope="module", params=CASES)
def written(request, tmp_path_factory):
    """Every face of a kind of verdict whose evidence no project has made, by the face's name; the page apart."""
    folder = tmp_path_factory.mktemp("faces")
    told = findings_of(*CASES[request.param])
    names = [name for name in FACES if name != "html"]
    return told, dict(zip(names, write_faces(told, folder, "found", names), strict=True))


def test_every_face_tells_the_decision(written):
    """Whatever the evidence shows, each face is there, has the headline in it, and speaks of no infinity."""
    told, paths = written
    for name, path in paths.items():
        says = texts_of(path)
        assert HEADLINES[told.verdict.decision] in says, name
        assert not {"nan", "inf", "-inf", "infinity"} & set(re.findall(r"[-\w]+", says.lower())), name


def test_deck_has_at_most_five_slides_that_fill_their_page_and_nothing_beside_it(written):
    """Each slide has a title and notes, every shape lies on it, charts are native and have a text in their place."""
    _, paths = written
    deck = opened(paths["slides"])
    assert 2 < len(deck.slides) <= 5
    assert deck.slide_width * 9 == pytest.approx(deck.slide_height * 16, rel=1e-3)
    for slide in deck.slides:
        assert slide.shapes.title.text_frame.text
        assert slide.notes_slide.notes_text_frame.text
        for shape in slide.shapes:
            assert min(shape.left, shape.top) >= 0
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height
            if shape.has_chart or shape.has_table:
                assert shape._element.nvGraphicFramePr.cNvPr.get("descr")
            assert shape.shape_type != pptx.enum.shapes.MSO_SHAPE_TYPE.PICTURE


def test_same_findings_give_the_same_bytes(written, tmp_path):
    """Every file of every face, pictures and slides included, comes out again byte for byte."""
    told, paths = written
    again = write_faces(told, tmp_path, "found", list(paths))
    folder = next(iter(paths.values())).parent
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert {path.name for path in again} <= set(names)
    assert [n for n in names if (folder / n).read_bytes() != (tmp_path / n).read_bytes()] == []


def test_charts_hold_the_figures_of_the_verdict(walked):
    """The native charts of the deck end at the total, and hold the interval and each unit's gain."""
    story = tell_story(walked, 1)
    deck = opened(write_report(walked, 1, ["slides"])[0])
    series = [list(one.values) for slide in deck.slides for shape in slide.shapes if shape.has_chart
              for one in shape.chart.plots[0].series]  # fmt: skip
    assert any(len(values) > 50 and values[-1] == pytest.approx(story.course["total"][-1]) for values in series)
    assert any(values == pytest.approx(story.units["gain"].to_list()) for values in series if len(values) == 3)
    assert "shipworthy research 1" in deck.slides[len(deck.slides) - 1].notes_slide.notes_text_frame.text


def test_markdown_shows_the_pictures_beside_it(walked):
    """Each picture lies beside the file, is a PNG on white, twice as wide as on a page, and its text says the finding."""
    path = write_report(walked, 1, ["markdown"])[0]
    images = [
        one for token in GITHUB.parse(path.read_text("utf-8")) for one in token.children or [] if one.type == "image"
    ]
    image = pytest.importorskip("PIL.Image")
    assert len(images) == 2
    for one in images:
        assert "EUR" in one.content
        with image.open(path.parent / str(one.attrs["src"])) as picture:
            assert picture.width == 1400
            assert picture.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)


@pytest.mark.parametrize("face", PROSE)
def test_what_people_wrote_is_text_in_markdown(face, walked, tmp_path):
    """Markup, tags, links, pictures and table borders in a title, a unit and an owner are shown as they were typed."""
    frame = evidence(clear_gain(units=2))
    attacked = frame.with_columns(unit=frame["unit"].replace({"shop-001": ATTACK}))
    told = findings_of(attacked, YEARLY, title=f"1. {ATTACK}", unit_noun="# shop")
    text = write_faces(told, tmp_path, "found", [face])[0].read_text("utf-8")
    clean = write_faces(replace(told, title="1. a", unit_noun="shop", units=units_of(usable_pairs(frame, YEARLY))),
                        tmp_path, "clean", [face])[0].read_text("utf-8")  # fmt: skip
    kinds = [[one.type for one in GITHUB.parse(page)] for page in (text, clean)]
    assert kinds[0] == kinds[1]
    inline = [one for token in GITHUB.parse(text) for one in token.children or []]
    assert not [one for one in inline if one.type == "link_open" or (one.type == "image" and "evil" in str(one.attrs))]
    assert {one.content for one in inline if one.type == "html_inline"} <= {"<!-- -->"}
    assert shown(text).replace("# 1", "#1").replace("@ all", "@all").count("<script>alert(1)</script> | ![x](http") >= 2
    assert not re.search(r"@\w|#\d", text)


def test_unit_named_like_a_formula_stays_text_in_the_workbook_of_a_chart(tmp_path):
    """Who edits a chart opens a workbook in which nothing computes and nothing links."""
    frame = evidence(clear_gain(units=2))
    names = {"shop-001": '=HYPERLINK("http://evil.example")', "shop-000": "http://evil.example"}
    told = findings_of(frame.with_columns(unit=frame["unit"].replace(names)), YEARLY, title="a\x00\ud800b")
    path = write_faces(told, tmp_path, "found", ["slides"])[0]
    with ZipFile(path) as deck:
        for name in deck.namelist():
            if name.endswith(".xlsx"):
                with ZipFile(BytesIO(deck.read(name))) as book:
                    sheet = book.read("xl/worksheets/sheet1.xml").decode()
                    assert "<f>" not in sheet
                    assert "hyperlink" not in sheet
    assert "HYPERLINK" in texts_of(path)


def test_long_texts_are_cut_and_stand_whole_in_the_notes(tmp_path):
    """A title that fills no two lines ends in an ellipsis; notes of many lines go on in the speaker notes."""
    told = findings_of(*CASES["ship"], title=WORDY)
    many = tuple(f"{i}. {WORDY}" for i in range(12))
    told = replace(told, verdict=replace(told.verdict, notes=many))
    deck = opened(write_faces(told, tmp_path, "found", ["slides"])[0])
    assert deck.slides[0].shapes.title.text_frame.text.endswith("\N{HORIZONTAL ELLIPSIS}")
    wrong = deck.slides[2]
    assert any("more in the notes" in shape.text_frame.text for shape in wrong.shapes if shape.has_text_frame)
    assert all(note.strip() in wrong.notes_slide.notes_text_frame.text for note in many)


def test_no_face_tells_what_is_sealed(tmp_path):
    """Of a holdout that did not say ship no figure stands anywhere: not in a text, a note, a chart or a workbook."""
    sealed, hidden = sealed_findings()
    names = [name for name in FACES if name != "html"]
    figures = {f"{abs(x):{form}}".rstrip("0").rstrip(".") for x in hidden for form in (".2f", ",.2f", ".4g", ",.0f")}
    telling = {figure for figure in figures if len(re.sub(r"\D", "", figure)) > 3}
    assert len(telling) > 50
    for path in write_faces(sealed, tmp_path, "found", names):
        found = set(re.findall(r"\d[\d,.]*\d", texts_of(path)))
        assert found & telling == set(), path.name
        assert "ealed" in texts_of(path), path.name
    assert not any(shape.has_chart for slide in opened(tmp_path / "found.pptx").slides for shape in slide.shapes)
    assert not list(tmp_path.glob("*.png"))
    told = json.loads((tmp_path / "found.json").read_text())
    assert {amount for gain in told["gain"].values() for amount in gain.values()} == {None}


def test_json_is_what_the_document_says(walked):
    """Every field that a document has stands in the table of docs/reports.md, and none beside them."""
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text("utf-8").partition("## The fields")[2]
    documented = set(re.findall(r"^\| `([\w.\[\]]+)` \|", page, flags=re.MULTILINE))
    told = json.loads(write_report(walked, 1, ["json"])[0].read_text())

    def fields(value, before=""):
        for name, one in value.items():
            yield before + name
            if isinstance(one, dict):
                yield from fields(one, f"{before}{name}.")
            elif isinstance(one, list) and one and isinstance(one[0], dict):
                yield from fields(one[0], f"{before}{name}[].")

    found = {field for field in fields(told) if field.count(".") < 2 or field.startswith("project.lineage")}
    assert found == {field for field in documented if not field.startswith("file.")}
    assert (told["format"], told["version"]) == ("shipworthy-report", 1)
    record = walked.records.get("verdict", "0001").body["verdict"]
    assert told["gain"]["per_unit"] == {name: record[name] for name in ("gain", "low", "high")}
    assert told["guardrails"] == record["guardrails"]


def test_card_says_what_it_does_not_know(walked):
    """Licence, ethics and groups of people are unknown and said to be so; policy, data and ladder are the project's own."""
    text = shown(write_report(walked, 1, ["card"])[0].read_text("utf-8"))
    for says in ("unknown; nothing on record says so", "Unknown: nobody has put any on record", "SameWeekday", "28d"):
        assert says in text
    assert tell_story(walked, 1).research.snapshot in text


def test_all_faces_are_written_side_by_side_and_an_unknown_one_is_told(walked):
    """One call writes them all under the idea's name; a face that there is not writes nothing."""
    with pytest.raises(InvalidInputError, match=r"no face 'pdf'.*slides"):
        write_report(walked, 1, ["html", "pdf"])
    assert not (walked.root / "reports").exists()
    names = [path.name.removeprefix("0001-same-weekday") for path in write_report(walked, 1, list(FACES))]
    assert names == [".html", ".md", ".pptx", ".json", ".card.md"]
    assert not [path.name for path in (walked.root / "reports").iterdir() if path.name.startswith(".")]


def test_missing_library_is_told_with_the_line_that_installs_it(monkeypatch, tmp_path):
    """Without python-pptx the refusal says which line to type, and nothing is left half written."""
    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(UnavailableError, match=r"pptx.*pip install 'shipworthy\[report\]'"):
        write_faces(findings_of(*CASES["ship"]), tmp_path, "found", ["markdown", "slides"])
    assert list(tmp_path.iterdir()) == []


def test_pictures_and_slides_have_the_colours_of_the_page():
    """The palette for what cannot ask the page is the page's own, light one."""
    frame = (Path(sys.modules[write_faces.__module__].__file__).parent / "frame.html.jinja").read_text("utf-8")
    light = frame[frame.index("{% macro light() %}") : frame.index("{% endmacro %}")]
    assert dict(re.findall(r"--([\w-]+): (#\w+);", light)) == LIGHT
