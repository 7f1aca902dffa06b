"""The proof that nothing leaks: what is not yet known is made another, and the decisions must not move.

Three questions, the cheap ones first:

1. Does the policy name a column as its feature which is known only after deciding?
2. Do the *prepared* rows of a period change when everything ahead in the *raw* table is another? Then the preparation
   looks ahead: a window over the future, a mean over the whole table, a join that ignores the time.
3. Do the *decisions* of a period change, fit included, when everything not known then is another, in the rows and in every
   table that a module of the project holds? Then the policy, or its fit, reads what it could not have known. Where they
   change although nothing was changed, chance decides, and nothing can be proved.

Each is asked at several periods and in several ways (`shipworthy.data.scramble`). A policy that gets the very same rows
and past, and whose modules hold no table of the history, is not asked again: it could tell no difference. What shows is then
traced to the columns that it came from, by changing fewer and fewer of them.

A problem with state is asked with its initial state at every period: what the state carries comes from the step, not from
the rows. What the proof cannot see stands in `NOT_COVERED`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from time import perf_counter

import polars as pl

from shipworthy.data.held import Held, exchanged, held_tables
from shipworthy.data.movement import has_same_units, moved_columns, rows_of
from shipworthy.data.scramble import CUT, DRAWN, KINDS, OCCURRING, Unknown, attributed, scrambled
from shipworthy.data.unknown import unknown_at
from shipworthy.engine import Block, Done, Engine, Replay, code_digest, first_replayed, fit_decider, open_block
from shipworthy.errors import UserCodeError
from shipworthy.problem import Period, Policy, Problem
from shipworthy.step import Decided, History, Moment, Rung, seed_of, take_step

NO_LEAKS = "none found: what lies ahead was changed in five ways and no decision moved"
"""What the proof says where it found none."""

NOT_COVERED = (
    "not covered: a column worked out with hindsight before it reached the raw table, and a copy of the data that the policy "
    "reads by itself, from a file or a service"
)
"""What no experiment on the rows can show."""

_PROBES = 3
_PREPARATION_PROBES = 12
_PREPARATION_TASKS = 4
_PATIENCE = 3.0
"""Seconds after which the rest goes to the workers; to start them takes about as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One reason why a replay would prove nothing.

    Attributes:
        kind: "feature", "preparation" or "decision" where something is known too early; "chance" where a policy, or the
            preparation, does not give the same twice, and "silent" where a policy does not decide at all.
        columns: The columns by which it shows: features, prepared columns or decisions.
        sources: The columns whose unknown values reached them; empty where it is the number of rows ahead that did.
        period: The first period, of those that were tried, at which it was seen; None for a feature that is refused by its
            name.
        why: The finding in a sentence.
    """

    kind: str
    columns: tuple[str, ...]
    sources: tuple[str, ...] = ()
    period: str | None
    why: str


def find_leaks(replayed: Replay, policy_name: str, engine: Engine, done: Done = lambda n, of: None) -> list[Leak]:
    """The first leak that the three questions find for one policy; none is what is hoped for.

    What takes longer than a few seconds runs on the engine's workers.

    Raises:
        UserCodeError: the preparation of the rows raises when what lies ahead is other than it was, or a fit raises.
        PreconditionError: the project's code changed meanwhile.
    """
    problem, history = replayed.problem, replayed.history
    named = hidden_features(problem, problem.make_policy(policy_name))
    if named:
        return named
    block = _block(replayed, policy_name)
    proved = is_preparation_proved(replayed)
    prepared = _chunks(_probed(problem, history, _PREPARATION_PROBES), _PREPARATION_TASKS) if proved else []
    decided = [(period,) for period in _probed(problem, history, _PROBES)]
    of = len(prepared) + len(decided)
    found = _run(_in_preparation, block, prepared, engine, lambda n, _: done(n, of))
    if not any(found):
        found = _run(_in_decisions, block, decided, engine, lambda n, _: done(len(prepared) + n, of))
    leaks = [leak for leak in found if leak]
    silent = [leak for leak in leaks if leak.kind == "silent"]
    return ([leak for leak in leaks if leak not in silent] or (silent if len(silent) == len(decided) else []))[:1]


def find_preparation_leaks(replayed: Replay, policy_name: str, engine: Engine) -> list[Leak]:
    """The first leak of the second question alone: what a policy whose code had its proof needs when new rows have come."""
    if not is_preparation_proved(replayed):
        return []
    prepared = _chunks(_probed(replayed.problem, replayed.history, _PREPARATION_PROBES), _PREPARATION_TASKS)
    found = _run(_in_preparation, _block(replayed, policy_name), prepared, engine, lambda n, of: None)
    return [leak for leak in found if leak][:1]


def is_preparation_proved(replayed: Replay) -> bool:
    """Whether the raw table says when, so that the second question can be asked."""
    problem, history = replayed.problem, replayed.history
    return _when(problem, problem.rows.read(replayed.project.root), history.rows) is not None


def hidden_features(problem: Problem, policy: Policy) -> list[Leak]:
    """The features that a policy names although they are known only after deciding.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold", known_after=("weather",))
    >>> nosy = Policy()
    >>> nosy.features = ["price", "weather"]
    >>> [leak.columns for leak in hidden_features(shop, nosy)]
    [('weather',)]
    """
    known_too_late = tuple(name for name in policy.features if name in problem.hidden)
    if not known_too_late:
        return []
    listed = " and ".join(part for part in (", ".join(known_too_late[:-1]), known_too_late[-1]) if part)
    why = f"{listed} of a period {'is' if len(known_too_late) == 1 else 'are'} known only after it was decided."
    return [Leak(kind="feature", columns=known_too_late, sources=known_too_late, period=None, why=why)]


@dataclass(frozen=True, slots=True)
class _Task:
    """The periods to ask about, one after the other, and a block that says of what project, policy and snapshot."""

    block: Block
    periods: Sequence[Period]


def _run(
    question: Callable[[_Task], Leak | None],
    block: Block,
    groups: Sequence[Sequence[Period]],
    engine: Engine,
    done: Done,
) -> list[Leak | None]:
    """Asks one task after the other as long as that is quick, and the rest on the workers."""
    tasks = [_Task(block, periods) for periods in groups]
    found: list[Leak | None] = []
    began = perf_counter()
    while len(found) < len(tasks) and perf_counter() - began < _PATIENCE:
        found += engine.run(question, [tasks[len(found)]], lambda n, of: None)
        done(len(found), len(tasks))
    asked = len(found)
    return found + engine.run(question, tasks[asked:], lambda n, of: done(asked + n, len(tasks)))


def _block(replayed: Replay, policy_name: str) -> Block:
    project, problem = replayed.project, replayed.problem
    first = replayed.history.periods[0]
    return Block(
        root=project.root,
        problem=problem.name,
        policy=policy_name,
        snapshot=replayed.snapshot,
        code=code_digest(replayed.code, problem, policy_name),
        first=first,
        end=first,
        seed=project.seed,
        state=dict(problem.initial_state),
    )


def _probed(problem: Problem, history: History, count: int) -> Sequence[Period]:
    """A few periods spread over what will be replayed, without the last, after which nothing lies ahead."""
    first = first_replayed(problem, history)
    replayed = [period for period in history.periods if period >= first]
    replayed = replayed[:-1] or replayed
    return replayed[:: max(1, len(replayed) // count)][:count]


def _chunks(periods: Sequence[Period], count: int) -> list[Sequence[Period]]:
    size = -(-len(periods) // count)
    return [periods[start : start + size] for start in range(0, len(periods), size)]


def _in_preparation(task: _Task) -> Leak | None:
    """The first of the periods of which the prepared rows move."""
    problem, history = open_block(task.block)
    raw = problem.rows.read(task.block.root)
    when = _when(problem, raw, history.rows)
    assert when is not None, "asked only where the raw table says when"
    prepared = problem.rows.prepare(raw)
    for period in task.periods:
        before = rows_of(problem, prepared, period)
        leak = _Prepared(problem, raw, unknown_at(problem, raw, period, when), before, period).find()
        if leak is not None:
            return leak
    return None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The rows of one period, prepared from the raw table as it is and from others."""

    problem: Problem
    raw: pl.DataFrame
    unknown: Unknown
    before: pl.DataFrame
    period: Period

    def find(self) -> Leak | None:
        """What moves in the prepared rows of the period, if anything."""
        moved = self._moved_by_kind()
        columns = _once(name for names in moved.values() for name in names)
        if not columns:
            return None
        if moved_columns(self.before, self._prepared(self.raw), self.problem.unit):
            why = f"Preparing the same raw table twice gave different rows of {self.period}."
            return Leak(kind="chance", columns=columns, period=str(self.period), why=why)
        first = _once(next(kind for kind, names in moved.items() if column in names) for column in columns)
        sources = _once(name for kind in first for name in self._sources(kind))
        why = (
            f"{', '.join(columns)} of {self.period} changed when only {_told(sources)} changed: the preparation of "
            "the rows looks ahead."
        )
        return Leak(kind="preparation", columns=columns, sources=sources, period=str(self.period), why=why)

    def _moved_by_kind(self) -> dict[str, tuple[str, ...]]:
        """The columns that each kind of another unknown moves; without the kinds that the preparation cannot bear."""
        moved = {kind: self._moved(kind) for kind in KINDS}
        if isinstance(moved.get(DRAWN), Exception):  # numbers that are codes of something cannot be stretched
            moved[OCCURRING] = self._moved(OCCURRING)
        error = moved.get(OCCURRING)
        if isinstance(error, Exception):
            raise UserCodeError(
                f"The preparation of the rows raised when what lies ahead of {self.period} was other than it was: "
                f"{type(error).__name__}: {error}. Let it bear any order of the values that occur, so that it can be proved not "
                "to look ahead."
            ) from error
        return {kind: names for kind, names in moved.items() if not isinstance(names, Exception)}

    def _moved(self, kind: str, columns: Collection[str] | None = None) -> tuple[str, ...] | Exception:
        """The columns that move when the unknown of some raw columns is another, or what the preparation raised.

        Where other units are there, the unit's column moves. Not so where a row is left out for its own outcome, which is a rule
        and no look ahead, or because nothing follows it: so this is asked of drawn values alone.
        """
        unit = self.problem.unit
        try:
            after = self._prepared(scrambled(self.raw, self.unknown, kind, columns))
            moved = moved_columns(self.before, after, unit)
            if moved or kind not in (DRAWN, OCCURRING) or has_same_units(self.before, after, unit):
                return moved
            ahead = replace(self.unknown, open=self.unknown.ahead)
            after = self._prepared(scrambled(self.raw, ahead, kind, columns))
        except Exception as error:  # noqa: BLE001  (the user's own code, given what it may never have seen)
            return error
        return () if has_same_units(self.before, after, unit) else (unit,)

    def _sources(self, kind: str) -> tuple[str, ...]:
        def moves(columns: Collection[str]) -> bool:
            moved = self._moved(kind, columns)
            return isinstance(moved, tuple) and moved != ()

        names = [name for name in self.raw.columns if name not in self.unknown.fixed]
        return () if kind == CUT else attributed(names, moves)

    def _prepared(self, raw: pl.DataFrame) -> pl.DataFrame:
        return rows_of(self.problem, self.problem.rows.prepare(raw), self.period)


