"""The part of the report about perfect foresight: how much of what could be earned each policy earns, and what it loses it to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.analysis.money import NO_BREAK, figure, money, step_of
from shipworthy.analysis.report.drawing import GAIN, INK, LETTER, LOSS, ROOMY, Plot, draw, money_axis, rows, trace
from shipworthy.analysis.report.replayed import over
from shipworthy.analysis.report.sentences import a_period
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.wording import periods
from shipworthy.library import library

_ROLES = {"champion": "Champion", "challenger": "Challenger"}
_CAUSES = {
    "prediction": "because what would happen was not known",
    "optimisation": "because the optimiser stopped before it had found the best plan",
    "infeasibility": "in periods that a fallback had to decide",
}
_HEIGHT = 150
_BAR = 30


def regret_of(story: Story) -> Mapping[str, Mapping[str, Any]]:
    """Each policy's regret; empty where none was computed, or where foresight earned nothing to take a share of."""
    recorded = story.research.regret or {}
    found = {role: recorded[role] for role in _ROLES if role in recorded}
    return found if all(one["share"] is not None for one in found.values()) else {}


def draw_regret(story: Story) -> Plot:
    """What each policy earns, and what it loses against perfect foresight."""
    each = a_period(story)
    readings = [(_ROLES[role], f"{text} {each}") for role, text in zip(regret_of(story), _kept(story)[2], strict=True)]
    return draw(_title(story), lambda width: _bars(story, width), _HEIGHT, right=28, readings=readings, by="y")


def regret_note(story: Story) -> str:
    """What each policy loses it to."""
    parts = [f"{_ROLES[role]}: {_causes(story, one)}." for role, one in regret_of(story).items()]
    odd = any(one[cause] < 0.0 for one in regret_of(story).values() for cause in _CAUSES)
    luck = " A part below zero is luck, or an optimiser that is not exact: it is shown as it came out." if odd else ""
    bound = (
        " Foresight sees one period ahead only; where something is carried from period to period, saving for later may "
        "earn more."
        if story.problem.next_state is not None
        else ""
    )
    counted = periods(regret_of(story)["challenger"]["periods"], story.verdict.criteria.cadence)
    where = f", {over(story)}" if over(story) else ""
    return (
        f"Nobody can earn what perfect foresight earns; it says how much was left to gain in {counted}{where}. "
        f"{' '.join(parts)}{luck}{bound}"
    )


def _title(story: Story) -> str:
    found = regret_of(story)
    champion, challenger = (f"{figure(100.0 * (1.0 - found[role]['share']), 0.1)}{NO_BREAK}%" for role in _ROLES)
    best = found["challenger"]["earned"] / found["challenger"]["periods"]
    begins = "Before the sealed holdout, of" if over(story) else "Of"
    return (
        f"{begins} the {money(best, story.currency, step_of([best]))} {a_period(story)} that perfect foresight would have "
        f"earned, what runs today earned {champion}, the challenger {challenger}"
    )


def _causes(story: Story, one: Mapping[str, Any]) -> str:
    each = {cause: one[cause] / one["periods"] for cause in _CAUSES if one[cause] != 0.0}
    if not each:
        return "nothing is lost"
    step = step_of(each.values())
    return ", ".join(
        f"{money(amount, story.currency, step)} {a_period(story)} {_CAUSES[cause]}" for cause, amount in each.items()
    )


def _kept(story: Story) -> tuple[list[float], list[float], list[str]]:
    """Of each policy what a period earns, what it could earn, and both in words."""
    found = list(regret_of(story).values())
    best = [one["earned"] / one["periods"] for one in found]
    kept = [reach - one["per_period"] for reach, one in zip(best, found, strict=True)]
    step = step_of([*kept, *best])
    texts = [f"{figure(has, step)} of {money(of, story.currency, step)}" for has, of in zip(kept, best, strict=True)]
    return kept, best, texts


def _bars(story: Story, width: int) -> Any:
    alt = library("altair", "report")
    kept, best, texts = _kept(story)
    low, high = min(0.0, *kept), max(*best, *kept)
    x = money_axis(
        alt.X, "kept", story.currency, [low, high * (1.3 if width > ROOMY else 2.2)], count=max(3, width // 150)
    )
    names = [_ROLES[role] for role in regret_of(story)]
    extent = LETTER * max(map(len, names)) + LETTER
    axis = alt.Axis(labelColor=INK, minExtent=extent, labelLimit=extent, ticks=False, domain=False)
    y = alt.Y("role:N", title=None, sort=names, axis=axis)
    earned = alt.Chart(rows(role=names, kept=kept, zero=[0.0] * len(kept))).encode(x=x, x2="zero:Q", y=y)
    lost = alt.Chart(rows(role=names, kept=kept, best=best)).encode(x=x, x2="best:Q", y=y)
    ends = alt.Chart(rows(role=names, kept=[max(pair) for pair in zip(kept, best, strict=True)], text=texts))
    return alt.layer(
        lost.mark_bar(color=LOSS, opacity=0.45, height=_BAR),
        earned.mark_bar(color=GAIN, height=_BAR),
        ends.mark_text(align="left", dx=6, color=INK, fontWeight="bold").encode(x=x, y=y, text="text:N"),
        trace(alt.Chart(rows(i=list(range(len(names))), role=names, kept=kept)).encode(x=x, y=y)),
    )
