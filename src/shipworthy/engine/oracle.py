"""An oracle: a policy that is shown what will happen."""

from __future__ import annotations

from typing import Any

from shipworthy.engine.patient import Patient
from shipworthy.errors import UserCodeError
from shipworthy.problem import Now, Policy, Problem
from shipworthy.problem.policy import Decisions
from shipworthy.step import History


class Oracle(Patient):
    """Decides by the problem's declared oracle, or by a policy's own foresight; its `fitted` is the history itself.

    Everything else is as for any policy: the step, its checks, the state. It sees one period ahead and no further, so
    where state is carried it is no bound: a policy that saves for later may earn more.
    """

    def __init__(self, problem: Problem, policy: Policy) -> None:
        """Gives the policy's optimiser far more time, and a declared oracle all that it wants."""
        super().__init__(policy)
        self._problem = problem
        if problem.foresight is not None:
            self.time_limit = None

    def decide(self, now: Now, fitted: Any) -> Decisions:
        """Decides with the outcomes of the period in hand.

        Raises:
            UserCodeError: one of them is not there yet.
        """
        history: History = fitted
        happened = history.settled(now.period).clone()
        outcome = happened[self._problem.outcome]
        if outcome.null_count():
            raise UserCodeError(f"{outcome.null_count()} outcomes of {now.period} are not there yet.")
        if self._problem.foresight is not None:
            return self._problem.foresight(now, happened)
        return self._policy.foresee(now, outcome)
