"""Override of a verdict: two people set a decision aside, say why, and it stands on record for ever.

One person asks, another one seconds. An override is about one verdict on one evidence: new evidence needs a new one. Where
`[signoffs] proved` is set, both have to be let in by a server, as with sign-offs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipworthy.analysis.decision import Decision
from shipworthy.errors import DeniedError, InvalidInputError, PreconditionError
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.register import find_idea
from shipworthy.ideas.signoff import is_same_person
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.research.gate import missing as missing_research
from shipworthy.store import Change, Record

KIND = "override"
_TO = (Decision.SHIP, Decision.STOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A verdict that was set aside, or is about to be.

    Attributes:
        to: What is decided instead: ship or stop.
        instead_of: What the verdict said.
        evidence: The evidence that the verdict was about.
        code: The digest of the code that was judged.
        why: The reason.
        asked_by: Who asked for it.
        asked_at: When, in UTC.
        seconded_by: The other person; None while it waits for one, and until then it counts for nothing.
        seconded_at: When, in UTC.
        proved: Whether a server had let in everybody who stands behind it.
        has_to_be_proved: Whether it counts for nothing otherwise.
    """

    to: Decision
    instead_of: Decision
    evidence: str
    code: str
    why: str
    asked_by: str
    asked_at: datetime
    seconded_by: str | None = None
    seconded_at: datetime | None = None
    proved: bool = False
    has_to_be_proved: bool = False

    @property
    def counts(self) -> bool:
        """Whether a second person stands behind it, and both are who they say where that has to be proved.

        >>> from datetime import UTC
        >>> asked = {"evidence": "e", "code": "c", "why": "a contract", "asked_by": "ann", "asked_at": datetime.now(UTC)}
        >>> Override(to=Decision.SHIP, instead_of=Decision.STOP, **asked).counts
        False
        """
        return self.seconded_by is not None and self.can_count

    @property
    def can_count(self) -> bool:
        """Whether those who stand behind it so far are who they say, as far as that has to be proved."""
        return self.proved or not self.has_to_be_proved

    @property
    def sentence(self) -> str:
        """What it says, for people."""
        asked = (
            f"The verdict was {self.instead_of}; {self.asked_by} asked to {self.to} instead on {self.asked_at:%Y-%m-%d}"
        )
        said = f"The reason: {self.why}"
        if not self.can_count:
            agreed = "" if self.seconded_by is None else f", and {self.seconded_by} agreed"
            return f"{asked}{agreed}, and not everybody had signed in at the server, so it does not count. {said}"
        if self.seconded_at is None:
            return f"{asked}, and no second person has agreed yet, so it does not count. {said}"
        return f"{asked}, and {self.seconded_by} agreed on {self.seconded_at:%Y-%m-%d}: {self.why}"

    def to_dict(self) -> dict[str, Any]:
        """The override as JSON can hold it."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        instants = {name: at.isoformat() for name, at in fields.items() if isinstance(at, datetime)}
        return {**fields, "to": str(self.to), "instead_of": str(self.instead_of), **instants}


def ask_override(project: Project, number: int, to: Decision, why: str, *, proved: bool = False) -> Override:
    """Asks to set the verdict of an idea aside; it counts once another person has seconded it.

    Args:
        project: The project; whoever acts in it asks.
        number: The idea's number.
        to: What shall be decided instead.
        why: The reason.
        proved: Whether a server let the person sign in.

    Raises:
        DeniedError: a name that nobody proved counts for nothing in this project.
        GateClosedError: there is no verdict about the evidence as it stands.
        InvalidInputError: there is no reason, the verdict says the same already, or the evidence is invalid.
        PreconditionError: somebody else asked in the same instant.
    """
    _require_proof(project, number, proved=proved)
    idea = find_idea(project, number)
    judged = _judged(project, idea)
    decision = Decision(judged.body["verdict"]["decision"])
    if not why.strip():
        raise InvalidInputError("An override needs a reason that stands for ever in the report. Say why.")
    if to not in _TO:
        raise InvalidInputError(f"A verdict cannot be overridden to {to!s}. Say {' or '.join(_TO)}.")
    if decision is Decision.INVALID:
        raise InvalidInputError(
            f"The evidence of idea {number} is invalid, and nobody can decide on it. Mend it, then research and analyse again."
        )
    if decision is to:
        raise InvalidInputError(f"The verdict of idea {number} is {to!s} already; there is nothing to override.")
    body = {
        "to": str(to),
        "instead_of": str(decision),
        "evidence": judged.body["evidence"],
        "code": judged.body["code"],
        "why": why.strip(),
        "seconds": None,
        "proved": proved,
    }
    before = project.records.get(KIND, idea.key)
    change = Change(kind=KIND, key=idea.key, body=body, expect=before.version if before else 0)
    project.records.add(change, by=project.who)
    return overrides(project, idea)[-1]


def second_override(project: Project, number: int, *, proved: bool = False) -> Override:
    """Agrees, as a second person, to what was asked last; from then on it counts.

    Args:
        project: The project; whoever acts in it agrees.
        number: The idea's number.
        proved: Whether a server let the person sign in.

    Raises:
        DeniedError: a name that nobody proved counts for nothing in this project.
        PreconditionError: nobody asked, it is seconded already, it is about other evidence than today's, or the second
            person is the first one.
    """
    _require_proof(project, number, proved=proved)
    idea = find_idea(project, number)
    judged = _judged(project, idea)
    history = overrides(project, idea)
    asked = history[-1] if history else None
    if asked is None or asked.seconded_by is not None:
        raise PreconditionError(
            f"Nobody has asked to override the verdict of idea {number}. Ask: shipworthy override {number} --to ship --why '...'."
        )
    if not _is_about(asked, judged.body):
        raise PreconditionError(
            f"What was asked for idea {number} is about an older verdict. Look at today's, and ask again if it still holds."
        )
    if not asked.can_count:
        raise PreconditionError(
            f"{asked.asked_by} had not signed in at the server when asking to override the verdict of idea {number}, and here "
            "only that counts. Ask again, there."
        )
    if is_same_person(project.who, asked.asked_by):
        raise PreconditionError(
            f"{asked.asked_by} asked for it, and an override takes two. Let another person second it, under a name of their "
            "own (SHIPWORTHY_USER)."
        )
    record = project.records.get(KIND, idea.key)
    assert record is not None, "an override was asked for"
    body = {**record.body, "seconds": record.version, "proved": proved}
    project.records.add(Change(kind=KIND, key=idea.key, body=body, expect=record.version), by=project.who)
    return overrides(project, idea)[-1]


def overrides(project: Project, idea: Idea) -> tuple[Override, ...]:
    """Every override that was ever asked for of an idea's verdicts, the oldest first."""
    return _read(project.records.history(KIND, idea.key), has_to_be_proved=project.settings["signoffs"]["proved"])


