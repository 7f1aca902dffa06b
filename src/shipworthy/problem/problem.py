"""One decision that the business makes again and again."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeVar, get_args

import polars as pl

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, UserCodeError
from shipworthy.problem.assumption import Assumption, Stated, assumed, assumption, takes_second
from shipworthy.problem.now import Now
from shipworthy.problem.policy import Decisions, Policy
from shipworthy.problem.rows import Rows
from shipworthy.problem.span import Span

OnFail = Literal["rollback", "pause", "hold"]
"""What a rollout does by itself when live periods show harm: take the challenger back, pause it, or only go no further."""

Measure = Callable[..., pl.Expr | pl.Series]
"""A column over a frame of rows, and over the assumptions where it asks for them: an expression or a series."""

MakePolicy = Callable[[], Policy]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A hard rule about the decisions of one period; `holds` gives one truth, or one per row.

    It gets the rows with their decisions, and where `needs_state`, the state before them too.
    """

    name: str
    holds: Callable[..., Any]
    needs_state: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A metric that must not get worse by more than `margin`, in the metric's own unit, per row.

    `on_fail` is what the rollout does where live periods show that it has.
    """

    name: str
    measure: Measure
    margin: float
    better: Literal["higher", "lower"] = "higher"
    on_fail: OnFail = "rollback"


@dataclass
class Problem:
    """One decision, made every period for all its units together.

    Attributes:
        name: A short name; it stands in ideas, pages and addresses.
        rows: Where the point-in-time table comes from: one row per (period, unit).
        period: The column that says when is decided: a date, a datetime or a number.
        unit: The column that says for what is decided; where several do, join them into one as the rows are prepared.
        outcome: The column that says what then happened.
        decision: The column, or columns, that a policy fills.
        outcome_delay: The span after its period until an outcome is known. With "1d", the outcome of Monday is known
            when Tuesday is decided.
        known_after: Further columns that are known only after deciding; a policy never sees them for the period it decides.
        currency: The currency of all values.
        counterfactual: Whether the outcome stays the same whatever is decided. Where it does not, history cannot
            say what another decision would have earned, unless decisions were drawn at random and logged (`propensity`).
        propensity: The column with the probability with which the logged decision of a row was drawn, beside the logged
            decisions themselves in the decision columns of the rows. Needed only where `counterfactual` is False.
        carry_over: The span for which a decision is still felt after its period, such as "2h"; None where it is not.
        periods_per_year: How many periods a year has, for money per year.
        warm_up: The history that is only learnt from before the replay starts; None means a third of it.
        holdout: The newest stretch of what is replayed, sealed: the verdict answers from it alone, and shows its money only on
            ship. None means that the verdict answers from all that is replayed, and everything is open.
        embargo: How long before the holdout the development window ends, which is open to exploring.
        ideas_planned: How many ideas will be judged on one history: they share its budget of errors, in equal parts.
        fallback: The policy that decides when another one fails; None means the champion.
        initial_state: The state before the first period, where state is carried.
        assumptions: Numbers that money rests on, by name: a value, or value, low and high, the range that is plausible.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold", decision="stock")
    >>> @shop.constraint
    ... def fits_the_shelf(decided):
    ...     return pl.col("stock").sum() <= 40
    >>> shop.constraints[0].name
    'fits_the_shelf'
    """

    name: str
    _: KW_ONLY
    rows: Rows
    period: str
    unit: str
    outcome: str
    decision: str | tuple[str, ...] = "decision"
    outcome_delay: str = "1d"
    known_after: tuple[str, ...] = ()
    currency: str = "EUR"
    counterfactual: bool = True
    propensity: str | None = None
    carry_over: str | None = None
    periods_per_year: float = 365.0
    warm_up: str | None = None
    holdout: str | None = None
    embargo: str = "0d"
    ideas_planned: int = 20
    fallback: str | None = None
    initial_state: Mapping[str, Any] = field(default_factory=dict)
    assumptions: Mapping[str, Stated] = field(default_factory=dict)

    constraints: list[Constraint] = field(default_factory=list, init=False)
    guardrails: list[Guardrail] = field(default_factory=list, init=False)
    policies: dict[str, MakePolicy] = field(default_factory=dict, init=False)
    champion: str | None = field(default=None, init=False)
    value_of: Measure | None = field(default=None, init=False)
    next_state: Callable[[Mapping[str, Any], pl.DataFrame], Mapping[str, Any]] | None = field(default=None, init=False)
    foresight: Callable[[Now, pl.DataFrame], Decisions] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Refuses names that cannot stand in an address, columns that mean two things, and spans that cannot be read."""
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise InvalidInputError(f"{self.name!r} is no problem name. Use lower-case letters, digits, - and _.")
        if isinstance(self.known_after, str):
            raise InvalidInputError(
                f"known_after is one text. Write it as a tuple: known_after=({self.known_after!r},)."
            )
        for role in ("period", "unit", "outcome"):
            if not isinstance(name := getattr(self, role), str):
                raise InvalidInputError(
                    f"Problem {self.name!r} has {role} = {name!r}, and a {role} is one column. Join several into one where the "
                    "rows are prepared, with pl.concat_str, and name that."
                )
        meanings = [*self.row_key, self.outcome, *self.decisions]
        twice = sorted(
            {name for name in meanings if meanings.count(name) > 1} | set(self.known_after) & set(self.row_key)
        )
        if twice or not self.decisions:
            what = f"names {', '.join(map(repr, twice))} for two things" if twice else "names no decision column"
            raise InvalidInputError(
                f"Problem {self.name!r} {what}. Period, unit, outcome and every decision need a column of their own."
            )
        self.stated()
        Span.of(self.outcome_delay)
        for span in (self.warm_up, self.carry_over):
            if span is not None:
                Span.of(span)
        embargoed = Span.of(self.embargo).count > 0
        if self.holdout is None and embargoed:
            raise InvalidInputError(
                f"Problem {self.name!r} has an embargo of {self.embargo!r} and no holdout. Give both."
            )
        if self.holdout is not None and Span.of(self.holdout).count == 0:
            raise InvalidInputError(f"A holdout of {self.holdout!r} holds nothing. Give a span above 0, or None.")
        if self.ideas_planned < 1:
            raise InvalidInputError(f"Problem {self.name!r} plans {self.ideas_planned!r} ideas. Give 1 or more.")

    @property
    def key(self) -> tuple[str, str]:
        """The period column and the unit column."""
        return (self.period, self.unit)

    @property
    def known_at(self) -> str | None:
        """The column that says when the outcome of a row became known, where the rows have one."""
        return getattr(self.rows, "known_at", None)

    @property
    def row_key(self) -> tuple[str, ...]:
        """What no two rows share: period and unit, and where there are revisions, when each became known."""
        return self.key if self.known_at is None else (*self.key, self.known_at)

    @property
    def decisions(self) -> tuple[str, ...]:
        """The decision columns, always as a tuple."""
        return (self.decision,) if isinstance(self.decision, str) else tuple(self.decision)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The columns known only after deciding, the outcome first."""
        later = [*self.known_after, *([self.propensity] if self.propensity else [])]
        return (self.outcome, *(name for name in later if name != self.outcome))

    @property
    def terms(self) -> dict[str, Any]:
        """What counts as success beside what an idea says itself; locked together with it."""
        return {
            "currency": self.currency,
            "periods_per_year": float(self.periods_per_year),
            "margins": {rail.name: rail.margin for rail in self.guardrails},
            "holdout": None if self.holdout is None else f"{self.holdout}, embargo {self.embargo}",
            "ideas_planned": self.ideas_planned,
            "assumptions": {one.name: one.term for one in self.stated()},
        }

    @property
    def assumed(self) -> Mapping[str, float]:
        """The value of each assumption, by its name.

        >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold", assumptions={"price": (3, 2, 4)})
        >>> shop.assumed["price"]
        3.0
        """
        return assumed({one.name: one.value for one in self.stated()})

    def stated(self) -> tuple[Assumption, ...]:
        """The assumptions with their ranges, in the order in which they were declared.

        Raises:
            InvalidInputError: one has no name that can be used, or no finite numbers in order.
        """
        return tuple(assumption(name, stated) for name, stated in self.assumptions.items())

    def value(self, measure: F) -> F:
        """Declares the money that each row earned, once its outcome is known.

        The function gets the rows of many periods at once, with decisions and outcomes. An expression is evaluated period
        by period; an aggregate (such as a sum over the period) is money per period, and is shared equally among the
        period's units. Who works in Python, on a route or a schedule, takes the periods apart himself
        (`happened.partition_by`) and gives one number per row. It gets no state: what money needs of it, a policy gives as
        a decision column too, and a constraint with the state checks it. A function with a second parameter gets the
        problem's assumptions by their names: `assumed["price"]`.
        """
        self.value_of = measure
        return measure

    def constraint(self, holds: F) -> F:
        """Declares a hard rule; it is checked again after every decision, independently of any solver.

        The function gets the rows with their decisions; one with a second parameter, the state before them too.
        """
        self.constraints.append(Constraint(name=holds.__name__, holds=holds, needs_state=takes_second(holds)))
        return holds

    def guardrail(
        self, *, margin: float, better: Literal["higher", "lower"] = "higher", on_fail: OnFail = "rollback"
    ) -> Callable[[F], F]:
        """Declares a metric per row that may get worse by at most `margin`; a second parameter gets the assumptions.

        Where live periods show beyond doubt that it got worse by more, the rollout does what `on_fail` says: "rollback",
        "pause", or "hold", which goes no further and leaves the rest to somebody.

        Raises:
            InvalidInputError: the margin is no number of at least 0, or `better` or `on_fail` is none of its words.
        """
        if on_fail not in get_args(OnFail):
            raise InvalidInputError(f"A guardrail's on_fail is {on_fail!r}. Say 'rollback', 'pause' or 'hold'.")
        if better not in ("higher", "lower"):
            raise InvalidInputError(f"A guardrail's better is {better!r}. Say 'higher' or 'lower'.")
        if not 0 <= margin < math.inf:
            raise InvalidInputError(f"A guardrail's margin is {margin!r}. Give a number of at least 0.")

        def declare(measure: F) -> F:
            rail = Guardrail(name=measure.__name__, measure=measure, margin=margin, better=better, on_fail=on_fail)
            self.guardrails.append(rail)
            return measure

        return declare

    def transition(self, step: F) -> F:
        """Declares how state is carried on: `step(state, happened)` gives the state of the next period."""
        self.next_state = step
        return step

    def oracle(self, best: F) -> F:
        """Declares the best decisions for what will happen: `best(now, happened)`, which nobody could have made.

        `happened` holds the rows of `now.rows`, in their order, with every column that is known only afterwards. It
        measures the regret of policies; where none is declared, the policies' own `foresee` does.
        """
        self.foresight = best
        return best

    def policy(self, make: F | None = None, *, champion: bool = False, name: str | None = None) -> Any:
        """Declares a policy: a `Policy` class, or a function that returns one."""

        def declare(make: F) -> F:
            known_as = name or _snake(make.__name__)
            if known_as in self.policies:
                raise AlreadyExistsError(
                    f"Problem {self.name!r} already has a policy {known_as!r}. Choose another name."
                )
            if champion and self.champion is not None:
                raise AlreadyExistsError(
                    f"Problem {self.name!r} already has the champion {self.champion!r}. Only one policy decides today."
                )
            self.policies[known_as] = make
            if champion:
                self.champion = known_as
            return make

        return declare if make is None else declare(make)

    def make_policy(self, name: str) -> Policy:
        """Makes the policy of that name, fresh from its code.

        Raises:
            NotFoundError: there is no such policy.
            UserCodeError: what was declared does not make a policy, or one whose spans of time cannot be used.
        """
        if name not in self.policies:
            raise NotFoundError.among("policy", name, self.policies, f"Declare it with @{self.name}.policy.")
        try:
            policy = self.policies[name]()
        except Exception as error:  # whatever the user's code raises
            raise UserCodeError(f"Policy {name!r} could not be made: {type(error).__name__}: {error}") from error
        if not isinstance(policy, Policy):
            raise UserCodeError(f"Policy {name!r} makes a {type(policy).__name__}, which is no shipworthy.Policy.")
        _refuse_bad_spans(name, policy)
        return policy

    def require(self) -> None:
        """Refuses a problem which cannot be decided and valued.

        Raises:
            UserCodeError: the value or the champion is missing.
            NotFoundError: the fallback is no policy of it.
        """
        if self.value_of is None:
            raise UserCodeError(f"Problem {self.name!r} has no value. Declare it with @{self.name}.value.")
        if self.champion is None:
            raise UserCodeError(
                f"Problem {self.name!r} has no champion. Declare what decides today with @{self.name}.policy(champion=True)."
            )
        if self.fallback is not None and self.fallback not in self.policies:
            raise NotFoundError.among("fallback policy", self.fallback, self.policies)


def _refuse_bad_spans(name: str, policy: Policy) -> None:
    for what in ("memory", "gap", "train_window", "refit"):
        given, may_be_empty = getattr(policy, what), what in ("memory", "gap")
        try:
            is_empty = (given is not None or may_be_empty) and Span.of(given).count == 0
        except InvalidInputError as error:
            raise UserCodeError(f"Policy {name!r} has a {what} that cannot be read: {error}") from error
        if is_empty and not may_be_empty:
            raise UserCodeError(f"Policy {name!r} has a {what} of {given!r}. Give a span above 0, or None.")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
