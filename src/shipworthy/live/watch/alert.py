"""An alert: what is not as it was promised, what that may cost a period, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Self

RUNBOOK = "docs/operations.md"


class Severity(IntEnum):
    """How soon somebody has to look; the more, the sooner."""

    NOTE = 1
    SOON = 2
    NOW = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of alert: how soon to look, and what to do; what is typed stands after a colon, and is left out on pages."""

    severity: Severity
    do: str


_NOW, _SOON, _NOTE = Severity.NOW, Severity.SOON, Severity.NOTE

KINDS: Mapping[str, Kind] = {
    "missing-periods": Kind(
        _NOW, "Find out why nobody asks, by the caller's own log and the service's health: `curl SERVICE/v1/health`."
    ),
    "late-requests": Kind(_SOON, "Move the caller's schedule forward: `shipworthy watch --json`."),
    "stale-inputs": Kind(_NOW, "Restart the feed of the column, and check its newest rows: `shipworthy data IDEA`."),
    "empty-inputs": Kind(_SOON, "Fill the column in time, or decide without it: `shipworthy data IDEA`."),
    "refused-requests": Kind(
        _SOON, "Hold what callers send against what the service takes: `curl SERVICE/openapi.json`."
    ),
    "failing-answers": Kind(
        _NOW, "Read the service's own log; if it began with a release, take that back: `shipworthy rollback`."
    ),
    "vanished-units": Kind(_SOON, "Ask whether the units closed; if not, put them back into the request."),
    "new-units": Kind(
        _NOTE, "Replay with the new units in the rows before you trust decisions on them: `shipworthy data IDEA`."
    ),
    "input-drift": Kind(
        _NOTE, "Compare the column with its source; if the world changed, begin an idea: `shipworthy idea new`."
    ),
    "falling-back": Kind(
        _NOW,
        "Read why the policy does not decide itself; if it began with a release, take that back: `shipworthy rollback`.",
    ),
    "nothing-decided": Kind(_NOW, "Decide by hand now, and take the release back: `shipworthy rollback`."),
    "slow-solves": Kind(
        _SOON, "Give the solver more time or fewer choices, and replay that: `shipworthy research IDEA`."
    ),
    "solver-gaps": Kind(_SOON, "Look whether instances grew; replay with more time: `shipworthy research IDEA`."),
    "plan-churn": Kind(
        _NOTE, "Ask those who carry the plans out, and look for an input that jumps: `shipworthy watch --json`."
    ),
    "decision-drift": Kind(_NOTE, "Look whether inputs moved as well; if not, take it back: `shipworthy rollback`."),
    "late-outcomes": Kind(
        _SOON, "Post the outcomes that are due, for until then harm cannot be seen: `shipworthy outcomes`."
    ),
    "missing-outcomes": Kind(_SOON, "Post the outcomes that never came: `shipworthy outcomes`."),
    "harm": Kind(_NOW, "Take it back: `shipworthy rollback`."),
    "guardrail-worse": Kind(_NOW, "Take it back: `shipworthy rollback`."),
    "below-forecast": Kind(
        _SOON, "Hold what came against the forecast: `shipworthy ledger`; begin an idea on what is different."
    ),
    "expected-value": Kind(
        _SOON, "Look which inputs moved, and send outcomes sooner if you can: `shipworthy watch --json`."
    ),
    "retirement": Kind(
        _NOTE, "Decide whether it is worth running: `shipworthy ledger`; if not, retire it: `shipworthy retire IDEA`."
    ),
    "rollout-paused": Kind(
        _SOON, "Read why, and what lets it go on: `shipworthy history`, `shipworthy ship IDEA --resume`."
    ),
    "release-refused": Kind(
        _NOW, "Do not use it: restore its objects from a backup, or go back: `shipworthy rollback`."
    ),
    "service-down": Kind(_NOW, "Start it: `shipworthy serve`; if it does not start, read its last words."),
    "record-store-gone": Kind(_NOW, "Bring the record store back; decisions go on with the last rollout meanwhile."),
    "disk-full": Kind(_NOW, "Make room on the disk of the log before decisions are refused: `shipworthy gc`."),
    "blind": Kind(_SOON, "Read why the check could not be made, and repair that: `shipworthy watch --json`."),
}
"""Every kind of alert; each has a section of its name in the runbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that is not as it was promised.

    Attributes:
        kind: Which kind, one of `KINDS`.
        about: Which column, units or guardrail it is about; empty where there is only one.
        what: What was found, in a sentence with its figures.
        since: Since when, as far as that is known.
        money_at_risk: Money a period; None where no money can be named.
        reckoned: How that money was reckoned, or why there is none.
    """

    kind: str
    what: str
    reckoned: str
    about: str = ""
    since: datetime | None = None
    money_at_risk: float | None = None

    @property
    def key(self) -> str:
        """What makes it the same alert at the next look."""
        return f"{self.kind} {self.about}".strip()

    @property
    def severity(self) -> Severity:
        """How soon somebody has to look."""
        return KINDS[self.kind].severity

    @property
    def do(self) -> str:
        """What to do, in a sentence with its command."""
        return KINDS[self.kind].do

    @property
    def anchor(self) -> str:
        """Where the runbook speaks of it."""
        return f"{RUNBOOK}#{self.kind}"

    def to_dict(self) -> dict[str, Any]:
        """The alert as plain values, with what its kind says."""
        more = {"severity": self.severity.name.lower(), "do": self.do, "anchor": self.anchor}
        return {**asdict(self), "since": self.since and self.since.isoformat(), **more}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` gave."""
        fields = {name: said[name] for name in cls.__slots__}
        return cls(**{**fields, "since": said["since"] and datetime.fromisoformat(said["since"])})


def by_money(alerts: Sequence[Alert]) -> list[Alert]:
    """The alerts by the money at risk, the most first; among those without any, the most urgent first.

    >>> drift, harm = (Alert(kind=kind, what="", reckoned="") for kind in ("input-drift", "harm"))
    >>> [alert.kind for alert in by_money([drift, harm])]
    ['harm', 'input-drift']
    """
    return sorted(alerts, key=lambda alert: (-(alert.money_at_risk or 0.0), -alert.severity, alert.key))
