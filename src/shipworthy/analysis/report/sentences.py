"""The sentences of the report: what each figure and each plot says, for a reader without statistics."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.analysis import wording
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.guardrail import GuardrailState, GuardrailVerdict
from shipworthy.analysis.money import NO_BREAK, figure, money, precise, share, stated, step_for, step_of
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.wording import periods

HEADLINES: Mapping[Decision, str] = {
    Decision.SHIP: "Ship it",
    Decision.STOP: "Do not ship it",
    Decision.INCONCLUSIVE: "Not decided yet",
    Decision.INVALID: "The evidence is invalid",
}
STATES: Mapping[GuardrailState, str] = {
    GuardrailState.HOLDS: "holds",
    GuardrailState.BREACHED: "is broken",
    GuardrailState.INCONCLUSIVE: "is open",
}
_UNITS: Mapping[str, str] = {"all": "those of the evidence, all of them", "sample": "a sample of those to be served"}
_LIMIT = 20


def a_period(findings: Findings) -> str:
    """How the length of a period is said: "a day", "a week"."""
    return wording.a_period(findings.verdict.criteria.cadence)


def yearly_step(findings: Findings) -> float:
    """To what the gain of a year is rounded: it stays on its side of zero and of what it is held against."""
    return findings.verdict.step_of_year()


def a_year(findings: Findings) -> tuple[str, str]:
    """The gain of a year, and its interval."""
    return _with_interval(findings, findings.verdict.per_year(), yearly_step(findings))


def each_period(findings: Findings) -> tuple[str, str]:
    """The gain of a period, and its interval."""
    gain = findings.verdict.per_period()
    return _with_interval(findings, gain, step_for(gain, 0.0, findings.verdict.smallest_a_period))


def smallest(findings: Findings) -> str:
    """The smallest gain a year worth shipping."""
    return stated(findings.smallest, findings.currency)


def lead(findings: Findings) -> str:
    """The verdict in a sentence or two, in money a year; the recorded reason where that says it better.

    Only what is true of every verdict of its kind is said in other words than the record's.
    """
    found, verdict = findings.verdict.per_year(), findings.verdict
    low, high, difference = (_yearly(findings, amount) for amount in (found.low, found.high, abs(found.gain)))
    if verdict.decision is Decision.SHIP:
        return (
            f"Over {seen(findings)} of history it would have earned {difference} a year more than what runs today. Even the "
            f"low end of the interval, {low}{_lowest(findings)}, is above {_bar(findings)}."
        )
    if verdict.decision is Decision.STOP and found.high < 0.0:
        return (
            f"Over {seen(findings)} of history it would have earned {difference} a year less than what runs today. Even the "
            f"high end of the interval, {high}, is a loss."
        )
    if verdict.decision is Decision.STOP and found.low <= findings.smallest and found.high < findings.needed:
        needed = stated(findings.needed, findings.currency)
        return f"It earns too little: even the high end of the interval, {high} a year, is below the {needed} it needs."
    if findings.has_interval and verdict.decision is Decision.INCONCLUSIVE:
        is_short = findings.lowest <= findings.smallest
        must = f"; to ship, even the low end{_lowest(findings)} has to be above {_bar(findings)}" if is_short else ""
        return f"Going by this history the gain lies somewhere from {low} to {high} a year{must}."
    return verdict.reasons[0]


def recorded(findings: Findings) -> str | None:
    """The deciding reason as recorded, where the lead does not say it."""
    verdict = findings.verdict
    if verdict.decision is not Decision.INCONCLUSIVE or not findings.has_interval:
        return None
    return f"In the verdict's words: {verdict.reasons[0]}"


def waiting(findings: Findings) -> str | None:
    """What it would take to decide, and what that costs; None where the verdict is no matter of waiting."""
    verdict = findings.verdict
    if verdict.decision is not Decision.INCONCLUSIVE or findings.is_withheld:
        return None
    needed = verdict.periods_still_needed
    if needed is None:
        return "It cannot be said that more of the same history would decide it."
    says = f"About {periods(needed, verdict.criteria.cadence)} more would probably decide."
    if not findings.has_interval:
        return says
    cost = verdict.per_period().gain * needed
    if cost <= 0.0:
        return f"{says} Going by the gain measured so far, waiting costs nothing."
    forgone = money(cost, findings.currency, step_of([cost], digits=2))
    return f"{says} If the gain measured so far is real, waiting that long forgoes {forgone}."


def guardrail(one: GuardrailVerdict) -> str:
    """What is known of a guardrail, in its own unit."""
    if max(-one.low, one.high) == float("inf"):
        return one.reason
    tolerated = f"up to {one.margin:g} worse is tolerated"
    if one.low == one.high == 0.0:
        return f"did not change; {tolerated}"
    step = step_for(Gain(gain=one.change, low=one.low, high=one.high), 0.0, one.margin, -one.margin)
    if one.low <= 0.0 <= one.high:
        change, low, high = (_signed(amount, step) for amount in (one.change, one.low, one.high))
        return f"did not clearly change, {change} ({low} to {high}; {one.better} is better); {tolerated}"
    sizes = sorted((abs(one.low), abs(one.high)))
    by, least, most = (figure(size, step) for size in (abs(one.change), *sizes))
    way = "better" if (one.change > 0.0) == (one.better == "higher") else "worse"
    return f"{'rose' if one.change > 0.0 else 'fell'} by {by} ({least} to {most}), which is {way}; {tolerated}"


def stability(findings: Findings) -> str | None:
    """Both halves of the history; None where there are none, or where a note already calls them unstable."""
    exposure = findings.verdict.exposure
    if exposure is None or not exposure.halves or not exposure.is_stable:
        return None
    amounts = [half.gain * exposure.pairs_per_period for half in exposure.halves]
    older, newer = (money(one, findings.currency, step_of(amounts, digits=2)) for one in amounts)
    return (
        f"Stable, as far as the interval of each half can tell: {older} {a_period(findings)} in the older half of the "
        f"history, {newer} in the newer one."
    )


def course_title(findings: Findings) -> str:
    """What the plot of the gain so far shows."""
    total = findings.course["total"][-1]
    noun, size = ("loss", -total) if total < 0.0 else ("gain", total)
    amount = money(size, findings.currency, step_of([size]))
    span = seen(findings)
    exposure = findings.verdict.exposure
    halves = exposure.halves if exposure else ()
    if exposure and not exposure.is_stable:
        return f"The difference changed over time; it came to a {noun} of {amount} in {span}"
    if halves and (all(half.low > 0.0 for half in halves) or all(half.high < 0.0 for half in halves)):
        return f"The {noun} grew steadily: {amount} in {span}"
    if findings.has_interval and findings.verdict.low <= 0.0 <= findings.verdict.high:
        return f"It came to a {noun} of {amount} in {span}, which may be chance"
    return f"It came to a {noun} of {amount} in {span}"


def course_note(findings: Findings) -> str:
    """How often the challenger earned more, and less."""
    gains = findings.course["gain"]
    more, less = int((gains > 0.0).sum()), int((gains < 0.0).sum())
    counts = (("more", more), ("less", less), ("the same", len(gains) - more - less))
    parts = [f"{way} on {count:,}" for way, count in counts if count]
    return f"Of {seen(findings)}, the challenger earned {', '.join(parts)}. The line adds up challenger minus champion."


def interval_title(findings: Findings) -> str:
    """Where the interval lies against zero and the smallest gain worth shipping."""
    found = findings.verdict.per_year()
    low, high = _yearly(findings, found.low), _yearly(findings, found.high)
    if findings.lowest > findings.smallest:
        return f"Even the low end, {low} a year{_lowest(findings)}, is above {_bar(findings)}"
    if found.high < 0.0:
        return f"Even the high end, {high} a year, is a loss"
    if found.high < findings.needed:
        return (
            f"Even the high end, {high} a year, is below the {stated(findings.needed, findings.currency)} that it needs"
        )
    return (
        f"The gain may be anything from {low} to {high} a year; to ship, the low end{_lowest(findings)} has to be above "
        f"{_bar(findings)}"
    )


def interval_note(findings: Findings) -> str:
    """How the plot of the interval is to be read."""
    says = f"The dot is the gain measured over {seen(findings)}, the bar its interval: where the true gain may be."
    if findings.corrected:
        says += (
            f" The second bar is corrected: {findings.corrected_for} ideas are planned on this history, and the best of many "
            "looks better than it is."
        )
    if findings.claimed:
        says += " Below it stands what the idea claimed before research started."
    return says


def units_title(findings: Findings) -> str:
    """Which units gained."""
    units, noun = findings.units, findings.unit_noun
    step = step_of([float(units["gain"].abs().max() or 0.0)])  # type: ignore[arg-type]  # gains are numbers
    best, worst = (money(units["gain"][place], findings.currency, step) for place in (0, -1))
    if units.height == 1:
        return f"There is one {noun}, {units['unit'][0]}: {best} per decision"
    gained, unchanged = int((units["gain"] > 0.0).sum()), int((units["gain"] == 0.0).sum())
    some = f"{gained:,}" if gained else "none"
    many = f"all {gained:,}" if gained == units.height else f"{some} of {units.height:,}"
    same = f", {unchanged:,} unchanged" if unchanged else ""
    return (
        f"Gain by {noun}: {many} gained{same}, from {best} per decision ({units['unit'][0]}) to {worst} "
        f"({units['unit'][-1]})"
    )


def units_note(findings: Findings, most: int = _LIMIT) -> str:
    """How the units are to be read, where so many are shown at most."""
    says = "Means over the history, for reading, not for deciding: the verdict rests on the interval of all of them together."
    if findings.units.height > most:
        half = most // 2
        says += f" Of {findings.units.height:,}, only the {half} that gained most and the {half} that gained least are shown."
    return says


def shown_units(findings: Findings) -> list[dict[str, object]]:
    """The units that are shown: all of them, or the best and the worst ten."""
    units = findings.units
    half = _LIMIT // 2
    return units.to_dicts() if units.height <= _LIMIT else units.head(half).to_dicts() + units.tail(half).to_dicts()


def is_cut(findings: Findings) -> bool:
    """Whether there are too many units to show them all."""
    return findings.units.height > _LIMIT


def criteria_facts(findings: Findings) -> list[tuple[str, str]]:
    """What the verdict judged by, in words; guardrails stand in a table of their own."""
    found = findings.verdict.criteria
    learnt, worst, decided = found.training_periods, found.worst_day_loss, found.units_per_year
    return [
        ("Smallest gain worth shipping", precise(found.min_effect)),
        ("Gain that was claimed", "none" if found.target is None else precise(found.target)),
        ("Error of every interval", share(found.alpha)),
        ("Units", _UNITS[found.entities]),
        ("Refitted", f"every {found.refit_periods:,} periods" if found.refit_periods else "never"),
        ("A fit learns from", f"{learnt:,} periods" if learnt else "not said"),
        ("Refits that err together", "are reckoned with" if found.refit_stress else "are told beside it"),
        ("Length of a period", found.cadence),
        ("Worst loss in a period", "not said" if worst is None else precise(worst)),
        ("Decided in a year", "not said" if decided is None else precise(decided)),
        ("Currency", found.currency or "not said"),
    ]


def seen(findings: Findings) -> str:
    """How much history the verdict rests on."""
    return periods(findings.periods, findings.verdict.criteria.cadence)


def _yearly(findings: Findings, amount: float) -> str:
    """An amount a year, rounded like the headline."""
    return money(amount, findings.currency, yearly_step(findings))


def _bar(findings: Findings) -> str:
    """What the low end has to be above."""
    return f"the smallest gain worth shipping, {smallest(findings)}" if findings.smallest else "zero"


def _lowest(findings: Findings) -> str:
    """What the low end becomes once it is corrected; empty where nothing is."""
    if findings.corrected is None:
        return ""
    return f" ({_yearly(findings, findings.lowest)} once corrected for {findings.corrected_for} ideas)"


def _with_interval(findings: Findings, gain: Gain, step: float) -> tuple[str, str]:
    confidence = f"{100.0 * (1.0 - findings.verdict.criteria.alpha):.4g}{NO_BREAK}%"
    interval = f"{figure(gain.low, step)} to {figure(gain.high, step)}, {confidence} interval"
    return money(gain.gain, findings.currency, step), interval


def _signed(amount: float, step: float) -> str:
    text = figure(amount, step)
    return f"+{text}" if amount > 0.0 else text
