"""Tuning as part of a policy: every search happens inside `fit`, in the past alone, in the words of Optuna."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zlib import crc32

import polars as pl

from shipworthy.engine import play
from shipworthy.errors import InvalidInputError, UnavailableError, UserCodeError
from shipworthy.problem import Now, Period, Policy, Problem, Span
from shipworthy.problem.policy import Decisions
from shipworthy.step import Decider, History, Rung
from shipworthy.step.worth import VALUE
from shipworthy.store import canonical

try:
    import optuna
    from optuna.trial import TrialState

    from shipworthy.research.journal import open_journal
except ModuleNotFoundError as error:
    raise UnavailableError(
        f"Tuning needs Optuna, which cannot be imported ({error}). Run `pip install 'shipworthy[tuning]'`."
    ) from error

MakeCandidate = Callable[[Any], Policy]
"""Makes a policy from an Optuna trial, whose `suggest_...` methods declare what is searched."""

_WHY = "why"
_DECLARED_HERE = ("memory", "train_window", "gap", "time_limit")


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a search left behind: all that is needed to decide, and the account of what was tried.

    Attributes:
        params: The winner's parameters.
        fitted: What the winner's `fit` returned on all of the past.
        trials: Each trial by number: its params, its value (mean money per period), its state ("complete" or "pruned"), and why
            it failed, where it raised.
    """

    params: Mapping[str, Any]
    fitted: Any
    trials: Sequence[Mapping[str, Any]]


