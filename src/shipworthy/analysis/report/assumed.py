"""The part of the report about assumptions: what the gain would be if one of them were wrong, and where the verdict turns."""

from __future__ import annotations

import math
from typing import Any

from shipworthy.analysis.break_even import CurvePoint, Varied
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.money import NO_BREAK, figure, money, step_for
from shipworthy.analysis.report.drawing import (
    GAIN,
    INK,
    LOSS,
    MUTED,
    Plot,
    draw,
    money_axis,
    rows,
    rule_at,
    trace,
    written,
)
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.wording import amount
from shipworthy.library import library

_HEIGHT = 250
NOTE = (
    "Read along the line what the gain would be; the band is its interval. Both policies' decisions are held as they were, and "
    "only their money is worked out again."
)


def varied(story: Story) -> tuple[Varied, ...]:
    """The assumptions that there is a curve of."""
    known = story.analysis.break_even
    return known.assumptions if known and known.is_known else ()


def turns(findings: Findings) -> list[str]:
    """Which assumption would turn the verdict, and what to know of it; nothing where none was declared, or nothing is known."""
    known = findings.analysis.break_even if isinstance(findings, Story) else None
    return [known.says, *known.notes] if known and known.is_known else []


def draw_assumption(story: Story, one: Varied) -> Plot:
    """The gain a year, with its band, over an assumption; where the verdict turns is marked."""
    readings = [_reading(story, one, point) for point in one.curve]
    return draw(_title(one), lambda width: _curve(story, one, width), _HEIGHT, right=16, readings=readings)


def assumption_facts(story: Story) -> list[tuple[str, str]]:
    """Each assumption: as stated, how far it was varied, and where the verdict turns."""
    return [(_name(one), f"{amount(one.stated)}, varied from {amount(one.low)} to {amount(one.high)}; {_turns(one)}")
            for one in varied(story)]  # fmt: skip


def _title(one: Varied) -> str:
    return f"{_name(one).capitalize()}, stated as {amount(one.stated)}: {_turns(one)}"


def _turns(one: Varied) -> str:
    says = [f"below {amount(one.flips_below)}"] if one.flips_below is not None else []
    says += [f"above {amount(one.flips_above)}"] if one.flips_above is not None else []
    if says:
        return f"the verdict is another one {' and '.join(says)}"
    return f"the verdict stands from {amount(one.low)} to {amount(one.high)}"


def _name(one: Varied) -> str:
    return one.name.replace("_", " ")


def _reading(story: Story, one: Varied, point: CurvePoint) -> tuple[str, ...]:
    gain = Gain(gain=point.gain, low=point.low, high=point.high)
    step = step_for(gain, 0.0)
    ends = f"{figure(point.low, step)} to {figure(point.high, step)}"
    return f"{_name(one)} {amount(point.at)}", f"{money(point.gain, story.currency, step)} {_counted(story)}", ends


def _counted(story: Story) -> str:
    return story.verdict.criteria.spoken[1]


def _curve(story: Story, one: Varied, width: int) -> Any:
    alt = library("altair", "report")
    places = [point.at for point in one.curve]
    gains = [point.gain for point in one.curve]
    banded = [point for point in one.curve if math.isfinite(point.high - point.low)]
    ends = [0.0, *gains, *(end for point in banded for end in (point.low, point.high))]
    margin = 0.14 * ((max(ends) - min(ends)) or 1.0)
    domain = [min(ends) - margin, max(ends) + margin]
    scale = alt.Scale(domain=[one.low, one.high], nice=False, zero=False)
    axis = alt.Axis(grid=False, tickCount=max(3, width // 120), format=",~g")
    x = alt.X("at:Q", title=_name(one), scale=scale, axis=axis)
    y = money_axis(alt.Y, "gain", story.currency, domain, count=5)
    line = alt.Chart(rows(i=list(range(len(places))), at=places, gain=gains)).encode(x=x, y=y)
    band = rows(
        at=[point.at for point in banded],
        gain=[point.low for point in banded],
        high=[point.high for point in banded],
    )
    return alt.layer(
        *([alt.Chart(band).mark_area(color=GAIN, opacity=0.18).encode(x=x, y=y, y2="high:Q")] if banded else []),
        rule_at(alt, alt.Y, 0.0, MUTED),
        line.mark_line(color=GAIN, strokeWidth=2.5),
        *_marked(alt, x, one.stated, "stated", INK, 8, one),
        *(
            part
            for at, height in ((one.flips_below, 26), (one.flips_above, 44))
            if at is not None
            for part in _marked(alt, x, at, f"turns at {amount(at)}".replace(" ", NO_BREAK), LOSS, height, one)
        ),
        trace(line),
    )


def _marked(alt: Any, x: Any, at: float, says: str, colour: str, height: int, one: Varied) -> list[Any]:
    """A dashed line up the plot, with its name beside it where there is more room."""
    placed = alt.Chart(rows(at=at)).encode(x=x)
    is_left = at - one.low < 0.5 * (one.high - one.low)
    label = placed.encode(y=alt.value(height))
    return [
        placed.mark_rule(color=colour, strokeWidth=1.5, strokeDash=[5, 4]),
        *written(alt, label, says, align="left" if is_left else "right", dx=6 if is_left else -6),
    ]
