"""What is served now: the rollout and the releases it names, looked at again and again while requests go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import msgspec
import polars as pl

from shipworthy.errors import NotFoundError, ShipworthyError, UnavailableError
from shipworthy.live.fields import Row
from shipworthy.live.outcomes import LivePast
from shipworthy.live.requests import Contract
from shipworthy.problem import Period, Span
from shipworthy.project import Project
from shipworthy.project.code import load_problem
from shipworthy.ship.release import Release, open_release
from shipworthy.ship.rollout import Phase, Rollout, read_rollout
from shipworthy.statistics.assignment import Arm
from shipworthy.step import History

_DAY = Span.of("1d")

LOOK_S = 0.5
"""How long a worker goes on with a rollout before it looks at the record store again."""

_LOG = logging.getLogger("shipworthy.live")


class Served:
    """An opened release, its contract, and its past with what happened since it was built.

    Attributes:
        release: The release.
        contract: What requests to it must look like.
    """

    def __init__(self, release: Release) -> None:
        """Reads off the contract."""
        self.release = release
        self.contract = Contract(release.problem, dict(release.memory.schema), release.units, release.contract)
        self._lock = Lock()
        self._history = (0, History(release.problem, release.memory))

    @property
    def memory_s(self) -> float | None:
        """How many seconds this release's policies look back on; None where periods are numbers."""
        is_number = self.contract.types[self.release.problem.period].is_integer()
        return None if is_number else float(max(span.seconds for span in self._memories))

    @cached_property
    def _memories(self) -> list[Span]:
        problem, names = self.release.problem, (self.release.decider.name, self.release.manifest["fallback"])
        return [Span.of(problem.make_policy(name).memory) for name in names if name]

    def first_remembered(self, period: Period) -> Period:
        """The first period that this release's policies look back on from `period`, and a day more for clocks that change."""
        first = min(span.before(period) for span in self._memories)
        return _DAY.before(first) if isinstance(first, datetime) else first

    def history(self, past: LivePast) -> History:
        """The release's memory, corrected by the outcomes that were posted, and followed by what was decided and settled."""
        known = self._history
        if known[0] == past.version:
            return known[1]
        with self._lock:
            version, settled, posted = past.settled()
            if self._history[0] != version:
                self._history = (version, History(self.release.problem, self._remembered(settled, posted)))
            return self._history[1]

    def last_plan(self, past: LivePast, period: Period, units: Sequence[Any]) -> pl.DataFrame | None:
        """What this release decided for these units the period before, as far as it did."""
        found = past.last_plan(self.release.id, as_json(period))
        if found is None:
            return None
        unit = self.release.problem.unit
        decided = {row[unit]: row for row in found[1]}
        rows = [decided[name] for name in units if name in decided]
        return pl.from_dicts(rows) if rows else None

    def _remembered(self, settled: list[Row], posted: list[Row]) -> pl.DataFrame:
        key, contract, memory = list(self.contract.problem.key), self.contract, self.release.memory
        outcome_types = {name: contract.types[name] for name in (*contract.settled, *contract.known_after)}
        corrected = memory.update(contract.to_frame(iter(posted), outcome_types), on=key, how="left")
        later = contract.to_frame(iter(settled), contract.types).join(memory.select(key), on=key, how="anti")
        return pl.concat([corrected, later])


