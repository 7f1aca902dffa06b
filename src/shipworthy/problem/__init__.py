"""What a user declares: the problem, its policies, its value, its constraints and guardrails.

Everything here is plain Python over Polars frames; nothing here knows a store, a stage or a door.
"""

from shipworthy.problem.assumption import Assumption
from shipworthy.problem.now import Now, Period
from shipworthy.problem.plan import Plan
from shipworthy.problem.policy import Policy, PredictThenOptimize
from shipworthy.problem.problem import Constraint, Guardrail, OnFail, Problem
from shipworthy.problem.rows import Rows
from shipworthy.problem.solve import Solve, Status, UnsolvedError
from shipworthy.problem.span import Span

__all__ = [
    "Assumption",
    "Constraint",
    "Guardrail",
    "Now",
    "OnFail",
    "Period",
    "Plan",
    "Policy",
    "PredictThenOptimize",
    "Problem",
    "Rows",
    "Solve",
    "Span",
    "Status",
    "UnsolvedError",
]