@dataclass
class Tuned(Policy):
    """A policy that searches for the best of many candidates whenever it is tuned, and decides with the winner.

    The score of a candidate is the money that it earns per period in rolling folds of the past: the past is cut into `folds` + 1
    equal parts, and each part but the first is decided by what was known before it (as in scikit-learn's TimeSeriesSplit),
    through the same step as everywhere. Nothing but the past that `fit` is given is ever looked at, so the search is nested in
    the replay by construction. The sampler is the tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS), seeded for
    each trial, so that an interrupted search resumes to the same result.

    How far back is looked, when is fitted and how long deciding may take is declared here, once for all candidates: a candidate
    that declares another memory, train_window, gap or time_limit is refused, and its refit is not used.

    Attributes:
        problem: Says what decisions are worth.
        make: Makes a candidate from an Optuna trial.
        trials: How many candidates are tried.
        folds: How many parts of the past each of them decides.
        seed: From which every choice of the search follows.
        prune: Whether a candidate below the median of the earlier ones is given up after a fold.
        tune_every: How often is searched anew: the search sees the past up to the last such mark (counted from 1970, or from
            number 0), so that fits between two marks find the same winner where the past is not cut by train_window, and
            with a journal without searching again. None means at every fit.
        journal: A folder, relative to the project's, where a search that is killed can be resumed; None keeps it in memory.

    >>> shop = Problem("shop", rows=None, period="day", unit="item", outcome="sold", decision="stock")
    >>> @shop.value
    ... def near(happened):
    ...     return -(pl.col("stock") - pl.col("sold")).abs()
    >>> class Level(Policy):
    ...     def __init__(self, level):
    ...         self.level = level
    ...     def decide(self, now, fitted):
    ...         return [self.level] * now.rows.height
    >>> tuned = Tuned(shop, lambda trial: Level(trial.suggest_int("level", 0, 4)), trials=12)
    >>> past = pl.DataFrame({"day": range(8), "item": ["tea"] * 8, "sold": [3] * 8})
    >>> tuning = tuned.fit(past)
    >>> tuning.params, tuned.looks(tuning)
    ({'level': 3}, 12)
    """

    problem: Problem
    make: MakeCandidate
    _: KW_ONLY
    trials: int = 30
    folds: int = 3
    seed: int = 0
    prune: bool = True
    tune_every: str | None = None
    journal: str | None = None
    memory: str = "0d"
    train_window: str | None = None
    gap: str = "0d"
    refit: str | None = "28d"
    time_limit: float | None = None
    row_wise: bool = False
    features: Sequence[str] = field(default=(), init=False)
    _winner: tuple[Mapping[str, Any], Policy] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuses a search that tries nothing."""
        for name in ("trials", "folds"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"Tuned has {name} = {getattr(self, name)}. Give 1 or more.")
        if self.tune_every is not None and Span.of(self.tune_every).count == 0:
            raise InvalidInputError(f"Tuned has tune_every = {self.tune_every!r}. Give a span above 0, or None.")

    def fit(self, past: pl.DataFrame) -> Tuning:
        """Searches in the past, and fits the winner on all of it.

        Raises:
            UserCodeError: the past is too short for the folds, a candidate declares what is declared here, or all of them fail.
        """
        if not self.problem.counterfactual:
            raise UserCodeError(
                "Outcomes depend on what is decided, so the past cannot say which candidate would have earned most. Decide "
                "without a search."
            )
        searched = self._searched(past)
        with _quiet():
            trials = self._search(History(self.problem, searched))
        complete = [trial for trial in trials if trial["state"] == "complete"]
        if not complete:
            raise UserCodeError(f"All {len(trials)} candidates failed. The first: {trials[0][_WHY]}.")
        params = max(complete, key=lambda trial: (trial["value"], -trial["number"]))["params"]
        return Tuning(params, self._candidate(optuna.trial.FixedTrial(params)).fit(past), trials)

    def decide(self, now: Now, fitted: Any) -> Decisions:
        """Decides as the winner does."""
        if self._winner is None or self._winner[0] != fitted.params:
            self._winner = (fitted.params, self._candidate(optuna.trial.FixedTrial(dict(fitted.params))))
        return self._winner[1].decide(now, fitted.fitted)

    def looks(self, fitted: Any) -> int:
        """How many candidates were tried."""
        return len(fitted.trials)

    def _searched(self, past: pl.DataFrame) -> pl.DataFrame:
        """The part of the past that the search sees."""
        periods = past[self.problem.period]
        if self.tune_every is None or past.is_empty():
            return past
        return past.filter(periods < _mark(max(periods.to_list()), Span.of(self.tune_every)))

    def _search(self, history: History) -> list[dict[str, Any]]:
        """Asks for candidates one after another; those that an earlier, interrupted search has tried are known."""
        folds = self._folds(history.periods)
        with self._study(history) as study:
            for left_open in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                study.tell(left_open.number, state=TrialState.FAIL)
            while len(_tried(study)) < self.trials:
                study.sampler = _sampler(self.seed, len(_tried(study)))
                self._try(study, history, folds)
            tried = _tried(study)[: self.trials]  # a journal may hold the trials of a longer search
        # Through JSON, so that the account is the same object, to the last byte when pickled, wherever it comes from.
        account: list[dict[str, Any]] = json.loads(canonical([_told(n, t) for n, t in enumerate(tried)]))
        return account

    @contextmanager
    def _study(self, history: History) -> Iterator[Any]:
        pruner = optuna.pruners.MedianPruner() if self.prune else optuna.pruners.NopPruner()
        new = partial(optuna.create_study, direction="maximize", pruner=pruner, load_if_exists=True)
        if self.journal is None:
            yield new()
            return
        settings = (
            self.problem.name,
            self.seed,
            self.folds,
            self.prune,
            *(getattr(self, n) for n in _DECLARED_HERE),
        )
        with open_journal(self.journal, self.problem, self.make, history.rows, settings) as (name, storage):
            yield new(study_name=name, storage=storage)

    def _try(self, study: Any, history: History, folds: Sequence[Sequence[Period]]) -> None:
        """One trial. What a candidate raises prunes it; what it declares at the wrong place ends the search."""
        trial = study.ask()
        try:
            value = self._earned(trial, history, folds)
        except _MisplacedError:
            raise
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the user's code raises)
            trial.set_user_attr(_WHY, f"{type(error).__name__}: {error}")
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, value)

    def _earned(self, trial: Any, history: History, folds: Sequence[Sequence[Period]]) -> float:
        """The mean money per period over the folds."""
        candidate = self._candidate(trial)
        money, count = 0.0, 0
        for number, periods in enumerate(folds):
            past = history.to_learn(self, periods[0])
            decider = Decider("candidate", self, Tuning(trial.params, candidate.fit(past), ()))
            track, _ = play(self.problem, history, decider, periods, self.seed, self.problem.initial_state)
            _refuse_undecided(track)
            valued = track.drop_nulls(VALUE)
            money += float(valued[VALUE].sum())
            count += valued[self.problem.period].n_unique()
            trial.report(money / max(count, 1), number)
            if number + 1 < len(folds) and trial.should_prune():
                raise optuna.TrialPruned
        if not count:
            raise UserCodeError("no period of the folds could be valued")
        return money / count

    def _candidate(self, trial: Any) -> Policy:
        candidate = self.make(trial)
        if not isinstance(candidate, Policy):
            raise _MisplacedError(f"make() gives a {type(candidate).__name__}, which is no shipworthy.Policy.")
        for name in _DECLARED_HERE:
            given = getattr(candidate, name)
            if given not in (getattr(Policy, name), getattr(self, name)):
                raise _MisplacedError(
                    f"A candidate declares {name} = {given!r}, and Tuned {getattr(self, name)!r}. Declare "
                    "it on Tuned: it is the same for all candidates."
                )
        return candidate

    def _folds(self, periods: Sequence[Period]) -> list[Sequence[Period]]:
        """All parts of the past but the first, which is only learnt from."""
        size = len(periods) // (self.folds + 1)
        if size == 0:
            marked = f" before the last mark of tune_every = {self.tune_every!r}" if self.tune_every else ""
            sooner = ", or tune more often" if self.tune_every else ""
            raise UserCodeError(
                f"{len(periods)} periods{marked} are too few to search in with {self.folds} folds. Give more past{sooner}."
            )
        start = len(periods) - self.folds * size
        return [periods[at : at + size] for at in range(start, len(periods), size)]


class _MisplacedError(UserCodeError):
    """What is no failure of one candidate but a mistake in how all of them are declared."""


def _refuse_undecided(track: pl.DataFrame) -> None:
    silent = track.filter(pl.col("rung") == str(Rung.NONE))
    if not silent.is_empty():
        raise UserCodeError(f"it left a period undecided: {silent['falls'][0]}")


def _tried(study: Any) -> list[Any]:
    """The trials that came to an end, in order."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))  # type: ignore[no-any-return]


def _told(number: int, trial: Any) -> dict[str, Any]:
    state = "complete" if trial.state == TrialState.COMPLETE else "pruned"
    value = trial.value if trial.state == TrialState.COMPLETE else None
    return {
        "number": number,
        "params": trial.params,
        "value": value,
        "state": state,
        _WHY: trial.user_attrs.get(_WHY),
    }


def _sampler(seed: int, number: int) -> Any:
    """A sampler whose choice follows from the seed, the trial's number and the trials before it, and from nothing else."""
    return optuna.samplers.TPESampler(seed=crc32(f"{seed}|{number}".encode()))


def _mark(last: Period, every: Span) -> Period:
    """The last mark that is not after `last`."""
    if isinstance(last, datetime):
        since = datetime(1970, 1, 1, tzinfo=last.tzinfo)
        return since + (last - since) // timedelta(seconds=every.seconds) * timedelta(seconds=every.seconds)
    if isinstance(last, date):
        days = -(-every.seconds // 86_400)
        return last - timedelta(days=(last - date(1970, 1, 1)).days % days)
    return last - last % every.count


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Optuna's log, and lets it speak again as it did."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
