"""The proof that nothing leaks: what is not yet known is scrambled, and the decisions must not move.

Three questions, the cheap ones first:

1. Does the policy name a column as its feature which is known only after deciding?
2. Do the *prepared* rows of a period change when everything ahead in the *raw* table is scrambled? Then the preparation
   looks ahead: a window over the future, a mean over the whole table, a join that ignores the time.
3. Do the *decisions* of a period change when everything not known then is scrambled in the rows, and in every table that a module
   of the project holds? Then the policy, or its fit, reads what it could not have known. Where they change although nothing
   was scrambled, chance decides, and nothing can be proved.

What it cannot see: a column that was computed with hindsight before it reached the raw table, a policy which reads its own
copy of the data from a file, and figures that were worked out from a whole table while a module was imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from shipworthy.engine import first_replayed, fit_decider
from shipworthy.errors import UserCodeError
from shipworthy.problem import Period, Policy, Problem, Span
from shipworthy.step import Decided, History, Moment, Rung, seed_of, take_step

_PROBES = 3
_PREPARATION_PROBES = 12
_SEED = 20_260_101
_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One reason why a replay would prove nothing.

    Attributes:
        kind: "feature", "preparation" or "decision" where something is known too early; "chance" where a policy does not decide
            the same twice, and "silent" where it does not decide at all.
        columns: The columns by which it shows.
        period: The first period at which it was seen; None for a feature that is refused by its name.
        why: The finding in a sentence.
    """

    kind: str
    columns: tuple[str, ...]
    period: str | None
    why: str


def find_leaks(problem: Problem, policy_name: str, rows: pl.DataFrame, folder: Path, seed: int) -> list[Leak]:
    """The first leak that the three questions find for one policy; none is what is hoped for.

    Raises:
        UserCodeError: the preparation of the rows raises when what lies ahead is other than it was.
    """
    named = hidden_features(problem, problem.make_policy(policy_name))
    if named:
        return named
    history = History(problem, rows)
    leaks = _in_preparation(problem, problem.rows.read(folder), history)
    periods = _probed(problem, history, _PROBES)
    if not leaks:
        asked = _Asked(problem, policy_name, folder, seed)
        leaks = [leak for leak in (asked.find(history, period) for period in periods) if leak]
    silent = [leak for leak in leaks if leak.kind == "silent"]
    return ([leak for leak in leaks if leak not in silent] or (silent if len(silent) == len(periods) else []))[:1]


def is_preparation_proved(problem: Problem, rows: pl.DataFrame, folder: Path) -> bool:
    """Whether the raw table says when, so that the second question can be asked."""
    return _when(problem, problem.rows.read(folder), rows) is not None


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
    listed = ", ".join(known_too_late)
    why = f"{listed} of a period {'is' if len(known_too_late) == 1 else 'are'} known only after it was decided."
    return [Leak(kind="feature", columns=known_too_late, period=None, why=why)]


