"""The part of the report about segments: where the gain comes from, with intervals that hold for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import step_for
from shipworthy.analysis.report.drawing import GAIN, LOSS, MUTED, Plot, Range, draw_ranges
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.segments import READING, Segment

NOTE = f"Dots are the gain of each segment, bars intervals that hold for all of them at once. {READING}"


def by_column(story: Story) -> dict[str, list[Segment]]:
    """The segments that are shown, by the column that tells them apart."""
    told = story.analysis.segments
    found: dict[str, list[Segment]] = {}
    for one in told.segments if told else ():
        found.setdefault(one.column, []).append(one)
    return found


def draw_segments(story: Story, column: str, told: Sequence[Segment]) -> Plot:
    """The gain of each segment of a column with its interval, against zero."""
    gains = [(one, _a_year(one)) for one in told]
    ranges = [Range(label=one.value, gain=gain, colour=_colour(one), step=step_for(gain, 0.0)) for one, gain in gains]
    return draw_ranges(_title(column, told), ranges, story.currency)


def _title(column: str, told: Sequence[Segment]) -> str:
    gained, lost = sum(one.low > 0.0 for one in told), sum(one.high < 0.0 for one in told)
    counted = "a year" if told[0].units_per_year is not None else "per decision"
    parts = [f"{gained} of {len(told)} clearly gain", *([f"{lost} clearly lose"] if lost else [])]
    return f"Gain {counted} by {column.replace('_', ' ')}: {', '.join(parts)}"


def _a_year(one: Segment) -> Gain:
    factor = 1.0 if one.units_per_year is None else one.units_per_year
    return Gain(gain=one.gain * factor, low=one.low * factor, high=one.high * factor)


def _colour(one: Segment) -> str:
    return GAIN if one.low > 0.0 else LOSS if one.high < 0.0 else MUTED
