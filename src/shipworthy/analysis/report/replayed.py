"""What the report says of the replay behind the verdict: what was open, what was searched, and what the solvers' chance adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.analysis.money import NO_BREAK, money, share, step_of
from shipworthy.analysis.report.sentences import a_period
from shipworthy.analysis.report.story import Story

_ROLES = ("champion", "challenger")
WITHHELD = (
    "Until the verdict is to ship, a sealed holdout answers with its decision alone: no gain, no interval, no guardrail. On "
    "ship its interval comes out; what each unit and each period earned there stays sealed."
)


def over(story: Story) -> str:
    """Over which periods figures are told that a sealed holdout has no part in; empty where nothing is sealed."""
    seen = story.research.explored
    return "" if seen is None else f"before the sealed holdout, {seen['first']} to {seen['last']}"


def solvers(story: Story) -> list[tuple[str, Mapping[str, Any]]]:
    """How the solvers of each policy did; none where no solver told of itself."""
    told = story.research.solvers
    return [(role, account) for role in _ROLES if (account := told.get(role))]


def noise_sentence(story: Story) -> str | None:
    """How much of what makes the gain uncertain is the solvers' chance, with advice; None where nobody repeated."""
    noise = story.research.noise
    if noise is None:
        return None
    where = f", {over(story)}" if over(story) else ""
    part = f"{share(noise['share'])} of" if noise["share"] else "nothing of"
    return (
        f"Replayed under {story.research.repetitions} seeds{where}: {part} what makes the mean gain uncertain is the "
        f"solvers' chance. {noise['advice']}"
    )


def noise_facts(story: Story) -> list[tuple[str, str]]:
    """By how much money moves from seed to seed."""
    noise = story.research.noise
    if noise is None:
        return []
    names = {"champion": "Champion", "challenger": "Challenger", "difference": "Difference between them"}
    step = step_of(noise[name] for name in names)
    return [
        *((says, f"{money(noise[name], story.currency, step)} {a_period(story)}") for name, says in names.items()),
        ("Solver noise in the variance of the mean difference", _percent(noise["share"])),
        ("Narrower with endless repetitions, by at most", _percent(noise["narrowing"])),
    ]


def searched_facts(story: Story) -> list[tuple[str, str]]:
    """How many candidates each policy's fits chose among, where they search, and which of many ideas this one was."""
    budget = story.analysis.budget
    return [
        *([("Corrected for many ideas", f"{budget.sentence[0].upper()}{budget.sentence[1:]}")] if budget else []),
        *(
            (f"Candidates that the {role} tried", f"{n:,}, inside its fits, each in the past alone")
            for role in _ROLES
            if (n := story.research.looks.get(role))
        ),
    ]


def _percent(part: float) -> str:
    return f"{100.0 * part:.1f}{NO_BREAK}%"
