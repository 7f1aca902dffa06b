"""The verb: look once at what runs live for a problem, and say what is not as it was promised."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipworthy.errors import NotFoundError, PreconditionError, ShipworthyError, TamperedError
from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.book import News, note
from shipworthy.live.watch.deciding import check_deciding
from shipworthy.live.watch.earning import check_earned, check_outcomes
from shipworthy.live.watch.expecting import Expected, check_expected, expected_value
from shipworthy.live.watch.inputs import check_inputs
from shipworthy.live.watch.lived import Lived, read_lived
from shipworthy.live.watch.messages import begin_telling, tell_news
from shipworthy.live.watch.promised import Promised, forecast_on_trial, promised
from shipworthy.live.watch.service import check_disk, check_service
from shipworthy.problem import Span
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.ship.advance import advance
from shipworthy.ship.reading import LiveReading, read_idea_live
from shipworthy.ship.rollout import Phase, Rollout, read_rollout, rollout_history

_LOG = logging.getLogger("shipworthy.live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a look came to.

    Attributes:
        problem: The problem's name.
        at: The instant of looking.
        rollout: What serves.
        moved: The move that the rollout made by itself at this look; None where it made none.
        currency: The currency of all money.
        news: The alerts that are open, and what opened and closed.
        periods: How many live periods the window holds.
        expected: What a period of the window is expected to earn before its outcomes say; None where that cannot be said.
        untold: Which channels could not be told, and why.
    """

    problem: str
    at: datetime
    rollout: Rollout
    moved: Rollout | None
    currency: str
    news: News
    periods: int
    expected: Expected | None
    untold: Sequence[str] = ()


def watch(project: Project, problem: str, *, at: datetime | None = None) -> Watched:
    """Looks once: lets the rollout move, makes every check, records what opened and closed, and tells of it.

    A check that cannot be made is an alert itself, and closes nothing.

    Args:
        project: What is looked at.
        problem: The problem's name.
        at: Only looks, as of this instant: nothing is moved, recorded or told. None means now.

    Raises:
        NotFoundError: nothing is shipped for the problem.
        UnavailableError: the record store does not answer.
    """
    only_looks = at is not None
    at = at or now()
    rollout = read_rollout(project, problem, at)
    if rollout is None:
        raise NotFoundError(
            f"Nothing is shipped for problem {problem!r}, so there is nothing to watch. Ship an idea with `shipworthy ship`."
        )
    if not only_looks:
        begin_telling(project, problem)
    look = _Look(project, rollout, at, only_looks)
    look.at_everything()
    news = note(project, problem, look.alerts, at, keep=look.is_blind, record=not only_looks)
    return Watched(
        problem=problem,
        at=at,
        rollout=look.rollout,
        moved=look.rollout if look.rollout.version != rollout.version else None,
        currency=look.promised.currency if look.promised else "",
        news=news,
        periods=len(look.lived.periods) if look.lived else 0,
        expected=look.expected,
        untold=() if only_looks else tell_news(project, problem),
    )


class _Look:
    """One look: each check by itself, so that one which cannot be made does not keep the others from it."""

    def __init__(self, project: Project, rollout: Rollout, at: datetime, only_looks: bool) -> None:
        self.project, self.rollout, self.at, self.only_looks = project, rollout, at, only_looks
        self.alerts: list[Alert] = []
        self.is_blind = False
        self.reading: LiveReading | None = None
        self.promised: Promised | None = None
        self.lived: Lived | None = None
        self.expected: Expected | None = None

    def at_everything(self) -> None:
        settings = self.project.settings["watch"]
        self._check("rollout", self._move)
        self._check("service", lambda: check_service(str(settings["service"])))
        self._check("disk", lambda: check_disk(self.project.log_folder))
        self._check("promise", self._open)
        if self.promised is None or self.lived is None:
            return
        promise, lived = self.promised, self.lived
        begun = rollout_history(self.project, self.rollout.problem)[0].at
        self._check("pause", lambda: _paused(self.project, self.rollout, promise))
        self._check("inputs", lambda: check_inputs(promise, lived, begun))
        self._check("deciding", lambda: check_deciding(promise, lived))
        self._check("outcomes", lambda: check_outcomes(promise, lived))
        self._check("expected", lambda: self._expect(promise, lived))
        self._check("earned", lambda: check_earned(promise, self.reading, float(settings["running_cost"])))

    def _move(self) -> Sequence[Alert]:
        """Lets the rollout move on the evidence, or reads the evidence only; what was taken back cannot harm any more."""
        if self.only_looks:
            if self.rollout.idea is not None and self.rollout.challenger is not None:
                moves = rollout_history(self.project, self.rollout.problem)
                self.reading = read_idea_live(self.project, moves, self.rollout.idea)
            return ()
        try:
            advanced = advance(self.project, self.rollout.problem, now=self.at)
        except PreconditionError:  # somebody else moves it right now: the next look reads what they did
            return ()
        self.rollout = advanced.rollout or self.rollout
        self.reading = None if self.rollout.phase.is_over else advanced.reading
        return ()

    def _open(self) -> Sequence[Alert]:
        self.promised = promised(self.project, self.rollout)
        window = Span.of(self.project.settings["watch"]["window"])
        self.lived = read_lived(self.project, self.promised, self.at, timedelta(seconds=window.seconds))
        return ()

    def _expect(self, promise: Promised, lived: Lived) -> Sequence[Alert]:
        self.expected = expected_value(promise, lived)
        return check_expected(self.expected)

    def _check(self, name: str, check: Callable[[], Sequence[Alert]]) -> None:
        try:
            self.alerts.extend(check())
        except TamperedError as error:
            self._cannot("release-refused", name, error)
        except ShipworthyError as error:
            self._cannot("blind", name, error)
        except Exception as error:  # noqa: BLE001  (the user's code is behind it: no check may keep the others from theirs)
            _LOG.exception("The check of %s failed", name)
            self._cannot("blind", name, error)

    def _cannot(self, kind: str, name: str, error: Exception) -> None:
        self.is_blind = True
        said = str(error) if isinstance(error, ShipworthyError) else f"{type(error).__name__}: {error}"
        what = f"The check of {name} could not be made: {said}"
        self.alerts.append(Alert(kind=kind, about=name, what=what, reckoned="what is not seen has no figure"))


def _paused(project: Project, rollout: Rollout, promise: Promised) -> Sequence[Alert]:
    if rollout.phase is not Phase.PAUSED:
        return ()
    gain = forecast_on_trial(project, rollout, promise.problem)
    how = (
        "no gain was forecast for it"
        if gain is None
        else "the gain that was forecast, for each period it does not decide"
    )
    what = f"Idea {int(rollout.idea or 0)} is paused: {rollout.why}"
    money = None if gain is None else max(0.0, gain.gain)
    return [Alert(kind="rollout-paused", what=what, since=rollout.at, money_at_risk=money, reckoned=how)]