def _probed(problem: Problem, history: History, count: int) -> Sequence[Period]:
    """A few periods spread over what will be replayed, without the last, after which nothing lies ahead."""
    first = first_replayed(problem, history)
    replayed = [period for period in history.periods if period >= first]
    replayed = replayed[:-1] or replayed
    return replayed[:: max(1, len(replayed) // count)][:count]


def _in_preparation(problem: Problem, raw: pl.DataFrame, history: History) -> list[Leak]:
    when = _when(problem, raw, history.rows)
    if when is None:
        return []
    prepared = problem.rows.prepare(raw)
    for period in _probed(problem, history, _PREPARATION_PROBES):
        otherwise = _prepared_otherwise(problem, raw, when, period)
        moved = _moved(*(_of_period(problem, rows, period) for rows in (prepared, otherwise)))
        if moved:
            what = f"{', '.join(moved)} of {period} changed when only what lies ahead of it was changed"
            why = f"{what}: the preparation of the rows looks ahead."
            return [Leak(kind="preparation", columns=moved, period=str(period), why=why)]
    return []


def _prepared_otherwise(problem: Problem, raw: pl.DataFrame, when: str, period: Period) -> pl.DataFrame:
    """The rows prepared from another future; one of values that occur, where a preparation cannot bear stretched ones."""
    try:
        return problem.rows.prepare(_scrambled(problem, raw, period, when=when))
    except Exception:  # noqa: BLE001  (the user's own code, given numbers that may be no codes of anything)
        changed = _scrambled(problem, raw, period, when=when, stretch=False)
    try:
        return problem.rows.prepare(changed)
    except Exception as error:
        raise UserCodeError(
            f"The preparation of the rows raised when what lies ahead of {period} was other than it was: {type(error).__name__}: "
            f"{error}. Let it bear any order of the values that occur, so that it can be proved not to look ahead."
        ) from error


def _when(problem: Problem, raw: pl.DataFrame, rows: pl.DataFrame) -> str | None:
    """The raw column that says when: the period, or the only one that holds dates or times."""
    wanted = rows.schema[problem.period]
    fitting = [name for name, dtype in raw.schema.items() if _is_comparable(dtype, wanted)]
    if problem.period in fitting:
        return problem.period
    return fitting[0] if len(fitting) == 1 and wanted.is_temporal() else None


def _is_comparable(dtype: pl.DataType, wanted: pl.DataType) -> bool:
    if wanted.is_integer():
        return dtype.is_integer()
    if not isinstance(dtype, pl.Date | pl.Datetime):
        return False
    return pl.Date in (dtype, wanted) or getattr(dtype, "time_zone", None) == getattr(wanted, "time_zone", None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A policy that is asked about periods, with and without what it must not know."""

    problem: Problem
    name: str
    folder: Path
    seed: int

    def find(self, history: History, period: Period) -> Leak | None:
        """What is wrong with the decisions of a period, if anything."""
        before = self._decide(history, period)
        if before.rung is Rung.NONE:
            why = f"It decided no period that was tried: {'; '.join(before.falls)}."
            return Leak(kind="silent", columns=(), period=str(period), why=why)
        other = History(self.problem, _scrambled(self.problem, history.rows, period))
        with _held_tables(self.folder, self._is_history, lambda table: _scrambled(self.problem, table, period)):
            after = self._decide(other, period)
        moved = _moved(before.decisions, after.decisions)
        if not moved:
            return None
        if _moved(before.decisions, self._decide(history, period).decisions):
            why = f"Policy {self.name!r} decided {period} differently when it was asked twice the same."
            return Leak(kind="chance", columns=moved, period=str(period), why=why)
        why = f"Policy {self.name!r} decided {period} differently when only what was not known yet was changed."
        return Leak(kind="decision", columns=moved, period=str(period), why=why)

    def _decide(self, history: History, period: Period) -> Decided:
        policy = self.problem.make_policy(self.name)
        moment = Moment(
            period=period,
            rows=history.to_decide(period),
            history=history,
            state=dict(self.problem.initial_state),
            seed=seed_of(self.seed, period),
        )
        return take_step(self.problem, moment, fit_decider(self.name, policy, history, period))

    def _is_history(self, table: pl.DataFrame) -> bool:
        return table.schema.get(self.problem.period) is not None and any(
            name in table.columns for name in self.problem.hidden
        )


@contextmanager
def _held_tables(
    folder: Path, chosen: Callable[[pl.DataFrame], bool], other: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[None]:
    """Exchanges the chosen tables among the global names of the project's modules, and puts them back."""
    own = [vars(module) for module in list(sys.modules.values()) if _lies_in(folder, getattr(module, "__file__", None))]
    held = [
        (names, name, table)
        for names in own
        for name, table in names.items()
        if isinstance(table, pl.DataFrame) and chosen(table)
    ]
    try:
        for names, name, table in held:
            names[name] = other(table)
        yield
    finally:
        for names, name, table in held:
            names[name] = table


def _lies_in(folder: Path, file: str | None) -> bool:
    return file is not None and Path(file).is_relative_to(folder)


def _of_period(problem: Problem, rows: pl.DataFrame, period: Period) -> pl.DataFrame:
    hidden = [name for name in rows.columns if name in {*problem.hidden, *problem.decisions}]
    return rows.filter(pl.col(problem.period) == period).drop(hidden).sort(problem.unit)


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> tuple[str, ...]:
    if before.height != after.height:
        return tuple(before.columns)
    return tuple(name for name in before.columns if name not in after.columns or _differ(before[name], after[name]))


def _differ(before: pl.Series, after: pl.Series) -> bool:
    """Whether two columns differ by more than the order in which numbers were added up."""
    if not (before.dtype.is_float() and after.dtype.is_float()):
        return not before.equals(after)
    close = ((before - after).abs() <= _SAME * before.abs()).fill_null(value=False)
    return not (close | before.eq_missing(after)).all()


def _scrambled(
    problem: Problem, table: pl.DataFrame, period: Period, *, when: str | None = None, stretch: bool = True
) -> pl.DataFrame:
    """The table with everything that is not known at `period` replaced by other values of the same column.

    Of later periods that is every column; of this one and of those whose outcome is still out, the columns known only
    after deciding. Values are drawn at random with replacement, and numbers are stretched besides, so that even their
    mean and range change.
    """
    when = when or problem.period
    at = pl.col(when)
    if table.schema[when] == pl.Datetime and not isinstance(period, datetime) and isinstance(period, date):
        at = at.dt.date()  # a day is decided as a whole: what happened in its course is not ahead of it
    out_still = (at > Span.of(problem.outcome_delay).before(period)) | (at >= period)
    known_late = {*problem.hidden, *problem.decisions}
    columns: list[pl.Expr] = []
    for name, dtype in table.schema.items():
        if name in {*problem.key, when}:
            continue
        drawn = table[name].sample(table.height, with_replacement=True, seed=_SEED + len(columns), shuffle=True)
        other = drawn * 3 + 1 if stretch and dtype.is_numeric() else drawn
        unknown = out_still if name in known_late else at > period
        columns.append(pl.when(unknown).then(pl.lit(other)).otherwise(pl.col(name)).cast(dtype).alias(name))
    return table.with_columns(columns)
