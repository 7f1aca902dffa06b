"""A deck of slides to be edited: wide slides of real text boxes in the page's colours, with speaker notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from shipworthy.analysis.money import NO_BREAK
from shipworthy.analysis.report.fitting import fit
from shipworthy.analysis.report.frozen import frozen
from shipworthy.analysis.report.palette import LIGHT
from shipworthy.library import library

FONT = "Arial"
WIDTH, HEIGHT, MARGIN = 13.333, 7.5, 0.6
_POINTS = 72.0  # in an inch
_INSET = 0.1
_TITLE_ONLY = 5
_LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A place on a slide, in inches from its upper left corner."""

    left: float
    top: float
    width: float
    height: float

    def emu(self) -> tuple[int, int, int, int]:
        """The same in the unit of the file."""
        inches = library("pptx.util", "report").Inches
        return inches(self.left), inches(self.top), inches(self.width), inches(self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a text looks.

    Attributes:
        sizes: Sizes in points, the largest in which it fits is taken.
        colour: A colour of `palette.LIGHT`.
        bold: Whether its letters are bold.
        fill: The colour behind it; none where it is empty.
        centred: Whether it stands in the middle, from top to bottom.
    """

    sizes: Sequence[float]
    colour: str = "ink"
    bold: bool = False
    fill: str = ""
    centred: bool = False


class Deck:
    """Slides of 16:9, each with a title, a line above it and speaker notes."""

    def __init__(self, title: str, made_at: datetime | None = None) -> None:
        """Opens an empty deck.

        Raises:
            UnavailableError: The extra `report` is not installed.
        """
        self._file = library("pptx", "report").Presentation()
        inches = library("pptx.util", "report").Inches
        self._file.slide_width, self._file.slide_height = inches(WIDTH), inches(HEIGHT)
        told = self._file.core_properties
        told.title, told.author, told.last_modified_by = plain(title)[:255], "shipworthy", "shipworthy"
        told.created = told.modified = (made_at or _LONG_AGO).replace(tzinfo=None, microsecond=0)

    def add(self, title: str, above: str, notes: Sequence[str]) -> Slide:
        """Adds a slide; what people are to know beyond it stands in its notes."""
        drawn = self._file.slides.add_slide(self._file.slide_layouts[_TITLE_ONLY])
        added = Slide(drawn)
        added.name(title)
        number = f"{len(self._file.slides)}"
        look = Look(sizes=(12.0, 10.0), colour="muted")
        added.write([above], Area(left=MARGIN, top=0.3, width=WIDTH - 2 * MARGIN - 0.6, height=0.4), look)
        added.write([number], Area(left=WIDTH - MARGIN - 0.4, top=0.3, width=0.4, height=0.4), look)
        drawn.notes_slide.notes_text_frame.text = "\n".join(plain(note) for note in notes)
        return added

    def to_bytes(self) -> bytes:
        """The file; the same slides give the same bytes."""
        packed = BytesIO()
        self._file.save(packed)
        return frozen(packed.getvalue())


class Slide:
    """One slide that is being filled."""

    def __init__(self, drawn: Any) -> None:
        """Takes a slide of python-pptx."""
        self._drawn = drawn

    def name(self, title: str) -> None:
        """Sets the title, which is cut where it is longer than two lines of the smallest size."""
        area = Area(left=MARGIN, top=0.65, width=WIDTH - 2 * MARGIN, height=1.0)
        shape = self._drawn.shapes.title
        shape.left, shape.top, shape.width, shape.height = area.emu()
        _fill(shape.text_frame, [title], area, Look(sizes=(28.0, 24.0, 20.0), bold=True, centred=True))

    def write(self, texts: Sequence[str], area: Area, look: Look) -> int:
        """Writes paragraphs into a box.

        Returns:
            How many of them there was no room for; where there are some, the box says so.
        """
        shape = self._drawn.shapes.add_textbox(*area.emu())
        if look.fill:
            shape.fill.solid()
            shape.fill.fore_color.rgb = rgb(look.fill)
        return _fill(shape.text_frame, texts, area, look)

    def paint(self, colour: str, area: Area) -> None:
        """Paints a bar, which says nothing by itself."""
        shape = self._drawn.shapes.add_shape(1, *area.emu())
        shape.fill.solid()
        shape.fill.fore_color.rgb = rgb(colour)
        shape.line.fill.background()
        shape.shadow.inherit = False

    def chart(self, kind: int, content: Any, area: Area, says: str) -> Any:
        """Adds a chart that can be edited, with a text for who cannot see it."""
        frame = self._drawn.shapes.add_chart(kind, *area.emu(), content)
        frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(says))
        frame.chart.font.name, frame.chart.font.size = FONT, library("pptx.util", "report").Pt(12)
        frame.chart.font.color.rgb = rgb("muted")
        frame.chart.has_legend = frame.chart.has_title = False
        return frame.chart

    def table(self, rows: Sequence[tuple[str, str]], area: Area, says: str) -> None:
        """Adds a table of named facts, as many as there is room for."""
        height = 0.36
        shown = rows[: int(area.height / height)]
        frame = self._drawn.shapes.add_table(len(shown), 2, *area.emu())
        frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(says))
        frame.table.first_row = frame.table.horz_banding = False
        widths = (0.6 * area.width, 0.4 * area.width)
        for i, width in enumerate(widths):
            frame.table.columns[i].width = library("pptx.util", "report").Inches(width)
        for i, row in enumerate(shown):
            frame.table.rows[i].height = library("pptx.util", "report").Inches(height)
            for j, text in enumerate(row):
                cell = frame.table.cell(i, j)
                cell.fill.solid()
                cell.fill.fore_color.rgb = rgb("card" if i % 2 else "page")
                cell.margin_top = cell.margin_bottom = 0
                room = Area(left=0.0, top=0.0, width=widths[j], height=height)
                _fill(cell.text_frame, [text], room, Look(sizes=(12.0, 11.0, 10.0, 9.0), bold=j == 1, centred=True))
                cell.vertical_anchor = library("pptx.enum.text", "report").MSO_ANCHOR.MIDDLE


def rgb(colour: str) -> Any:
    """A colour of the page, as the file wants it."""
    return library("pptx.dml.color", "report").RGBColor.from_string(LIGHT[colour].removeprefix("#").upper())


def plain(text: object) -> str:
    r"""A text in one line, of letters that a file can hold.

    >>> plain("a\n\x00b")
    'a b'
    """
    kept = "".join(letter if letter.isprintable() or letter == NO_BREAK else " " for letter in str(text))
    return " ".join(part for part in kept.split(" ") if part)


def _fill(frame: Any, texts: Sequence[str], area: Area, look: Look) -> int:
    """Writes paragraphs in the size in which they fit."""
    pptx = library("pptx.enum.text", "report")
    points = library("pptx.util", "report").Pt
    room = (area.width - 2.0 * _INSET) * _POINTS, (area.height - _INSET) * _POINTS
    whole = [plain(text) for text in texts]
    width = room[0] / (1.08 if look.bold else 1.0)
    fitted = fit(whole, width, room[1], look.sizes)
    if fitted.left_out:
        fitted = fit(whole, width, room[1] - 1.7 * look.sizes[-1], look.sizes)
    shown = [*fitted.texts, *([f"{fitted.left_out} more in the notes."] if fitted.left_out else [])]
    frame.word_wrap, frame.auto_size = True, pptx.MSO_AUTO_SIZE.NONE
    frame.vertical_anchor = pptx.MSO_ANCHOR.MIDDLE if look.centred else pptx.MSO_ANCHOR.TOP
    frame.margin_left = frame.margin_right = library("pptx.util", "report").Inches(_INSET)
    frame.margin_top = frame.margin_bottom = library("pptx.util", "report").Inches(_INSET / 2.0)
    for i, text in enumerate(shown):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        paragraph.alignment = pptx.PP_ALIGN.LEFT
        paragraph.space_before = points(0.4 * fitted.size if i else 0.0)
        run = paragraph.add_run()
        run.text = text
        run.font.name, run.font.size, run.font.bold = FONT, points(fitted.size), look.bold
        run.font.color.rgb = rgb(look.colour)
    return fitted.left_out