def _in_decisions(task: _Task) -> Leak | None:
    """What is wrong with the decisions of a period, if anything."""
    problem, history = open_block(task.block)
    [period] = task.periods
    policy = problem.make_policy(task.block.policy)
    maker = problem.policies[task.block.policy]
    held = [
        one
        for one in held_tables(task.block.root, policy, maker, problem.value_of)
        if _is_history(problem, one, history.rows)
    ]
    return _Asked(problem, history, task.block, period, held).find()


def _is_history(problem: Problem, held: Held, rows: pl.DataFrame) -> bool:
    """Whether a table says when, and what is known only after deciding."""
    head = held.table.lazy().head(0).collect()
    return _when(problem, head, rows) is not None and any(name in head.columns for name in problem.hidden)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A policy that is fitted and asked about one period, with and without what it must not know."""

    problem: Problem
    history: History
    block: Block
    period: Period
    held: Sequence[Held]

    def find(self) -> Leak | None:
        """What is wrong with the decisions of the period, if anything."""
        before = self._decide(self.history)
        name, period = self.block.policy, str(self.period)
        if before.rung is Rung.NONE:
            why = f"It decided no period that was tried: {'; '.join(before.falls).rstrip('.')}."
            return Leak(kind="silent", columns=(), period=period, why=why)
        for kind in KINDS:
            moved = self._moved(before, kind)
            if moved and self._differs(before, self._decide(self.history)):
                why = f"Policy {name!r} decided {period} differently when it was asked twice the same."
                return Leak(kind="chance", columns=moved, period=period, why=why)
            if moved:
                sources = self._sources(before, kind)
                why = f"Policy {name!r} decided {period} differently when only {_told(sources)} changed."
                return Leak(kind="decision", columns=moved, sources=sources, period=period, why=why)
        return None

    def _moved(self, before: Decided, kind: str, columns: Collection[str] | None = None) -> tuple[str, ...]:
        """The decisions that move when the unknown of some columns is another."""

        def other(table: pl.DataFrame) -> pl.DataFrame:
            when = _when(self.problem, table, self.history.rows) or self.problem.period
            return scrambled(table, unknown_at(self.problem, table, self.period, when), kind, columns)

        history = History(self.problem, other(self.history.rows))
        if kind != DRAWN and not self.held and self._sees_the_same(history):
            return ()
        with exchanged(self.held, other):
            return self._differs(before, self._decide(history))

    def _sees_the_same(self, other: History) -> bool:
        """Whether fit and decide get the very same tables; drawn values are asked about all the same, for chance's sake."""
        return self.history.to_decide(self.period).equals(other.to_decide(self.period)) and self.history.known(
            self.period
        ).equals(other.known(self.period))

    def _differs(self, before: Decided, after: Decided) -> tuple[str, ...]:
        return moved_columns(before.decisions, after.decisions, self.problem.unit)

    def _sources(self, before: Decided, kind: str) -> tuple[str, ...]:
        tables = [self.history.rows.schema, *(held.table.lazy().collect_schema() for held in self.held)]
        names = _once(name for schema in tables for name in schema if name not in self.problem.key)
        return () if kind == CUT else attributed(names, lambda some: bool(self._moved(before, kind, some)))

    def _decide(self, history: History) -> Decided:
        policy = self.problem.make_policy(self.block.policy)
        moment = Moment(
            period=self.period,
            rows=history.to_decide(self.period),
            history=history,
            state=deepcopy(dict(self.block.state)),
            seed=seed_of(self.block.seed, self.period),
        )
        return take_step(self.problem, moment, fit_decider(self.block.policy, policy, history, self.period))