@dataclass(frozen=True, slots=True)
class Recollection:
    """The past of a release, read from the logs once somebody looks back, and not before: most requests need none of it.

    Attributes:
        served: The release.
        past: What was decided, and has turned out.
        until_now: Whether it is read up to now first; else it is taken as it is.
    """

    served: Served
    past: LivePast
    until_now: bool = True

    def known(self, period: Period, within: Span | None = None) -> pl.DataFrame:
        """As `History.known`, of what was decided and has turned out too.

        Raises:
            UnavailableError: the log cannot be read.
        """
        if within is None or within.count:
            self._read()
        return self.served.history(self.past).known(period, within)

    def last_plan(self, period: Period, units: Sequence[Any]) -> pl.DataFrame | None:
        """What the release decided for these units the period before, as far as it did.

        Raises:
            UnavailableError: the log cannot be read.
        """
        self._read()
        return self.served.last_plan(self.past, period, units)

    def _read(self) -> None:
        try:
            if self.until_now:
                self.past.refresh()
        except OSError as error:
            raise UnavailableError(f"The log cannot be read: {error}. Nothing was decided.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served from one move of the rollout to the next.

    Attributes:
        champion: Who answers, except where the rollout says that the challenger does.
        challenger: Who decides beside it; None where nobody does, or where its release cannot be opened.
        rollout: The rollout; None where one release is served without any.
    """

    champion: Served
    challenger: Served | None = None
    rollout: Rollout | None = None

    def arms_of(self, period: Period, units: Sequence[Any]) -> Arm | list[Arm]:
        """Whose decisions are answered for a period: one arm for all its units, or one for each."""
        if self.rollout is None or self.challenger is None:
            return "champion"
        return self.rollout.arms_of(period, units)

    def first_remembered(self, period: Period) -> Period:
        """The first period that anybody who decides `period` looks back on."""
        arms = [served for served in (self.champion, self.challenger) if served is not None]
        return min(served.first_remembered(period) for served in arms)

    @property
    def takes_together(self) -> bool:
        """Whether requests that wait at the same moment may be decided in one call: row by row, by the champion alone."""
        release = self.champion.release
        alone = self.challenger is None or (self.rollout is not None and self.rollout.phase is Phase.SHADOW)
        return alone and release.decider.policy.row_wise and release.problem.next_state is None

    @property
    def releases(self) -> dict[str, str]:
        """The release of each arm."""
        arms = {"champion": self.champion, "challenger": self.challenger}
        return {arm: served.release.id for arm, served in arms.items() if served is not None}


class Watch:
    """Keeps up with the rollout, off the path of requests; while the record store is silent the last known one goes on.

    Attributes:
        trouble: Why the newest look did not succeed; None where it did.
        looked_at: When the record store answered last, by the monotonic clock; None where it never did.
    """

    def __init__(self, project: Project, problem: str, release: str | None = None) -> None:
        """Looks once; whatever is wrong is kept in `trouble`, and looked at again."""
        self._project, self._problem, self._fixed = project, problem, release
        self._serving: Serving | None = None
        self._stopped = Event()
        self._answers = False
        self.trouble: str | None = None
        self.looked_at: float | None = None
        self.look()

    @property
    def serving(self) -> Serving | None:
        """What is served; None as long as nothing could be."""
        return self._serving

    def start(self, *others: Callable[[], object]) -> None:
        """Looks again every half second, until stopped; `others` are called as often, and what they raise is logged."""

        def go_on() -> None:
            said = dict.fromkeys(others, "")
            while not self._stopped.wait(LOOK_S):
                self.look()
                for other in others:
                    said[other] = _tried(other, said[other])

        Thread(target=go_on, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Looks no more."""
        self._stopped.set()

    @property
    def answers(self) -> bool:
        """Whether the record store answered when it was asked last."""
        return self._answers

    @property
    def age(self) -> float | None:
        """Seconds since the record store answered last."""
        return None if self.looked_at is None else monotonic() - self.looked_at

    def look(self) -> None:
        """Asks the record store for the rollout, and opens releases that are new in it."""
        self._answers = False
        try:
            trouble = self._look()
        except ShipworthyError as error:
            trouble = str(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a release holds the user's code: whatever it raises must not end the watch)
            trouble = f"{type(error).__name__}: {error}"
        if trouble is not None and trouble != self.trouble:
            _LOG.warning("%s", trouble)
        self.trouble = trouble

    def _look(self) -> str | None:
        if self._fixed is not None:
            if self._serving is None:
                self._serving = Serving(champion=Served(open_release(self._project, self._fixed)))
            self._has_answered()
            return None
        rollout = read_rollout(self._project, self._problem)
        self._has_answered()
        if rollout is None:
            return (
                f"Nothing is shipped for problem {self._problem!r} yet, so there is nothing to decide with. Ship an idea, or "
                "the baseline, with `shipworthy ship`."
            )
        now = self._serving
        complete = now is not None and (rollout.challenger is None) == (now.challenger is None)
        if now is not None and complete and now.rollout is not None and now.rollout.version == rollout.version:
            return None
        champion = self._opened(rollout.champion)
        challenger, trouble = None, None
        if rollout.challenger is not None:
            try:
                challenger = self._opened(rollout.challenger)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  (the champion answers alone: a trial never stands in its way)
                trouble = f"The challenger's release {rollout.challenger} cannot be opened: {error}"
        self._serving = Serving(champion=champion, challenger=challenger, rollout=rollout)
        return trouble

    def _has_answered(self) -> None:
        self._answers, self.looked_at = True, monotonic()

    def _opened(self, release: str) -> Served:
        now = self._serving
        for served in (now.champion, now.challenger) if now else ():
            if served is not None and served.release.id == release:
                return served
        return Served(open_release(self._project, release))


def _tried(call: Callable[[], object], before: str) -> str:
    """What a call raised, empty where nothing; it is logged, unless it raised the same the time before."""
    try:
        call()
    except BaseException as error:  # noqa: BLE001  (whatever it is, the watch has to follow the rollout)
        said = f"{type(error).__name__}: {error}"
        if said != before:
            _LOG.exception("What the watch does beside looking failed")
        return said
    return ""


def open_serving(project: Project, problem: str) -> Serving:
    """What serves a problem now, for who asks once.

    Raises:
        NotFoundError: nothing is shipped for it yet.
        UnavailableError: what is shipped cannot be opened.
    """
    if read_rollout(project, problem) is None:
        load_problem(project, problem)  # it should at least be a problem of the project
    watch = Watch(project, problem)
    if watch.serving is None:
        kind = UnavailableError if read_rollout(project, problem) else NotFoundError
        raise kind(str(watch.trouble))
    return watch.serving


def as_json(period: Period) -> Any:
    """A period as the log has it.

    >>> from datetime import date
    >>> as_json(date(2026, 1, 31)), as_json(7)
    ('2026-01-31', 7)
    """
    return msgspec.to_builtins(period)
