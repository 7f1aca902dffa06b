"""The sentences of the report: what each figure and each plot says, for a reader without statistics."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.analysis.guardrail import GuardrailVerdict
from shipworthy.analysis.judgement import Decision
from shipworthy.analysis.report.money import figure, money, step_for, step_of
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.verdict import Gain
from shipworthy.analysis.wording import periods

HEADLINES: Mapping[Decision, str] = {
    Decision.SHIP: "Ship it",
    Decision.STOP: "Do not ship it",
    Decision.INCONCLUSIVE: "Not decided yet",
    Decision.INVALID: "The evidence is invalid",
}
_A_PERIOD = {"1h": "an hour", "1d": "a day", "1w": "a week", "1mo": "a month"}
_LIMIT = 20


def a_period(story: Story) -> str:
    """How the length of a period is said: "a day", "a week"."""
    return _A_PERIOD.get(story.verdict.criteria.cadence, "a period")


def a_year(story: Story) -> str:
    """The gain of a year with its interval, rounded so that it stays on its side of zero and of the smallest gain."""
    return _with_interval(story.verdict.per_year(), story.currency, 0.0, story.smallest)


def each_period(story: Story) -> str:
    """The gain of a period with its interval."""
    scale = story.verdict.criteria.units_per_year
    smallest = story.smallest / scale * story.verdict.exposure.pairs_per_period if scale and story.verdict.exposure else 0.0
    return _with_interval(story.verdict.per_period(), story.currency, 0.0, smallest)


def lead(story: Story) -> str:
    """The verdict in a sentence or two, in money a year; the recorded reason where that says it better.

    Only what is true of every verdict of its kind is said in other words than the record's.
    """
    found, verdict = story.verdict.per_year(), story.verdict
    low, high, smallest, needed = (_yearly(story, amount) for amount in (found.low, found.high, story.smallest, story.needed))
    if verdict.decision is Decision.SHIP:
        return (
            f"Over {seen(story)} of history it would have earned more than what runs today: {_yearly(story, found.gain)} a "
            f"year. Even the low end of the interval, {low}, is above the {smallest} a year that makes it worth shipping."
        )
    if verdict.decision is Decision.STOP and found.high < 0.0:
        return (
            f"Over {seen(story)} of history it would have earned less than what runs today: {_yearly(story, found.gain)} a "
            f"year. Even the high end of the interval, {high}, is a loss."
        )
    if verdict.decision is Decision.STOP and found.low <= story.smallest and found.high < story.needed:
        return f"It earns too little: even the high end of the interval, {high} a year, is below the {needed} it needs."
    if story.has_interval and verdict.decision is Decision.INCONCLUSIVE:
        return f"Going by this history the gain lies somewhere from {low} to {high} a year. {verdict.reasons[0]}"
    return verdict.reasons[0]


def waiting(story: Story) -> str | None:
    """What it would take to decide, and what that costs; None where the verdict is no matter of waiting."""
    verdict = story.verdict
    if verdict.decision is not Decision.INCONCLUSIVE:
        return None
    needed = verdict.periods_still_needed
    if needed is None:
        return "More of the same history would hardly decide it."
    says = f"About {periods(needed, verdict.criteria.cadence)} more would probably decide."
    cost = verdict.per_period().gain * needed
    if not story.has_interval:
        return says
    if cost <= 0.0:
        return f"{says} Going by the gain measured so far, waiting costs nothing."
    return f"{says} If the gain measured so far is real, waiting that long forgoes {money(cost, story.currency, step_of([cost], 2))}."


def guardrail(one: GuardrailVerdict) -> str:
    """What is known of a guardrail, in its own unit."""
    better = f"{one.better} is better"
    step = step_for(Gain(gain=one.change, low=one.low, high=one.high), 0.0, one.margin, -one.margin)
    if one.low > one.high or max(-one.low, one.high) == float("inf"):
        return one.reason
    if one.low == one.high == 0.0:
        return f"did not change; {better}, and up to {one.margin:g} worse is tolerated"
    change, low, high = (_signed(amount, step) for amount in (one.change, one.low, one.high))
    return f"changed by {change} ({low} to {high}); {better}, and up to {one.margin:g} worse is tolerated"


def stability(story: Story) -> str | None:
    """Both halves of the history; None where there are none, or where a note already calls them unstable."""
    exposure = story.verdict.exposure
    if exposure is None or not exposure.halves or not exposure.is_stable:
        return None
    amounts = [half.gain * exposure.pairs_per_period for half in exposure.halves]
    step = step_of(amounts)
    older, newer = (money(amount, story.currency, step) for amount in amounts)
    return f"It did not change much over time: {older} {a_period(story)} in the older half of the history, {newer} in the newer one."


def course_title(story: Story) -> str:
    """What the plot of the gain so far shows."""
    total = story.course["total"][-1]
    noun, size = ("loss", -total) if total < 0.0 else ("gain", total)
    amount = money(size, story.currency, step_of([size]))
    span = seen(story)
    exposure = story.verdict.exposure
    halves = exposure.halves if exposure else ()
    if exposure and not exposure.is_stable:
        return f"The difference changed over time; it came to a {noun} of {amount} in {span}"
    if halves and (all(half.low > 0.0 for half in halves) or all(half.high < 0.0 for half in halves)):
        return f"The {noun} grew steadily: {amount} in {span}"
    if story.has_interval and story.verdict.low <= 0.0 <= story.verdict.high:
        return f"It came to a {noun} of {amount} in {span}, which may be chance"
    return f"It came to a {noun} of {amount} in {span}"


def course_note(story: Story) -> str:
    """How often the challenger earned more, and less."""
    gains = story.course["gain"]
    more, less = int((gains > 0.0).sum()), int((gains < 0.0).sum())
    same = len(gains) - more - less
    return (
        f"Of {seen(story)}, the challenger earned more on {more:,}, less on {less:,} and the same on {same:,}. The line adds "
        "up challenger minus champion."
    )


def interval_title(story: Story) -> str:
    """Where the interval lies against zero and the smallest gain worth shipping."""
    found = story.verdict.per_year()
    low, high, smallest, needed = (_yearly(story, end) for end in (found.low, found.high, story.smallest, story.needed))
    if found.low > story.smallest:
        return f"Even the low end, {low} a year, is above the smallest gain worth shipping, {smallest}"
    if found.high < 0.0:
        return f"Even the high end, {high} a year, is a loss"
    if found.high < story.needed:
        return f"Even the high end, {high} a year, is below the {needed} that it needs"
    return f"The gain may be anything from {low} to {high} a year; worth shipping is more than {smallest}"


def units_title(story: Story) -> str:
    """Which units gained."""
    units, noun = story.units, story.unit_noun
    step = step_of([float(units["gain"].abs().max() or 0.0)])  # type: ignore[arg-type]  # gains are numbers
    best = f"{units['unit'][0]} {money(units['gain'][0], story.currency, step)}"
    worst = f"{units['unit'][-1]} {money(units['gain'][-1], story.currency, step)}"
    if units.height == 1:
        return f"There is one {noun}: {best} per decision"
    gained = int((units["gain"] > 0.0).sum())
    many = f"All {gained:,}" if gained == units.height else f"{gained:,} of {units.height:,}"
    return f"Gain by {noun}: {many} gained, from {best} per decision to {worst}"


def units_note(story: Story) -> str:
    """How the units are to be read."""
    says = "Means over the history, for reading, not for deciding: the verdict rests on the interval of all of them together."
    if story.units.height > _LIMIT:
        half = _LIMIT // 2
        says += f" Of {story.units.height:,}, only the {half} that gained most and the {half} that gained least are shown."
    return says


def shown_units(story: Story) -> list[dict[str, object]]:
    """The units that are shown: all of them, or the best and the worst ten."""
    units = story.units
    half = _LIMIT // 2
    return units.to_dicts() if units.height <= _LIMIT else units.head(half).to_dicts() + units.tail(half).to_dicts()


def seen(story: Story) -> str:
    """How much history the verdict rests on."""
    return periods(story.course.height, story.verdict.criteria.cadence)


def _yearly(story: Story, amount: float) -> str:
    """An amount a year, rounded like the headline."""
    return money(amount, story.currency, step_for(story.verdict.per_year(), 0.0, story.smallest, story.needed))


def _with_interval(gain: Gain, currency: str, *marks: float) -> str:
    step = step_for(gain, *marks)
    if max(-gain.low, gain.high) == float("inf"):
        return money(gain.gain, currency, step)
    return f"{money(gain.gain, currency, step)} ({figure(gain.low, step)} to {figure(gain.high, step)})"


def _signed(amount: float, step: float) -> str:
    text = figure(amount, step)
    return f"+{text}" if amount > 0.0 else text