def _when(problem: Problem, table: pl.DataFrame, rows: pl.DataFrame) -> str | None:
    """The column of a table that says when: the period, or the only one that holds dates or times and may be about it."""
    wanted = rows.schema[problem.period]
    fitting = [name for name, dtype in table.schema.items() if _is_comparable(dtype, wanted)]
    if problem.period in fitting:
        return problem.period
    if not wanted.is_temporal():
        return None
    fitting = [name for name in fitting if not _is_of_later(problem, name, rows)]
    return fitting[0] if len(fitting) == 1 else None


def _is_of_later(problem: Problem, name: str, rows: pl.DataFrame) -> bool:
    """Whether a column says what came after its own row was decided, such as the day of a departure."""
    if name in problem.hidden or name == problem.known_at:
        return True
    if name not in rows.columns:
        return False
    is_whole_day = rows.schema[problem.period] == pl.Date and isinstance(rows.schema[name], pl.Datetime)
    at = pl.col(name).dt.date() if is_whole_day else pl.col(name)
    return bool(rows.select((at > pl.col(problem.period)).any()).item())


def _is_comparable(dtype: pl.DataType, wanted: pl.DataType) -> bool:
    if wanted.is_integer():
        return dtype.is_integer()
    if not isinstance(dtype, pl.Date | pl.Datetime):
        return False
    return pl.Date in (dtype, wanted) or getattr(dtype, "time_zone", None) == getattr(wanted, "time_zone", None)


def _told(sources: Sequence[str]) -> str:
    return f"{', '.join(sources)} that was not known yet" if sources else "how many rows lie ahead of it"


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
