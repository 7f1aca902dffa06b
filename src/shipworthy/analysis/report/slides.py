"""The report as slides for stakeholders: five at most, to be edited; the caveats stand in the speaker notes."""

from __future__ import annotations

from shipworthy.analysis.report import native_charts, sentences
from shipworthy.analysis.report.assumed import turns
from shipworthy.analysis.report.deck import HEIGHT, MARGIN, WIDTH, Area, Deck, Look, Slide
from shipworthy.analysis.report.doubts import doubts, without_guardrails
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.next_step import cost_of_waiting, next_command, next_step
from shipworthy.analysis.report.provenance import again, commands, digests
from shipworthy.analysis.report.rests_on import rests_on
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.report.tables import segment_rows, segment_says
from shipworthy.analysis.report.tiles import tiles, worth_shipping

_TOP, _BOTTOM = 1.8, HEIGHT - 0.45
_WIDE = WIDTH - 2.0 * MARGIN
_HALF = (_WIDE - 0.4) / 2.0
_BODY = Look(sizes=(18.0, 16.0, 14.0, 12.0))
_SMALL = Look(sizes=(14.0, 12.0), colour="muted")
_HEADING = Look(sizes=(16.0,), bold=True)


def render_slides(findings: Findings) -> bytes:
    """Lays out the slides as PPTX; the same findings give the same bytes.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    deck = Deck(findings.title, findings.judged_at if isinstance(findings, Story) else None)
    _answer(deck, findings)
    if not findings.course.is_empty():
        _course(deck, findings)
    _doubts(deck, findings)
    if findings.verdict.exposure:
        _basis(deck, findings)
    _next(deck, findings)
    return deck.to_bytes()


def _answer(deck: Deck, findings: Findings) -> None:
    """To ship or not, the money, and where its interval lies."""
    decision = str(findings.verdict.decision)
    notes = [*findings.verdict.reasons, *map(str, doubts(findings))]
    slide = deck.add(findings.title, _above(findings), notes)
    says = [text for text in (sentences.lead(findings), sentences.waiting(findings)) if text]
    banner = Area(left=MARGIN, top=_TOP, width=_WIDE, height=1.75)
    slide.write([], banner, Look(sizes=(12.0,), fill=f"{decision}-back"))
    slide.paint(decision, Area(left=MARGIN, top=_TOP, width=0.12, height=banner.height))
    inside = MARGIN + 0.2
    headline = Area(left=inside, top=_TOP + 0.08, width=_WIDE - 0.3, height=0.65)
    slide.write(
        [sentences.HEADLINES[findings.verdict.decision]], headline, Look(sizes=(32.0,), colour=decision, bold=True)
    )
    slide.write(
        says, Area(left=inside, top=_TOP + 0.7, width=_WIDE - 0.3, height=1.0), Look(sizes=(16.0, 14.0, 12.0, 11.0))
    )
    _tiles(slide, findings)
    if findings.has_interval:
        area = Area(left=MARGIN, top=5.1, width=_WIDE, height=_BOTTOM - 5.1)
        native_charts.draw_interval(slide, findings, area, sentences.interval_title(findings))


def _tiles(slide: Slide, findings: Findings) -> None:
    """The figures that are looked for first, side by side."""
    told = tiles(findings)
    gap = 0.2
    width = (_WIDE - gap * (len(told) - 1)) / len(told)
    for i, tile in enumerate(told):
        left = MARGIN + i * (width + gap)
        slide.write([], Area(left=left, top=3.7, width=width, height=1.3), Look(sizes=(12.0,), fill="page"))
        name, figure, says = (Area(left=left, top=top, width=width, height=0.45) for top in (3.72, 4.07, 4.5))
        slide.write([tile.name], name, Look(sizes=(14.0, 12.0), colour="muted"))
        slide.write([tile.figure], figure, Look(sizes=(24.0, 20.0, 16.0, 12.0), bold=True))
        slide.write([tile.says], says, Look(sizes=(12.0, 11.0, 10.0, 9.0), colour="muted"))


def _course(deck: Deck, findings: Findings) -> None:
    """What the history shows."""
    title, note = sentences.course_title(findings), sentences.course_note(findings)
    slide = deck.add(title, _above(findings), [note, *map(str, doubts(findings))])
    native_charts.draw_course(slide, findings, Area(left=MARGIN, top=_TOP, width=_WIDE, height=4.5), title)
    slide.write([note], Area(left=MARGIN, top=6.4, width=_WIDE, height=0.65), _SMALL)


def _doubts(deck: Deck, findings: Findings) -> None:
    """What could be wrong, with the guardrails."""
    rails = [
        f"{one.name.replace('_', ' ')} {sentences.STATES[one.state]}: {sentences.guardrail(one)}."
        for one in findings.verdict.guardrails
    ] or [without_guardrails(findings)]
    wrong = [*map(str, doubts(findings)), *turns(findings)] or list(findings.verdict.reasons)
    slide = deck.add("What could be wrong", _above(findings), [*rails, *wrong, *findings.verdict.reasons])
    for left, heading, says in ((MARGIN, "The evidence", wrong), (MARGIN + _HALF + 0.4, "Guardrails", rails)):
        slide.write([heading], Area(left=left, top=_TOP, width=_HALF, height=0.45), _HEADING)
        slide.write(says, Area(left=left, top=_TOP + 0.45, width=_HALF, height=_BOTTOM - _TOP - 0.45), _BODY)


def _basis(deck: Deck, findings: Findings) -> None:
    """What the verdict rests on: the units, and how much history there is."""
    apart = [(f"{row[0]}: {row[1]}", f"{row[3]} ({row[4]} to {row[5]})") for row in segment_rows(findings)]
    facts = [*apart, *rests_on(findings)]
    told = "Gain by segment, and what the interval rests on" if apart else "What the interval rests on"
    notes = [*(f"{name}: {fact}" for name, fact in facts), *segment_says(findings)]
    area = Area(left=MARGIN, top=_TOP + 0.05, width=_WIDE, height=_BOTTOM - _TOP - 0.05)
    if findings.units.is_empty():
        slide = deck.add("What the verdict rests on", _above(findings), notes)
        slide.table(facts, area, told)
        return
    title, note = sentences.units_title(findings), sentences.units_note(findings, native_charts.MOST_UNITS)
    slide = deck.add(title, _above(findings), [note, *notes])
    right = Area(left=MARGIN + _HALF + 0.4, top=area.top, width=_HALF, height=area.height)
    native_charts.draw_units(slide, findings, Area(left=MARGIN, top=_TOP, width=_HALF, height=4.3), title)
    slide.write([note], Area(left=MARGIN, top=6.15, width=_HALF, height=_BOTTOM - 6.15), _SMALL)
    slide.table(facts, right, told)


def _next(deck: Deck, findings: Findings) -> None:
    """What happens next, what waiting costs, and who answers for it."""
    story = findings if isinstance(findings, Story) else None
    repeat = [again(findings), *commands(findings)] if commands(findings) else []
    repeat += [f"{name}: {fact}" for name, fact in digests(findings)]
    slide = deck.add("What happens next", _above(findings), [*findings.verdict.reasons, *repeat])
    parts = [("Next", next_step(findings))]
    if next_command(findings):
        parts.append(("To type", str(next_command(findings))))
    if cost_of_waiting(findings):
        parts.append(("What it costs to wait", str(cost_of_waiting(findings))))
    worth = worth_shipping(findings)
    parts.append((worth.name, f"{worth.figure} {worth.says}"))
    if story:
        deadline = f", by {story.idea.deadline}" if story.idea.deadline else ""
        parts += [("The idea", story.idea.change), ("Owner", f"{story.idea.owner}{deadline}")]
    height = (_BOTTOM - _TOP) / max(len(parts), 5)
    for i, (name, says) in enumerate(parts):
        top = _TOP + i * height
        slide.write([name], Area(left=MARGIN, top=top, width=2.9, height=height), Look(sizes=(16.0,), colour="muted"))
        slide.write([says], Area(left=MARGIN + 3.0, top=top, width=_WIDE - 3.0, height=height), _BODY)


def _above(findings: Findings) -> str:
    """The line above a title."""
    if not isinstance(findings, Story):
        return sentences.HEADLINES[findings.verdict.decision]
    return f"{findings.problem.name} · idea {findings.idea.number} · judged {findings.judged_at:%Y-%m-%d}"
