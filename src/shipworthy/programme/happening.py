"""What a record of the feed says, as a person would say it: for the standup, for webhooks, for whoever reads along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.money import figure
from shipworthy.analysis.money import money as amount_of
from shipworthy.analysis.wording import sentence
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import numbered_ideas
from shipworthy.live.watch.alert import Alert
from shipworthy.programme.terms import Terms, terms_of
from shipworthy.project import Project
from shipworthy.project.role import spoken
from shipworthy.ship.rollout import Phase
from shipworthy.store import Record, RecordStore, feed

TO_AGREE = " A second person has to agree."
"""How what is told of an override ends that nobody has agreed to."""

KINDS = (
    "idea",
    "data",
    "research",
    "verdict",
    "override",
    "signoff",
    "rollout",
    "rollback",
    "alert",
    "comment",
    "gate",
)
"""What can be told of; a gate is one that opened or closed, whatever did that."""

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened.

    Attributes:
        project: The space of its project.
        seq: The place of its record in the project's feed.
        at: When, in UTC.
        by: Who did it.
        kind: One of `KINDS`.
        says: A sentence.
        idea: The number of the idea that it is about; None where it is about none.
        title: The title of that idea; empty where it has none.
        problem: The problem that it is about; empty where it is about none.
        money: What it is about, in money a year; None where no money can be named.
        currency: The currency of that.
        gate: "opened" or "closed" where it moved a gate; else None.
        asks: The roles whose sign-off it now takes.
    """

    project: str
    seq: int
    at: datetime
    by: str
    kind: str
    says: str
    idea: int | None = None
    title: str = ""
    problem: str = ""
    money: float | None = None
    currency: str = ""
    gate: str | None = None
    asks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "at": self.at.isoformat(), "asks": list(self.asks)}


def records_from(records: RecordStore, since: datetime) -> Iterator[Record]:
    """The records that were written at an instant or later, without reading those from before."""
    low, high = 0, records.head().seq
    while low < high:
        middle = (low + high) // 2
        if records.since(middle, 1)[0].at < since:
            low = middle + 1
        else:
            high = middle
    return (record for record in feed(records, low) if record.at >= since)


