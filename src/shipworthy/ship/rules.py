"""How a problem's rollouts go: `[rollout]` in shipworthy.toml, and `[rollout.<problem>]` for one problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from shipworthy.problem import OnFail, Problem, Span
from shipworthy.project import Project
from shipworthy.project.project import CONFIG_NAME
from shipworthy.project.section import Section
from shipworthy.ship.rollout import Draw, Phase

_FIELDS = ("automatic", "trial", "draw", "steps", "periods", "on_fail")
_TRIALS = {"canary": Phase.CANARY, "switchback": Phase.SWITCHBACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a problem's ideas are rolled out.

    Attributes:
        automatic: Whether an idea is also promoted without being asked for; it is taken back by itself in any case.
        trial: Canary or switchback; None chooses by the problem.
        draw: What a canary draws arms for; None chooses by the problem.
        steps: The challenger's share in each step of a canary, growing.
        periods: How many live periods with outcomes each step lasts at least.
        on_fail: What is done where live periods show that the challenger loses money.

    >>> Rules(steps=(0.05, 0.5)).after(0.05), Rules(steps=(0.05, 0.5)).after(0.5)
    (0.5, None)
    """

    automatic: bool = False
    trial: Phase | None = None
    draw: Draw | None = None
    steps: tuple[float, ...] = (0.5,)
    periods: int = 14
    on_fail: OnFail = "rollback"

    def after(self, share: float) -> float | None:
        """The step that follows another one; None after the last one, and after a share that somebody asked for."""
        return next((step for step in self.steps if step > share and share in self.steps), None)

    def trial_of(self, problem: Problem) -> tuple[Phase, Draw]:
        """The kind of trial that answers for this problem, and what a canary of it draws.

        A mixture of two plans could break a constraint that each of them keeps, and a decision that is felt later would
        blur arms that are drawn anew: so units are drawn anew where neither can be, units for good where decisions
        are felt later, whole periods where there are constraints, and arms take turns where there is both.
        """
        is_felt = problem.carry_over is not None and Span.of(problem.carry_over).count > 0
        constrained = bool(problem.constraints)
        turns = self.draw is None and is_felt and constrained
        by_problem = Draw.PERIOD if constrained else Draw.UNIT if is_felt else Draw.UNIT_PERIOD
        return self.trial or (Phase.SWITCHBACK if turns else Phase.CANARY), self.draw or by_problem


def read_rules(project: Project, problem: str) -> Rules:
    """The rules of one problem: its own ones, else those of all problems, else the defaults.

    Raises:
        InvalidInputError: the configuration cannot be read; the message names the field.
    """
    given = Section(CONFIG_NAME, project.settings["rollout"], "rollout")
    settings = Section(CONFIG_NAME, {name: given.get(name) for name in given if name in _FIELDS}, "rollout")
    for name in given:
        if name not in _FIELDS and not isinstance(given.get(name), dict):
            given.refuse(name, f"is unknown. Known here: {', '.join(_FIELDS)}, and a section for each problem.")
    own = given.section(problem)
    own.refuse_unknown(_FIELDS)
    return _read(own, _read(settings, Rules()))


def _read(given: Section, before: Rules) -> Rules:
    found = before
    for name in given:
        if name == "automatic":
            found = replace(found, automatic=given.flag(name))
        elif name == "steps":
            found = replace(found, steps=_steps(given))
        elif name == "periods":
            found = replace(found, periods=_periods(given))
        else:
            found = _with_word(found, given, name)
    return found


def _with_word(found: Rules, given: Section, name: str) -> Rules:
    known: list[str] = {"trial": list(_TRIALS), "draw": [*Draw], "on_fail": [*get_args(OnFail)]}[name]
    word = given.text(name)
    if word not in known:
        given.refuse(name, f"must be one of {', '.join(map(repr, map(str, known)))}, not {word!r}.")
    if name == "on_fail":
        return replace(found, on_fail=word)  # type: ignore[arg-type]  # one of its words
    return replace(found, trial=_TRIALS[word]) if name == "trial" else replace(found, draw=Draw(word))


def _steps(given: Section) -> tuple[float, ...]:
    value = given.get("steps")
    if not isinstance(value, list) or not value:
        given.refuse("steps", f"must be a list of shares such as [0.05, 0.25, 0.5], not {value!r}.")
    steps = tuple(given.as_number("steps", step, 1.0) for step in value)
    if list(steps) != sorted(set(steps)) or not 0.0 < steps[0] <= steps[-1] < 1.0:
        given.refuse("steps", f"must grow from above 0 to below 1, not {value!r}.")
    return steps


def _periods(given: Section) -> int:
    value = given.get("periods")
    if type(value) is not int or value < 1:
        given.refuse("periods", f"must be a whole number of at least 1, not {value!r}.")
    return value
