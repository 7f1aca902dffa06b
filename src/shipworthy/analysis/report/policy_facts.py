"""What is known of a challenger's policy, by name; what is not declared is said to be so."""

from __future__ import annotations

from shipworthy.analysis.report.replayed import searched_facts
from shipworthy.analysis.report.story import Story
from shipworthy.problem import Policy
from shipworthy.problem.policy import PredictThenOptimize

_ROLES = ("champion", "challenger")


def policy_facts(story: Story) -> list[tuple[str, str]]:
    """How the challenger decides, as its code stands now."""
    policy = story.problem.make_policy(story.idea.challenger)
    return [
        ("Policy", story.idea.challenger),
        ("Class", type(policy).__name__),
        *_parts(policy),
        ("Memory when it decides", _span(policy.memory, "none: it needs no history")),
        ("Learns from", _span(policy.train_window, "all that is known by then")),
        ("Gap before each fit", _span(policy.gap, "none")),
        ("Refit", f"every {policy.refit}" if policy.refit else "never: it is fitted once, or learns nothing"),
        ("Time limit of a decision", f"{policy.time_limit:g} s" if policy.time_limit else "none"),
        *searched_facts(story),
        ("Runs beside", f"{story.problem.champion}, the champion"),
    ]


def fall_rows(story: Story) -> list[tuple[str, ...]]:
    """Who decided, in periods, of each policy: itself, or a rung of the ladder."""
    falls = story.research.falls
    rungs = dict.fromkeys(rung for role in _ROLES for rung in falls[role])
    return [
        ("the policy itself" if rung == "policy" else rung, *(f"{falls[role].get(rung, 0):,}" for role in _ROLES))
        for rung in rungs
    ]


def _parts(policy: Policy) -> list[tuple[str, str]]:
    """Model, features and optimiser, where the policy is made of them."""
    if not isinstance(policy, PredictThenOptimize):
        return [("Model, features and optimiser", "inside the policy's own code; it does not declare them")]
    optimise = policy.optimise
    return [
        ("Model", type(policy.model).__name__),
        ("Features", ", ".join(policy.features) or "none"),
        ("Forecasts", policy.target),
        (
            "Optimiser",
            getattr(optimise, "__name__", type(optimise).__name__) if optimise else "none: the forecast decides",
        ),
    ]


def _span(span: str | None, otherwise: str) -> str:
    return span if span and span != "0d" else otherwise
