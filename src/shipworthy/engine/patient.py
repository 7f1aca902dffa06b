"""A policy that is given far more time: only its best answer is of interest."""

from __future__ import annotations

from typing import Any

from shipworthy.problem import Now, Policy
from shipworthy.problem.policy import Decisions

_TIMES = 10.0


class Patient(Policy):
    """The same policy with ten times its time limit, so that what its optimiser lacked in time can be told from the rest."""

    def __init__(self, policy: Policy) -> None:
        """Takes over how far back it looks; a policy without a limit stays without one."""
        self._policy = policy
        self.memory = policy.memory
        self.time_limit = None if policy.time_limit is None else _TIMES * policy.time_limit

    def decide(self, now: Now, fitted: Any) -> Decisions:
        """Decides as the policy does, with more seconds in `now.time_limit`."""
        return self._policy.decide(now, fitted)