class Teller:
    """Tells what the records of one project say."""

    def __init__(self, project: Project, ideas: Callable[[], Mapping[int, Idea]] | None = None) -> None:
        """Names the project; its ideas are asked for, or read, when the first record is told."""
        self._project = project
        self._asked_for = ideas or (lambda: numbered_ideas(project))
        self._told_last: dict[str, Record] = {}

    def told(self, record: Record) -> Happening | None:
        """What a record says; None where it says nothing that people wait for."""
        said = _SAYS[record.kind](self, record) if record.kind in _SAYS else None
        if said is None:
            return None
        about = {"project": self._project.space, "seq": record.seq, "at": record.at, "by": record.by}
        return Happening(**{"kind": record.kind, **about, **said})

    @cached_property
    def _ideas(self) -> Mapping[int, Idea]:
        try:
            return self._asked_for()
        except InvalidInputError:  # somebody is just writing one
            return {}

    @cached_property
    def _terms(self) -> Mapping[str, Terms]:
        return terms_of(self._project)

    def _about(self, record: Record) -> tuple[str, dict[str, Any]]:
        """The idea of a record, named, and what is known of it."""
        number = int(record.key)
        title, problem = self._called(number)
        named = f"Idea {number}" + (f" ({title})" if title else "")
        return named, {"idea": number, "title": title, "problem": problem}

    def _called(self, number: int) -> tuple[str, str]:
        """The title and the problem of an idea, as they are now; empty where it is gone."""
        idea = self._ideas.get(number)
        return ("", "") if idea is None else (idea.title, idea.problem)

    def _asked(self, gate: str) -> tuple[str, ...]:
        asked = self._project.settings.get("signoffs", {}).get(gate, [])
        return tuple(map(str, asked))

    def _before(self, record: Record) -> Mapping[str, Any]:
        if record.version == 1:
            return {}
        version, records = record.version - 1, self._project.records
        last = self._told_last.get(record.key)
        if last is None or last.version != version:
            last = records.get(record.kind, record.key, at=record.at - _MOMENT)
        if last is None or last.version != version:  # two within a moment, or a clock that was put back
            last = records.history(record.kind, record.key)[version - 1]
        return last.body

    def _idea(self, record: Record) -> dict[str, Any] | None:
        named, about = self._about(record)
        before = self._before(record)
        self._told_last[record.key] = record
        if record.body.get("lock") and not before.get("lock"):
            says = f"{named}: what counts as success is locked; research began."
        elif record.version == 1:
            says = f"{record.by} began {_lower(named)}."
        elif record.body.get("text") != before.get("text"):
            says = f"{record.by} wrote {_lower(named)} anew."
        else:
            return None
        return {"says": says, **about}

    def _data(self, record: Record) -> dict[str, Any]:
        named, about = self._about(record)
        gaps = record.body["gaps"]
        if gaps:
            return {"says": f"{named} cannot be tested: {gaps[0][0]}", "gate": "closed", **about}
        asks = self._asked("research")
        return {
            "says": f"{named} can be tested with the data.{_signing(asks)}",
            "gate": "opened",
            "asks": asks,
            **about,
        }

    def _research(self, record: Record) -> dict[str, Any]:
        named, about = self._about(record)
        return {"says": f"{named} was replayed over {record.body['periods']:,} periods.", **about}

    def _verdict(self, record: Record) -> dict[str, Any]:
        named, about = self._about(record)
        found = read_analysis(record)
        verdict, ships = found.verdict, found.verdict.decision is Decision.SHIP
        says, money = f"{named}: the verdict is {verdict.decision}.", None
        if verdict.probability_of_harm is not None and verdict.criteria.units_per_year:
            year = verdict.per_year()
            money, step = year.gain, verdict.step_of_year()
            amount, way = amount_of(abs(money), found.currency, step), "less" if money < 0.0 else "more"
            says += f" It earns {amount} {way} a year ({figure(year.low, step)} to {figure(year.high, step)})."
        asks = self._asked("ship") if ships else ()
        gate = "opened" if ships else "closed"
        more = {"money": money, "currency": found.currency, "gate": gate, "asks": asks}
        return {"says": says + _signing(asks), **more, **about}

    def _override(self, record: Record) -> dict[str, Any]:
        named, about = self._about(record)
        to, instead = record.body["to"], record.body["instead_of"]
        if record.body["seconds"] is None:
            says = f"{record.by} asks to {to} {_lower(named)} although the verdict was {instead}: {record.body['why']}"
            return {"says": f"{says.rstrip('.')}.{TO_AGREE}", **about}
        gate = "opened" if to == "ship" else "closed"
        return {
            "says": f"{record.by} agreed to {to} {_lower(named)}, whose verdict was {instead}.",
            "gate": gate,
            **about,
        }

    def _signoff(self, record: Record) -> dict[str, Any]:
        named, about = self._about(record)
        body = record.body
        did = "took back the sign-off" if body.get("withdrawn") else "signed"
        return {
            "says": f"{record.by} {did} for {body.get('gate', '')} of {_lower(named)}, as {spoken(body.get('role', ''))}.",
            **about,
        }

    def _rollout(self, record: Record) -> dict[str, Any]:
        body, problem = record.body, record.key
        phase, idea = Phase(body["phase"]), body.get("idea")
        what = f"Idea {int(idea)}" if idea else "The baseline"
        title = self._called(int(idea))[0] if idea else ""
        named = f"{what} ({title})" if title else what
        is_back = phase in {Phase.ROLLED_BACK, Phase.RETIRED}
        went = {Phase.LIVE: "is live", Phase.PAUSED: "was paused", Phase.ROLLED_BACK: "was rolled back"}
        where = went.get(phase, "was retired" if phase is Phase.RETIRED else f"went into {phase}")
        about = {"idea": int(idea) if idea else None, "title": title, "problem": problem}
        asks = self._asked("live") if phase in {Phase.CANARY, Phase.SWITCHBACK} else ()
        kind = "rollback" if is_back else "rollout"
        return {
            "kind": kind,
            "says": f"{named} {where} for {problem}. {_upper(sentence(body['why']))}{_signing(asks)}",
            "asks": asks,
            **about,
        }

    def _alert(self, record: Record) -> dict[str, Any] | None:
        body, problem = record.body, record.key
        opened = [alert for alert in map(Alert.from_dict, body["open"]) if alert.key in body["opened"]]
        terms = self._terms.get(problem, Terms())
        at_risk = [alert.money_at_risk for alert in opened if alert.money_at_risk is not None]
        parts = [f"{problem}: {alert.what}" for alert in opened]
        parts += [f"{problem}: the alert {key!r} is over." for key in body["closed"]]
        if not parts:
            return None
        if at_risk:
            parts.append(f"Up to {terms.says(max(at_risk))} a period is at risk.")
        money = terms.a_year(max(at_risk), "period") if at_risk else None
        return {"says": " ".join(parts), "problem": problem, "money": money, "currency": terms.currency}

    def _comment(self, record: Record) -> dict[str, Any] | None:
        number = record.key.partition("/")[0]
        if not number.isdigit():
            return None
        title, problem = self._called(int(number))
        named = f"idea {int(number)}" + (f" ({title})" if title else "")
        return {"says": f"{record.by} commented on {named}.", "idea": int(number), "title": title, "problem": problem}


_SAYS: Mapping[str, Any] = {
    "idea": Teller._idea,
    "data": Teller._data,
    "research": Teller._research,
    "verdict": Teller._verdict,
    "override": Teller._override,
    "signoff": Teller._signoff,
    "rollout": Teller._rollout,
    "alert": Teller._alert,
    "comment": Teller._comment,
}


def _lower(named: str) -> str:
    return named[0].lower() + named[1:]


def _upper(says: str) -> str:
    return says[0].upper() + says[1:]


def _signing(asks: tuple[str, ...]) -> str:
    return f" To be signed by: {', '.join(map(spoken, asks))}." if asks else ""
