"""The verb: look once at what runs live for a problem, and say what is not as it was promised."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipworthy.errors import NotFoundError, ShipworthyError, TamperedError
from shipworthy.live.watch.alert import Alert
from shipworthy.live.watch.book import News, note
from shipworthy.live.watch.deciding import check_deciding
from shipworthy.live.watch.earning import check_earned, check_outcomes
from shipworthy.live.watch.inputs import check_inputs
from shipworthy.live.watch.lived import Lived, read_lived
from shipworthy.live.watch.promised import Promised, promised
from shipworthy.live.watch.service import check_disk, check_service
from shipworthy.problem import Span
from shipworthy.project import Project
from shipworthy.project.clock import now
from shipworthy.ship.reading import LiveReading, read_idea_live
from shipworthy.ship.rollout import Rollout, read_rollout, rollout_history

_LOG = logging.getLogger("shipworthy.live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a look came to.

    Attributes:
        problem: The problem's name.
        at: The instant of looking.
        rollout: What serves.
        currency: The currency of all money.
        news: The alerts that are open, and what opened and closed.
        periods: How many live periods the window holds.
    """

    problem: str
    at: datetime
    rollout: Rollout
    currency: str
    news: News
    periods: int


def watch(project: Project, problem: str, *, at: datetime | None = None) -> Watched:
    """Looks once: reads the window it needs, makes every check, and records what opened and closed.

    A check that cannot be made is an alert itself, and closes nothing.

    Args:
        project: What is looked at.
        problem: The problem's name.
        at: Looks as of this instant; None means now.

    Raises:
        NotFoundError: nothing is shipped for the problem.
        UnavailableError: the record store does not answer.
    """
    at = at or now()
    rollout = read_rollout(project, problem, at)
    if rollout is None:
        raise NotFoundError(
            f"Nothing is shipped for problem {problem!r}, so there is nothing to watch. Ship an idea with `shipworthy ship`."
        )
    look = _Look(project, rollout, at)
    look.at_everything()
    return Watched(
        problem=problem,
        at=at,
        rollout=rollout,
        currency=look.promised.currency if look.promised else "",
        news=note(project, problem, look.alerts, at, keep=look.is_blind),
        periods=len(look.lived.periods) if look.lived else 0,
    )


class _Look:
    """One look: each check by itself, so that one which cannot be made does not keep the others from it."""

    def __init__(self, project: Project, rollout: Rollout, at: datetime) -> None:
        self.project, self.rollout, self.at = project, rollout, at
        self.alerts: list[Alert] = []
        self.is_blind = False
        self.promised: Promised | None = None
        self.lived: Lived | None = None

    def at_everything(self) -> None:
        settings = self.project.settings["watch"]
        self._check("service", lambda: check_service(str(settings["service"])))
        self._check("disk", lambda: check_disk(self.project.log_folder))
        self._check("promise", self._open)
        if self.promised is None or self.lived is None:
            return
        promise, lived = self.promised, self.lived
        begun = rollout_history(self.project, self.rollout.problem)[0].at
        self._check("inputs", lambda: check_inputs(promise, lived, begun))
        self._check("deciding", lambda: check_deciding(promise, lived))
        self._check("outcomes", lambda: check_outcomes(promise, lived))
        self._check("earned", lambda: check_earned(promise, self._reading(), float(settings["running_cost"])))

    def _open(self) -> Sequence[Alert]:
        self.promised = promised(self.project, self.rollout)
        window = Span.of(self.project.settings["watch"]["window"])
        self.lived = read_lived(self.project, self.promised, self.at, timedelta(seconds=window.seconds))
        return ()

    def _reading(self) -> LiveReading | None:
        if self.rollout.idea is None or self.rollout.challenger is None:
            return None
        return read_idea_live(self.project, rollout_history(self.project, self.rollout.problem), self.rollout.idea)

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
