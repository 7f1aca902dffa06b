"""The step: ask a policy, check what it answers against every constraint, and go down the ladder where it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import polars as pl

from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Plan, Policy, Problem, Solve, Status
from shipworthy.step.check import RefusedError, broken_constraint, parts_hold, settle
from shipworthy.step.decided import Decided, Rung
from shipworthy.step.moment import Moment
from shipworthy.step.patience import call_within


@dataclass(frozen=True, slots=True)
class Decider:
    """A policy with what its `fit` returned: all that is needed to decide.

    Attributes:
        name: The policy's name in the problem.
        policy: The policy, made from its code.
        fitted: What `fit` returned.
    """

    name: str
    policy: Policy
    fitted: Any


MakeDecider = Callable[[], Decider]

_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A plan that passed its checks, and the rung it came from."""

    decisions: pl.DataFrame
    rung: Rung
    status: str
    gap: float | None = None
    objective: float | None = None
    solve: Solve | None = None


def take_step(problem: Problem, moment: Moment, decider: Decider, fallback: MakeDecider | None = None) -> Decided:
    """Decides one period.

    The ladder: the policy (its incumbent counts, with its gap) - the fallback policy - the last plan, where it still
    covers every unit and keeps every constraint - nothing. It never raises for what a policy does. Of the seconds that
    the caller can wait, the policy gets three quarters at most where a fallback has to have its turn after it.

    Args:
        problem: Says what must hold of decisions.
        moment: The period, its rows and what is known.
        decider: The policy that is asked.
        fallback: Makes the policy that decides where that one fails; called only then.
    """
    started = perf_counter()
    falls: list[str] = []
    answer = None
    for rung in _rungs(problem, moment, decider, fallback, started):
        try:
            answer = rung()
            break
        except UserCodeError as refusal:
            falls.append(str(refusal))
    return _decided(answer or _nothing(problem, moment), moment, started, falls)


def take_steps(problem: Problem, moments: Sequence[Moment], decider: Decider, seconds: float) -> list[Decided] | None:
    """Decides several moments of one period in one call of a row-wise policy; None where each has to be taken by itself.

    The moments differ in their rows, which have no unit in common. What the call returns is cut apart by its place, and
    each part is checked on its own rows, so that no moment is answered otherwise than by itself.

    Args:
        problem: Says what must hold of decisions.
        moments: At least one; period, history, state and seed are the same in all.
        decider: The policy that is asked; it decides each row on its own.
        seconds: How long to wait for it: short enough that each moment can still be taken by itself.
    """
    started = perf_counter()
    rows = pl.concat([moment.rows for moment in moments], rechunk=True)
    try:
        answer = _asked(problem, replace(moments[0], rows=rows), decider, None, seconds, together=True)
    except UserCodeError:
        return None
    parts, place = [], 0
    for moment in moments:
        parts.append((moment.rows, answer.decisions.slice(place, moment.rows.height)))
        place += moment.rows.height
    if not parts_hold(problem, parts, moments[0].state):
        return None
    return [
        _decided(replace(answer, decisions=own), moment, started, [])
        for moment, (_, own) in zip(moments, parts, strict=True)
    ]


def _decided(answer: _Answer, moment: Moment, started: float, falls: list[str]) -> Decided:
    return Decided(
        decisions=answer.decisions,
        rung=answer.rung,
        status=answer.status,
        gap=answer.gap,
        objective=answer.objective,
        solve=answer.solve,
        seconds=perf_counter() - started,
        seed=moment.seed,
        falls=tuple(falls),
    )


def _rungs(
    problem: Problem, moment: Moment, decider: Decider, fallback: MakeDecider | None, started: float
) -> Iterator[Callable[[], _Answer]]:
    share = 1.0 if fallback is None else _SHARE
    yield lambda: _asked(problem, moment, decider, None, _left(moment, started, share))
    if fallback is not None:
        yield lambda: _asked(problem, moment, fallback(), Rung.FALLBACK, _left(moment, started, 1.0))
    last = moment.last() if callable(moment.last) else moment.last
    if last is not None:
        yield lambda: _last_plan(problem, moment, last)


def _left(moment: Moment, started: float, share: float) -> float | None:
    """A share of the seconds that the caller can still wait."""
    if moment.time_limit is None:
        return None
    return max(0.0, share * (moment.time_limit - (perf_counter() - started)))


def _asked(
    problem: Problem,
    moment: Moment,
    decider: Decider,
    rung: Rung | None,
    seconds: float | None,
    *,
    together: bool = False,
) -> _Answer:
    now = moment.now(problem, decider.policy, seconds)
    returned = _within_limit(decider, now)
    plan = returned if isinstance(returned, Plan) else Plan(decisions=returned)
    if not plan.status.has_decisions:
        raise RefusedError(decider.name, f"{plan.account.solver if plan.account else 'the solver'} ended {plan.status}")
    decisions = settle(problem, moment.rows, plan.decisions, decider.name)
    if not together:  # then each part has to hold by itself
        _hold(problem, moment, decisions, decider.name)
    if rung is None:
        rung = Rung.INCUMBENT if plan.status is Status.FEASIBLE else Rung.POLICY
    status = plan.status.value if isinstance(returned, Plan) else "decided"
    return _Answer(
        decisions=decisions,
        rung=rung,
        status=status,
        gap=plan.gap,
        objective=plan.objective,
        solve=plan.account,
    )


def _last_plan(problem: Problem, moment: Moment, last: pl.DataFrame) -> _Answer:
    decisions = settle(problem, moment.rows, last, "last plan")
    _hold(problem, moment, decisions, "last plan")
    return _Answer(decisions=decisions, rung=Rung.LAST_PLAN, status="decided")


def _hold(problem: Problem, moment: Moment, decisions: pl.DataFrame, who: str) -> None:
    broken = broken_constraint(problem, moment.rows, decisions, moment.state)
    if broken is not None:
        raise RefusedError(who, broken)


def _nothing(problem: Problem, moment: Moment) -> _Answer:
    blank = [pl.lit(None, dtype=pl.Float64).alias(name) for name in problem.decisions]
    return _Answer(decisions=moment.rows.select(problem.unit, *blank), rung=Rung.NONE, status="nothing decided")


def _within_limit(decider: Decider, now: Now) -> Any:
    """Asks the policy; where it has a time limit, waits no longer than that, whatever hangs inside it."""
    if now.time_limit is None:
        return _ask(decider, now)
    try:
        return call_within(lambda: _ask(decider, now), now.time_limit)
    except TimeoutError:
        raise RefusedError(decider.name, f"no decisions within {now.time_limit:.3g} s") from None


def _ask(decider: Decider, now: Now) -> Any:
    try:
        return decider.policy.decide(now, decider.fitted)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a policy raises, a panic of native code too, is only one rung down
        raise RefusedError(decider.name, f"{type(error).__name__}: {error}") from error
