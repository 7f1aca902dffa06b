"""Sign-offs: who of which role stands behind what a gate is about, for as long as that stays what it was.

A sign-off is about digests: of what counts as success, of a verdict, of the release on trial. When one of them changes, the
sign-off is void, and the gate says who has to sign again and why. Each is a version of one record per idea, so that the
history keeps who signed what, and who took it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shipworthy.errors import PreconditionError
from shipworthy.ideas.idea import Idea
from shipworthy.project import Gap, Project
from shipworthy.project.role import Role
from shipworthy.store import Change

KIND = "signoff"
About = Mapping[str, str]
"""What is signed: the digest, or the name, of each thing, by what people call it."""


class Gate(StrEnum):
    """A gate that asks for sign-offs, by where it leads.

    >>> Gate.SHIP.about
    'the verdict'
    """

    RESEARCH = "research"
    SHIP = "ship"
    LIVE = "live"

    @property
    def about(self) -> str:
        """What is signed there, for people."""
        return {"research": "what counts as success", "ship": "the verdict", "live": "that it goes live"}[self.value]


_GATES, _ROLES = frozenset(map(str, Gate)), frozenset(map(str, Role))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signoff:
    """Somebody's word at a gate.

    Attributes:
        gate: At which gate.
        role: In which role.
        by: Who.
        at: When, in UTC.
        about: What was signed.
        proved: Whether a server had let that person sign in.
    """

    gate: Gate
    role: Role
    by: str
    at: datetime
    about: About
    proved: bool

    def changed(self, about: About) -> list[str]:
        """What is not any more what was signed; empty where the sign-off stands."""
        return [name for name, value in about.items() if self.about.get(name) != value]

    @property
    def sentence(self) -> str:
        """What it says, for people."""
        return f"{self.by} ({self.role}) signed {self.gate.about} on {self.at:%Y-%m-%d}"

    def to_dict(self) -> dict[str, Any]:
        """The sign-off as JSON can hold it."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, "gate": str(self.gate), "role": str(self.role), "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class Unsigned(Gap):
    """A sign-off that a gate still misses.

    Attributes:
        gate: The gate.
        role: Whose; empty where anybody's would do who does not take the step.
    """

    gate: str = ""
    role: str = ""


def note_signoff(project: Project, idea: Idea, gate: Gate, role: Role, about: About, *, proved: bool) -> Signoff:
    """Records that whoever acts in this project signs what a gate is about."""
    body = {"gate": str(gate), "role": str(role), "about": dict(about), "proved": proved, "withdrawn": False}
    project.records.add(Change(kind=KIND, key=idea.key, body=body), by=project.who)
    return signoffs(project, idea)[-1]


def withdraw(project: Project, idea: Idea, gate: Gate, role: Role) -> None:
    """Takes back what the same person signed; what moved on it meanwhile stays where it is.

    Raises:
        PreconditionError: that person has not signed there in that role.
    """
    mine = [one for one in signoffs(project, idea) if one.gate is gate and one.role is role]
    if not any(is_same_person(one.by, project.who) for one in mine):
        others = "; ".join(one.sentence for one in mine) or f"nobody signed {gate.about} as {role}"
        raise PreconditionError(f"{project.who} has nothing to withdraw of idea {idea.number}: {others}.")
    body = {"gate": str(gate), "role": str(role), "about": {}, "proved": False, "withdrawn": True}
    project.records.add(Change(kind=KIND, key=idea.key, body=body), by=project.who)


def signoffs(project: Project, idea: Idea) -> list[Signoff]:
    """The last word of each person in each role at each gate, the oldest first, without those that were withdrawn."""
    last: dict[tuple[str, ...], Signoff | None] = {}
    for record in project.records.history(KIND, idea.key):
        body = record.body
        if body["gate"] not in _GATES or body["role"] not in _ROLES:  # another version's word: it opens nothing here
            continue
        whose = (body["gate"], body["role"], _person(record.by))
        last.pop(whose, None)
        last[whose] = (
            None
            if body["withdrawn"]
            else Signoff(
                gate=Gate(body["gate"]),
                role=Role(body["role"]),
                by=record.by,
                at=record.at,
                about=body["about"],
                proved=body["proved"],
            )
        )
    return [one for one in last.values() if one is not None]


def unsigned(
    project: Project, idea: Idea, gate: Gate, about: Callable[[], About], *, taker: str | None = None
) -> list[Gap]:
    """The sign-offs that the project, or its workspace, asks for at a gate and that do not stand.

    Args:
        project: The project.
        idea: The idea.
        gate: The gate.
        about: Gives what is to be signed, as it is now; asked only where a sign-off is.
        taker: Who takes the step; with `four_eyes`, somebody else has to have signed, and where names are to be `proved`, which
            the taker's is not, two people. None asks for no other.
    """
    asked = project.settings["signoffs"]
    four_eyes = taker is not None and asked["four_eyes"]
    if not asked[gate] and not four_eyes:
        return []
    signed, now = [one for one in signoffs(project, idea) if one.gate is gate], about()
    counted = [one for one in signed if not one.changed(now) and (one.proved or not asked["proved"])]
    gaps: list[Gap] = []
    for role in map(Role, asked[gate]):
        if not any(one.role is role for one in counted):
            why = _why([one for one in signed if one.role is role], gate, role, now)
            gaps.append(Unsigned(why, _remedy(idea, gate, str(role), proved=asked["proved"]), gate, role))
    if four_eyes and not gaps and (why := _too_few_eyes({_person(one.by) for one in counted}, gate, str(taker), asked)):
        gaps.append(Unsigned(why, _remedy(idea, gate, "ROLE", proved=asked["proved"]), gate))
    return gaps


def _too_few_eyes(signed: set[str], gate: Gate, taker: str, asked: Mapping[str, Any]) -> str:
    """Why too few people stand behind a step; who takes it counts only where a name need not be proved."""
    if asked["proved"]:
        few = f"{len(signed)} of two people signed {gate.about}; who takes the step may sign too."
        return few if len(signed) < 2 else ""
    return "" if signed - {_person(taker)} else f"{taker} takes this step, and nobody else has signed {gate.about}."


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are one person's.

    >>> is_same_person("Ann", "ann ")
    True
    """
    return _person(one) == _person(other)


def _person(name: str) -> str:
    return name.strip().casefold()


def _why(signed: list[Signoff], gate: Gate, role: Role, now: About) -> str:
    """Why a role's sign-off is missing: nobody gave one, or what was signed is not there any more."""
    void = [one for one in signed if one.changed(now)]
    if void and len(void) == len(signed):
        last = void[-1]
        changed = _listed(last.changed(now))
        return f"The {role} has to sign {gate.about} again: {changed} changed since {last.by} signed on {last.at:%Y-%m-%d}."
    if signed:
        return (
            f"The {role} has not signed {gate.about} at a server, and elsewhere anybody can say {signed[-1].by}'s name."
        )
    return f"The {role} has not signed {gate.about}."


def _remedy(idea: Idea, gate: Gate, role: str, *, proved: bool) -> str:
    whose = f'"{role}"' if " " in role else role
    if proved:
        return f"Sign in at the server and sign there, for {gate} as {whose}."
    return f"Sign with `shipworthy sign {idea.number} --for {gate} --as {whose}`."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