def standing_override(project: Project, idea: Idea, judged: Record) -> Override | None:
    """The last override of exactly this verdict, seconded or not; None where there is none."""
    return standing(overrides(project, idea), judged.body)


def standing(asked: Sequence[Override], judged: Mapping[str, Any]) -> Override | None:
    """The last of some overrides that is about exactly this verdict, as its record has it; None where none is."""
    found = [one for one in asked if _is_about(one, judged)]
    return found[-1] if found else None


def gap_of(project: Project, idea: Idea, judged: Record) -> Gap | None:
    """What a verdict, and an override of it, leave missing before the idea may ship; None where nothing is missing."""
    verdict = judged.body["verdict"]
    override = standing_override(project, idea, judged)
    decision = override.to if override is not None and override.counts else Decision(verdict["decision"])
    if decision is Decision.SHIP:
        return None
    if override is not None and override.counts:
        return Gap(f"The verdict was overridden. {override.sentence}", "Only a verdict to ship opens this gate.")
    if override is not None:
        return Gap(override.sentence, _remedy(idea, override))
    reasons = "".join(f"\n      {reason}" for reason in verdict["reasons"][:2])
    return Gap(f"The verdict is: {verdict['decision']}.{reasons}", "Only a verdict to ship opens this gate.")


def _remedy(idea: Idea, override: Override) -> str:
    if not override.can_count:
        return "Sign in at the server and ask again there; a second person agrees there too."
    if override.has_to_be_proved:
        return "Let a second person sign in at the server and agree there."
    return f"Let a second person run `shipworthy override {idea.number} --second`."


def _require_proof(project: Project, number: int, *, proved: bool) -> None:
    if project.settings["signoffs"]["proved"] and not proved:
        raise DeniedError(
            f"The verdict of idea {number} is overridden by two people who signed in at the server: [signoffs] proved asks for "
            "that, and anybody can say a name here. Sign in, and ask or agree on the idea's page or over REST."
        )


def _judged(project: Project, idea: Idea) -> Record:
    gate = f"Analysis to an override for idea {idea.number}"
    refuse_closed(gate, missing_research(project, idea))
    judged, researched = (project.records.get(kind, idea.key) for kind in ("verdict", "research"))
    if judged is None or researched is None or judged.body["evidence"] != researched.body["evidence"]:
        missing = Gap(
            "There is no verdict about the evidence as it stands.", f"Run `shipworthy analyse {idea.number}`."
        )
        refuse_closed(gate, [missing])
    assert judged is not None, "the gate is open"
    return judged


def _is_about(override: Override, judged: Mapping[str, Any]) -> bool:
    """Whether an override is about this verdict: the same decision on the same evidence of the same code."""
    about = (judged["evidence"], judged["code"], judged["verdict"]["decision"])
    return (override.evidence, override.code, str(override.instead_of)) == about


def _read(history: Sequence[Record], *, has_to_be_proved: bool) -> tuple[Override, ...]:
    """One override for each version that asked, with who seconded it."""
    seconds = {record.body["seconds"]: record for record in history if record.body["seconds"] is not None}
    found = []
    for record in history:
        if record.body["seconds"] is not None:
            continue
        second = seconds.get(record.version)
        body = record.body
        found.append(
            Override(
                to=Decision(body["to"]),
                instead_of=Decision(body["instead_of"]),
                evidence=body["evidence"],
                code=body["code"],
                why=body["why"],
                asked_by=record.by,
                asked_at=record.at,
                seconded_by=second.by if second else None,
                seconded_at=second.at if second else None,
                proved=all(one.body.get("proved", False) for one in (record, second) if one is not None),
                has_to_be_proved=has_to_be_proved,
            )
        )
    return tuple(found)
