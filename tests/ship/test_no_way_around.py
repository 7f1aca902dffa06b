"""No path to live leads around a closed gate: every sequence of verbs, edits and live periods is tried at random.

The machine below keeps an account of its own of what was examined, researched and judged, by whom it was carried, with
which code and data. It never asks a gate. After each step it looks at the moves that the rollout made, and holds each
of them against that account. The kiosk's truth is known besides: only the policy `weekday` earns more, only where the
guardrail is generous.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from statistics import fmean, stdev
from types import ModuleType
from typing import Any, ClassVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from starlette.applications import Starlette
from starlette.testclient import TestClient

import shipworthy.analysis.analyse
import shipworthy.analysis.gate
import shipworthy.analysis.override
import shipworthy.data.gate
import shipworthy.research.gate
import shipworthy.research.opening
import shipworthy.ship.advance
import shipworthy.ship.parity
import shipworthy.ship.ship
import shipworthy.workspace.jobs
from shipworthy.analysis.analyse import analyse_idea
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.override import ask_override, second_override
from shipworthy.api.table import routes
from shipworthy.data.examine import examine_data
from shipworthy.errors import ShipworthyError
from shipworthy.ideas.signoff import Gate as SignedGate
from shipworthy.project import Gap, Project, open_project
from shipworthy.project.role import Role
from shipworthy.research.research import research_idea
from shipworthy.ship.advance import advance
from shipworthy.ship.back import pause_idea, resume_idea, retire_idea, roll_back
from shipworthy.ship.gate import missing as missing_live
from shipworthy.ship.parity import Parity
from shipworthy.ship.reading import LiveReading
from shipworthy.ship.release import Release
from shipworthy.ship.rollout import Phase as Rolled
from shipworthy.ship.rollout import Rollout, rollout_history
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.signing import sign, withdraw_signoff
from shipworthy.workspace.desk import Desk
from shipworthy.workspace.principal import local
from shipworthy.workspace.running import Ended
from shipworthy.workspace.workspace import Workspace
from tests.cli.typed import typed
from tests.ship import kiosk

IDEAS = (1, 2)
PEOPLE = ("ann", "ben")
WALKS = os.environ.get("SHIPWORTHY_WALKS", "30")
EXAMPLES = 300 if WALKS == "full" else int(WALKS)
GAIN_PER_UNIT = 1.0
"""The smallest gain worth shipping of every idea: 2 per period, for two breads."""

CODES = {"generous": 20.0, "remarked": 20.0, "strict": 0.5}
ROWS = {"long": (120, 7), "other": (120, 8), "short": (7, 7)}


@dataclass(frozen=True)
class Walked:
    """What an answer was about: the policy, the code and the data."""

    challenger: str
    code: str
    data: str

    @property
    def same_evidence(self) -> tuple[str, str]:
        """A remark in the code, or another margin, leaves the evidence as it is."""
        return self.challenger, self.data

    @property
    def is_worth_it(self) -> bool:
        """What is true of the kiosk, whatever any gate may say."""
        return self.challenger == "weekday" and self.code != "strict" and self.data != "short"


@dataclass(frozen=True)
class Asked:
    """An override that somebody asked for: of which verdict, to what."""

    about: tuple[Walked | None, str]
    to: str
    who: str


@dataclass
class Account:
    """What was done for one idea, as the machine saw it."""

    challenger: str
    examined: Walked | None = None
    testable: bool = False
    researched: Walked | None = None
    judged: Walked | None = None
    decision: str = ""
    on_trial: Walked | None = None
    taken_back: bool = False
    asked: Asked | None = None
    agreed: Asked | None = None

    @property
    def outcome(self) -> str:
        """What the verdict says, or two people who set exactly this verdict aside."""
        about = (self.judged, self.decision)
        return self.agreed.to if self.agreed is not None and self.agreed.about == about else self.decision

    def is_open(self) -> bool:
        """Whether data, research and verdict all speak for the idea as its file names it now."""
        return (
            self.examined is not None
            and self.examined.challenger == self.challenger
            and self.testable
            and self.researched == self.examined
            and self.judged == self.researched
            and self.outcome == "ship"
        )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk whose replays are computed already, for every code and data; nothing is recorded in it."""
    folder = kiosk.lay(tmp_path_factory.mktemp("kiosk"))
    for code, margin in CODES.items():
        for days, seed in ROWS.values():
            kiosk.write_code(folder, margin=margin, remark="# \n" if code == "remarked" else "")
            kiosk.write_rows(folder, days=days, seed=seed)
            for number, challenger in enumerate(("weekday", "one"), start=1):
                kiosk.write_idea(folder, number, challenger)
                project = open_project(folder)
                with _refused():
                    examine_data(project, number)
                    research_idea(project, number)
                project.records.close()
    for leftover in (*folder.glob("ideas/*"), *folder.glob(".shipworthy/records.db*")):
        leftover.unlink()
    return folder


class Walk(RuleBasedStateMachine):
    """All verbs, edits and live periods, in any order."""

    template: Path
    reached: ClassVar[set[Rolled]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        copytree(self.template, folder, dirs_exist_ok=True)
        with (folder / "shipworthy.toml").open("a", encoding="utf-8") as file:
            file.write("[rollout]\nautomatic = true\n")
        self.folder = folder
        self.project: Project = open_project(folder)
        self.code, self.data = "generous", "long"
        self.accounts = {number: Account("weekday") for number in IDEAS}
        self.parity = True
        self.proven: set[str] = set()
        self.gains: list[float] = []
        self.in_step = 0
        self.days = 0
        self.vetted = 0
        self.stack.enter_context(mock.patch.object(shipworthy.ship.parity, "prove_parity", self._prove_parity))

    def teardown(self) -> None:
        """Lets go of the store and of the folder."""
        self.project.records.close()
        self.stack.close()

    def _prove_parity(self, project: Project, release: Release) -> Parity:
        if self.parity:
            self.proven.add(release.id)
            return Parity(periods=10, equal=10, tied=0, broken=())
        return Parity(periods=10, equal=9, tied=0, broken=("2025-05-01: the server decided otherwise",))

    def _now(self, number: int) -> Walked:
        return Walked(self.accounts[number].challenger, self.code, self.data)

    @initialize()
    def write_ideas(self) -> None:
        """Both ideas are carried by the good policy at first."""
        kiosk.write_code(self.folder, margin=CODES[self.code])
        kiosk.write_rows(self.folder)
        for number in IDEAS:
            kiosk.write_idea(self.folder, number)

    # Edits

    @rule(number=st.sampled_from(IDEAS), challenger=st.sampled_from(["weekday", "weekday", "one", "nosy"]))
    def edit_idea(self, number: int, challenger: str) -> None:
        """Somebody changes which policy carries the idea."""
        self.accounts[number].challenger = challenger
        kiosk.write_idea(self.folder, number, challenger)

    @rule(number=st.sampled_from(IDEAS), gain=st.sampled_from([2.0, 1000.0]))
    def edit_criteria(self, number: int, gain: float) -> None:
        """Somebody changes what would be worth shipping, after it was locked: judged is by what was locked."""
        if self.accounts[number].researched is not None:
            kiosk.write_idea(self.folder, number, self.accounts[number].challenger, gain)

    @rule(code=st.sampled_from(["generous", *CODES]))
    def edit_code(self, code: str) -> None:
        """Somebody edits the problem: a remark, or the margin of its guardrail."""
        self.code = code
        kiosk.write_code(self.folder, margin=CODES[code], remark="# \n" if code == "remarked" else "")

    @rule(data=st.sampled_from(["long", *ROWS]))
    def edit_rows(self, data: str) -> None:
        """The rows change under the project."""
        self.data = data
        days, seed = ROWS[data]
        kiosk.write_rows(self.folder, days=days, seed=seed)

    @rule(holds=st.sampled_from([True, True, False]))
    def edit_parity(self, holds: bool) -> None:
        """The packaged server decides like the replay, or does not."""
        self.parity = holds

    # Verbs

    @rule(number=st.sampled_from(IDEAS))
    def examine(self, number: int) -> None:
        """`data`."""
        with _refused():
            testable = self._examine(number)
            account = self.accounts[number]
            account.examined, account.testable = self._now(number), testable

    @rule(number=st.sampled_from(IDEAS))
    def research(self, number: int) -> None:
        """`research`."""
        with _refused():
            self._research(number)
            account = self.accounts[number]
            assert account.testable, "research of an idea that the data stage refused"
            assert account.examined.code == self.code, "research with code that was not examined"
            account.researched = account.examined

    @rule(number=st.sampled_from(IDEAS))
    def analyse(self, number: int) -> None:
        """`analyse`."""
        with _refused():
            decision = self._analyse(number)
            account = self.accounts[number]
            account.judged, account.decision = replace(account.researched, code=self.code), decision

    @rule(number=st.sampled_from(IDEAS))
    def walk(self, number: int) -> None:
        """The three stages in a row, so that deep states are common."""
        self.examine(number)
        self.research(number)
        self.analyse(number)

    @rule(
        number=st.sampled_from(IDEAS),
        to=st.sampled_from(["ship", "stop"]),
        second=st.sampled_from([*PEOPLE, None]),
    )
    def set_aside(self, number: int, to: str, second: str | None) -> None:
        """The verdict is overridden, by one person alone or by two."""
        self.ask(number, to, PEOPLE[0])
        if second is not None:
            self.second(number, second)

    def ask(self, number: int, to: str, who: str) -> None:
        """`override --to`: one person wants to set the verdict aside."""
        with _refused():
            self._ask(number, to, who)
            account = self.accounts[number]
            account.asked = Asked((account.judged, account.decision), to, who)

    def second(self, number: int, who: str) -> None:
        """`override --second`: somebody agrees."""
        with _refused():
            self._second(number, who)
            account = self.accounts[number]
            assert account.asked is not None, "nobody asked for this override"
            assert account.asked.who != who, "one person alone overrode a verdict"
            account.agreed = account.asked

    @rule(number=st.sampled_from(IDEAS))
    def ship(self, number: int) -> None:
        """`ship`."""
        before = self._moves()
        try:
            self._ship(number)
        except ShipworthyError:
            assert not self._must_ship(number, before), f"idea {number} has every gate open and was refused"
        self.no_move_leads_around_a_gate()

    @rule()
    def take_back(self) -> None:
        """`rollback`."""
        with _refused():
            self._roll_back()
        self.no_move_leads_around_a_gate()

    @rule()
    def advance(self) -> None:
        """The rollout moves by itself, or does not."""
        before = self._moves()
        with _refused():
            advance(self.project, "kiosk")
        self.no_move_leads_around_a_gate()
        watched = before and before[-1].challenger is not None and before[-1].phase is not Rolled.PAUSED
        if watched and len(self.gains) >= 30 and self._is_harmful():
            assert self._moves()[-1].phase in {Rolled.ROLLED_BACK, Rolled.PAUSED}, "harm went on"

    @rule(number=st.sampled_from(IDEAS))
    def pause(self, number: int) -> None:
        """`ship --pause`."""
        with _refused():
            self._pause(number)

    @rule(number=st.sampled_from(IDEAS))
    def resume(self, number: int) -> None:
        """`ship --resume`."""
        with _refused():
            self._resume(number)

    @rule(number=st.sampled_from(IDEAS))
    def retire(self, number: int) -> None:
        """`retire`."""
        before = self._moves()
        with _refused():
            self._retire(number)
            assert before[-1].phase not in {Rolled.SHADOW, Rolled.CANARY, Rolled.PAUSED}, "retired while on trial"

    @rule(gain=st.sampled_from([0.0, -13.0, 13.0, 13.0]), days=st.sampled_from([5, 30]))
    def let_live(self, gain: float, days: int) -> None:
        """Live periods with outcomes: the new release earns more, the same or less."""
        moves = self._moves()
        if moves and moves[-1].challenger is not None and moves[-1].phase is not Rolled.PAUSED:
            kiosk.live(self.project, self.days, [gain] * days)
            self.days += days
            self.in_step += days
            self.gains += [gain] * days

    @rule(number=st.sampled_from(IDEAS), phases=st.integers(1, 3), halt=st.booleans())
    def go_on(self, number: int, phases: int, halt: bool) -> None:
        """Some phases further by all that is right and proper, as far as the edits of before allow it."""
        self.walk(number)
        for _ in range(phases):
            self.let_live(13.0, 30)
            self.ship(number)
        if halt:
            self.pause(number)
            self.no_move_leads_around_a_gate()
            self.resume(number)

    # How the verbs are asked for: here in Python

    def _examine(self, number: int) -> bool:
        return examine_data(self.project, number).is_testable

    def _research(self, number: int) -> None:
        research_idea(self.project, number)

    def _analyse(self, number: int) -> str:
        return str(analyse_idea(self.project, number).verdict.decision)

    def _ask(self, number: int, to: str, who: str) -> None:
        with self._as(who):
            ask_override(self.project, number, Decision(to), "a reason")

    def _second(self, number: int, who: str) -> None:
        with self._as(who):
            second_override(self.project, number)

    def _as(self, who: str) -> AbstractContextManager[Any]:
        return mock.patch.dict(self.project.__dict__, who=who)

    def _ship(self, number: int) -> None:
        ship_idea(self.project, number)

    def _roll_back(self) -> None:
        roll_back(self.project, "kiosk", "a rule says so")

    def _pause(self, number: int) -> None:
        pause_idea(self.project, number, "a rule says so")

    def _resume(self, number: int) -> None:
        resume_idea(self.project, number, "a rule says so")

    def _retire(self, number: int) -> None:
        retire_idea(self.project, number, "a rule says so")

    # What must hold

    @invariant()
    def no_move_leads_around_a_gate(self) -> None:
        """Each new move has everything behind it, at the moment when it is made."""
        moves = self._moves()
        for before, move in zip([None, *moves], moves, strict=False):
            if move.version > self.vetted:
                self._vet(moves, before, move)
                self.in_step = 0
        self.vetted = len(moves)

    def _vet(self, moves: list[Rollout], before: Rollout | None, move: Rollout) -> None:
        if move.idea is not None:
            self.reached.add(move.phase)
        if move.phase in {Rolled.ROLLED_BACK, Rolled.RETIRED}:
            self.accounts[int(move.idea)].taken_back = True
            assert move.challenger is None, "what was taken back still decides"
            return
        if move.phase is Rolled.PAUSED:
            assert move.arms_of("2026-01-01", list(kiosk.BREADS)) == "champion", "what is paused answers"
            assert move.champion == (before.challenger if before.phase is Rolled.LIVE else before.champion)
            return
        if before is not None and before.phase is Rolled.PAUSED:
            stood = next(one for one in reversed(moves[: before.version]) if one.phase is not Rolled.PAUSED)
            assert (move.step, move.champion, move.challenger) == (stood.step, stood.champion, stood.challenger)
            assert move.trigger is None, "resumed by itself"
            self.gains = []
            return
        if move.idea is None:
            assert before is None, "the baseline is the first move only"
            assert move.champion in self.proven, "a baseline that is not proven"
            return
        account = self.accounts[int(move.idea)]
        assert account.is_open(), f"{move.phase} around a gate: {account}"
        assert account.decision != "ship" or account.judged.is_worth_it, (
            f"{move.phase} of what is not worth it: {account}"
        )
        assert not account.taken_back, "a rollback is sticky"
        release = move.champion if move.phase is Rolled.LIVE else move.challenger
        assert release in self.proven, "a release without parity"
        if move.phase is Rolled.SHADOW:
            assert account.judged.code == self.code, "a release of code that was not judged"
            assert before.phase in {Rolled.LIVE, Rolled.ROLLED_BACK, Rolled.RETIRED}, "two ideas on one decision"
            account.on_trial = account.judged
            self.gains = []
            return
        assert account.judged.same_evidence == account.on_trial.same_evidence, "a verdict about another release"
        assert (before.idea, before.phase.next) == (move.idea, move.phase), "a phase was left out"
        assert self.in_step >= 14, "too few live periods"
        assert not self._is_harmful()
        if move.phase is Rolled.LIVE or move.trigger is not None:
            assert self._is_proven(), f"live on inconclusive periods: {self.gains}"

    def _must_ship(self, number: int, moves: list[Rollout]) -> bool:
        """Whether nothing at all speaks against the next phase: the gates must not be closed for ever either."""
        account = self.accounts[number]
        if not (account.is_open() and account.judged.is_worth_it) or account.taken_back:
            return False
        if not moves:
            return self.parity and account.judged.code == self.code
        now = moves[-1]
        if now.idea != f"{number:04d}" or now.phase.next is None:
            return False
        good = len(self.gains) >= 28 and set(self.gains) == {13.0} and self.in_step >= 14
        return good and account.judged.same_evidence == account.on_trial.same_evidence

    def _is_proven(self) -> bool:
        """A plain 95 % interval, which is narrower than any that may be looked at daily."""
        spread = stdev(self.gains) / len(self.gains) ** 0.5
        return len(self.gains) >= 28 and fmean(self.gains) - 1.96 * spread > GAIN_PER_UNIT

    def _is_harmful(self) -> bool:
        return set(self.gains) == {-13.0}

    def _moves(self) -> list[Rollout]:
        return list(rollout_history(self.project, "kiosk"))


@dataclass(frozen=True)
class Signature:
    """Somebody's word: about what, in which role, by whom."""

    gate: str
    role: str
    who: str
    about: object


class SignedWalk(Walk):
    """The same in a project that asks for sign-offs; `ann` takes every step by hand."""

    asked: ClassVar[dict[str, str]] = {"research": "product manager", "ship": "analyst", "live": "product manager"}

    def __init__(self) -> None:
        super().__init__()
        roles = "".join(f"{gate} = ['{role}']\n" for gate, role in self.asked.items())
        with (self.folder / "shipworthy.toml").open("a", encoding="utf-8") as file:
            file.write(f"[signoffs]\n{roles}four_eyes = true\n")
        self.project.records.close()
        self.project = open_project(self.folder)
        self.gains_asked = dict.fromkeys(IDEAS, 2.0)
        self.margins: dict[int, float] = {}
        self.signed: dict[int, list[Signature]] = {number: [] for number in IDEAS}

    @rule(
        number=st.sampled_from(IDEAS),
        gate=st.sampled_from(list(asked)),
        role=st.sampled_from(sorted({*asked.values()})),
        who=st.sampled_from(PEOPLE),
    )
    def sign(self, number: int, gate: str, role: str, who: str) -> None:
        """`sign`."""
        with _refused(), self._as(who):
            sign(self.project, number, SignedGate(gate), Role(role))
            self.signed[number].append(Signature(gate, role, who, self._about(number, gate)))

    @rule(number=st.sampled_from(IDEAS), gate=st.sampled_from(list(asked)), who=st.sampled_from(PEOPLE))
    def withdraw(self, number: int, gate: str, who: str) -> None:
        """`sign --withdraw`."""
        role = self.asked[gate]
        with _refused(), self._as(who):
            withdraw_signoff(self.project, number, SignedGate(gate), Role(role))
        gone = [one for one in self.signed[number] if (one.gate, one.role, one.who) == (gate, role, who)]
        self.signed[number] = [one for one in self.signed[number] if one not in gone]

    @rule(number=st.sampled_from(IDEAS), phases=st.integers(1, 3), halt=st.booleans())
    def go_on(self, number: int, phases: int, halt: bool) -> None:
        """Some phases further by all that is right and proper, signatures included."""
        self.sign_all(number, "research")
        self.walk(number)
        self.sign_all(number, "ship")
        for _ in range(phases):
            self.let_live(13.0, 30)
            self.sign_all(number, "live")
            self.ship(number)
        if halt:
            self.pause(number)
            self.no_move_leads_around_a_gate()
            self.resume(number)

    def sign_all(self, number: int, gate: str) -> None:
        """Somebody of the right role signs, who does not take the step, after whatever has to be there was done."""
        if gate == "research":
            self.examine(number)
        self.sign(number, gate, self.asked[gate], "ben")

    def edit_idea(self, number: int, challenger: str) -> None:
        """See `Walk`; the file that is written says what it said at first."""
        super().edit_idea(number, challenger)
        self.gains_asked[number] = 2.0

    def edit_criteria(self, number: int, gain: float) -> None:
        """Somebody changes what would be worth shipping, before it was locked too."""
        kiosk.write_idea(self.folder, number, self.accounts[number].challenger, gain)
        self.gains_asked[number] = gain

    def examine(self, number: int) -> None:
        """See `Walk`; the margins that the problem has then are what is signed."""
        before = self.accounts[number].examined
        super().examine(number)
        if self.accounts[number].examined is not before:
            self.margins[number] = CODES[self.code]

    def research(self, number: int) -> None:
        """See `Walk`; nobody researches what nobody signed."""
        before = self.accounts[number].researched
        super().research(number)
        if self.accounts[number].researched is not before:
            assert self._is_signed(number, "research"), "research of what nobody signed"

    def _about(self, number: int, gate: str) -> object:
        account, moves = self.accounts[number], self._moves()
        if gate == "research":
            return account.challenger, self.gains_asked[number], self.margins.get(number)
        if gate == "ship":
            verdict = (account.judged, account.decision)
            agreed = account.agreed if account.agreed is not None and account.agreed.about == verdict else None
            return verdict, agreed
        trial = moves[-1]
        since = next(
            (
                after.version
                for move, after in zip(reversed(moves[:-1]), reversed(moves), strict=False)
                if (move.phase, move.challenger) != (trial.phase, trial.challenger)
            ),
            1,
        )
        return trial.challenger, since

    def _is_signed(self, number: int, gate: str, about: object = None, *, but_for: str = "") -> bool:
        """Whether the right role stands behind a gate; with four eyes, one of two has to be somebody else."""
        about = about or self._about(number, gate)
        stand = [
            one for one in self.signed[number] if (one.gate, one.about) == (gate, about) and self._is_last(number, one)
        ]
        return any(one.role == self.asked[gate] for one in stand) and any(one.who != but_for for one in stand)

    def _is_last(self, number: int, one: Signature) -> bool:
        """Whether somebody's word is his last one there."""
        same = [
            other
            for other in self.signed[number]
            if (other.gate, other.role, other.who) == (one.gate, one.role, one.who)
        ]
        return same[-1] is one

    def _vet(self, moves: list[Rollout], before: Rollout | None, move: Rollout) -> None:
        super()._vet(moves, before, move)
        resumed = before is not None and before.phase is Rolled.PAUSED
        if move.idea is None or resumed or move.phase not in {Rolled.SHADOW, Rolled.CANARY, Rolled.LIVE}:
            return
        number = int(move.idea)
        for gate in ("research", "ship"):
            assert self._is_signed(number, gate), f"{move.phase} of what nobody signed for {gate}"
        if move.phase is Rolled.LIVE:
            with mock.patch.object(self, "_moves", return_value=moves[: move.version - 1]):
                about = self._about(number, "live")
            taker = "" if move.trigger is not None else "ann"
            assert self._is_signed(number, "live", about, but_for=taker), "live of what nobody else signed"

    def _must_ship(self, number: int, moves: list[Rollout]) -> bool:
        gates = ["research", "ship"]
        if moves and moves[-1].phase is Rolled.CANARY:
            gates.append("live")
        return super()._must_ship(number, moves) and all(
            self._is_signed(number, gate, but_for="ann" if gate == "live" else "") for gate in gates
        )

    def _ship(self, number: int) -> None:
        with self._as("ann"):
            super()._ship(number)


class TypedWalk(Walk):
    """The same, asked for on the command line."""

    def _examine(self, number: int) -> bool:
        return bool(self._typed("data", number, "--json")["is_testable"])

    def _research(self, number: int) -> None:
        self._typed("research", number, "--json")

    def _analyse(self, number: int) -> str:
        return str(self._typed("analyse", number, "--no-report", "--json")["decision"])

    def _ask(self, number: int, to: str, who: str) -> None:
        with mock.patch.dict(os.environ, SHIPWORTHY_USER=who):
            self._typed("override", number, "--to", to, "--why", "a reason", "--json")

    def _second(self, number: int, who: str) -> None:
        with mock.patch.dict(os.environ, SHIPWORTHY_USER=who):
            self._typed("override", number, "--second", "--json")

    def _ship(self, number: int) -> None:
        self._typed("ship", number, "--json")

    def _roll_back(self) -> None:
        self._typed("rollback", "kiosk", "--json")

    def _pause(self, number: int) -> None:
        self._typed("ship", number, "--pause", "--json")

    def _resume(self, number: int) -> None:
        self._typed("ship", number, "--resume", "--json")

    def _retire(self, number: int) -> None:
        self._typed("retire", number, "--why", "a rule says so", "--json")

    def _typed(self, *words: object) -> Any:
        said = typed(self.folder, *words)
        if not said.out:
            assert said.code in {2, 3, 4, 5}, said.err
            raise ShipworthyError(said.err)
        return said.json


class AskedWalk(TypedWalk):
    """The same, asked for over HTTP; what a job would give to the command line is given to it in this process."""

    def __init__(self) -> None:
        super().__init__()
        self.stack.enter_context(mock.patch.object(shipworthy.workspace.jobs, "run", self._run))
        self.desk = Desk(Workspace(root=self.folder, name="w", address="w.db", projects={"kiosk": self.project}))
        self.stack.callback(self.desk.close)

    def _typed(self, *words: object) -> Any:
        """Asks the endpoint of the verb in place of the command line."""
        verb, *rest = map(str, words)
        body: dict[str, Any] = {}
        options = iter(word for word in rest if word != "--json")
        for word in options:
            if not word.startswith("--"):
                body["problem" if verb == "rollback" else "number"] = word if verb == "rollback" else int(word)
            elif word.startswith("--no-"):
                body[word.removeprefix("--no-")] = False
            else:
                valued = word in ("--to", "--why")
                body[word.removeprefix("--")] = next(options) if valued else True
        with _client(self.desk, os.environ.get("SHIPWORTHY_USER", "tester")) as client:
            path = f"/api/v1/projects/kiosk/verbs/{verb}"
            got = client.post(path, json=body, headers={"Prefer": "wait=60"})
        if got.status_code != 200:
            assert got.status_code in {404, 409, 412, 422}, got.text
            raise ShipworthyError(got.text)
        return got.json()["answer"]

    def _run(self, words: Sequence[str], folder: Path, environment: Mapping[str, str], *bounds: object) -> Ended:
        with mock.patch.dict(os.environ, SHIPWORTHY_USER=environment["SHIPWORTHY_USER"]):
            said = typed(folder, *words)
        return Ended(said.code, said.out.encode(), said.err)


@contextmanager
def _client(desk: Desk, who: str) -> Iterator[TestClient]:
    """The API over a desk, asked by somebody who is everything there."""
    app = Starlette(routes=routes())
    app.state.desk = desk

    async def known(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["principal"] = local(who)
        await app(scope, receive, send)

    with TestClient(known) as client:
        yield client


@contextmanager
def _refused() -> Iterator[None]:
    """A verb may be refused, by one of our own errors; anything else is a defect."""
    with suppress(ShipworthyError):
        yield


def _holds(project: Project, release_id: str) -> Parity:
    return Parity(periods=10, equal=10, tied=0, broken=())


def _open_if_read(phase: Rolled, reading: LiveReading | None, periods: int) -> list[Gap]:
    return [] if reading is not None else missing_live(phase, reading, periods)


def _ignored(*asked: object, taker: object = None) -> list[Gap]:
    return []


def _open(*asked: object) -> list[Gap]:
    return []


@dataclass(frozen=True)
class Gate:
    """Where a gate is asked, what stands there instead when it is gone, and the words in which the walk complains."""

    module: ModuleType
    name: str
    complains: str
    instead: Callable[..., Any] = _open


ASKED_BY_SHIP = Gate(shipworthy.ship.ship, "missing_analysis", "around a gate")
RESEARCH = Gate(shipworthy.analysis.gate, "missing_research", "around a gate")
DATA = Gate(shipworthy.research.gate, "missing_data", "code that was not judged")
ASKED_BY_RESEARCH = Gate(shipworthy.research.opening, "missing_data", "the data stage refused")
BLOCKED = Gate(shipworthy.ship.ship, "_blocked", "two ideas|sticky")
PARITY = Gate(shipworthy.ship.ship, "require_parity", "proven", _holds)
LIVE = Gate(shipworthy.ship.ship, "missing", "too few|_is_harmful|inconclusive", _open_if_read)
TWO_PEOPLE = Gate(shipworthy.analysis.override, "is_same_person", "one person alone", lambda *names: False)
SAME = Gate(shipworthy.ship.ship, "_walked_again", "about another release")

PROVEN = Gate(shipworthy.ship.advance, "_pairs", "inconclusive", lambda *asked: False)

IN_SHADOW = ("walk 1", "ship 1")
ATTACKS: dict[str, tuple[Gate, tuple[str, ...]]] = {
    "ship what the verdict stopped": (ASKED_BY_SHIP, ("edit_idea 1 one", "walk 1", "ship 1")),
    "name another challenger and examine again": (RESEARCH, ("walk 1", "edit_idea 1 one", "examine 1", "ship 1")),
    "ship on the word of one": (
        ASKED_BY_SHIP,
        ("edit_idea 1 one", "walk 1", "ask 1 ship ann", "ship 1"),
    ),
    "change the code after the verdict": (DATA, ("walk 1", "edit_code strict", "ship 1")),
    "research what leaks": (ASKED_BY_RESEARCH, ("edit_idea 1 nosy", "examine 1", "research 1")),
    "two ideas at once": (BLOCKED, (*IN_SHADOW, "walk 2", "ship 2")),
    "again after a rollback": (
        BLOCKED,
        (*IN_SHADOW, "take_back", "walk 2", "ship 2", "take_back", "ship 1"),
    ),
    "without parity": (PARITY, ("edit_parity 0", "walk 1", "ship 1")),
    "on few periods": (LIVE, (*IN_SHADOW, "let_live 13 5", "ship 1")),
    "on harm": (LIVE, (*IN_SHADOW, "let_live -13 30", "ship 1")),
    "on nothing to choose between": (LIVE, (*IN_SHADOW, "let_live 0 30", "ship 1", "let_live 0 30", "ship 1")),
    "by itself on nothing to choose between": (PROVEN, (*IN_SHADOW, "let_live 0 30", "advance")),
    "override with oneself": (TWO_PEOPLE, ("edit_idea 1 one", "walk 1", "ask 1 ship ann", "second 1 ann")),
    "with another release's verdict": (
        SAME,
        (*IN_SHADOW, "let_live 13 30", "edit_rows other", "walk 1", "ship 1"),
    ),
}


SIGNED_IN_CANARY = (
    "sign_all 1 research",
    "walk 1",
    "sign_all 1 ship",
    "ship 1",
    "let_live 13 30",
    "ship 1",
    "let_live 13 30",
)
UNSIGNED_CRITERIA = Gate(shipworthy.data.gate, "unsigned", "nobody signed")
UNSIGNED_VERDICT = Gate(shipworthy.analysis.gate, "unsigned", "nobody signed for ship")
UNSIGNED_TRIAL = Gate(shipworthy.ship.ship, "missing_signoffs", "nobody else signed")

ATTACKS_ON_SIGNATURES: dict[str, tuple[Gate, tuple[str, ...]]] = {
    "research unsigned": (UNSIGNED_CRITERIA, ("examine 1", "research 1")),
    "sign in another role": (UNSIGNED_CRITERIA, ("examine 1", "sign 1 research analyst ben", "research 1")),
    "change what success is after the signature": (
        UNSIGNED_CRITERIA,
        ("sign_all 1 research", "edit_criteria 1 1000", "research 1"),
    ),
    "relax a margin after the signature": (
        UNSIGNED_CRITERIA,
        ("edit_code strict", "sign_all 1 research", "edit_code generous", "examine 1", "research 1"),
    ),
    "research after the signature was withdrawn": (
        UNSIGNED_CRITERIA,
        ("sign_all 1 research", "withdraw 1 research ben", "research 1"),
    ),
    "ship an unsigned verdict": (UNSIGNED_VERDICT, ("sign_all 1 research", "walk 1", "ship 1")),
    "ship another verdict than was signed": (
        UNSIGNED_VERDICT,
        ("sign_all 1 research", "walk 1", "sign_all 1 ship", "edit_rows other", "walk 1", "ship 1"),
    ),
    "go live unsigned": (UNSIGNED_TRIAL, (*SIGNED_IN_CANARY, "ship 1")),
    "go live by itself unsigned": (UNSIGNED_TRIAL, (*SIGNED_IN_CANARY, "advance")),
    "go live on one's own word": (UNSIGNED_TRIAL, (*SIGNED_IN_CANARY, "sign 1 live product-manager ann", "ship 1")),
    "go live on the word of before a pause": (
        UNSIGNED_TRIAL,
        (*SIGNED_IN_CANARY, "sign_all 1 live", "pause 1", "resume 1", "let_live 13 30", "ship 1"),
    ),
}

ONE_A_GATE = ("research unsigned", "ship an unsigned verdict", "go live on one's own word")
NOTICED = tuple(ATTACKS_ON_SIGNATURES) if WALKS == "full" else ONE_A_GATE


def _follow(machine: Walk, steps: tuple[str, ...]) -> None:
    machine.write_ideas()
    for step in steps:
        name, *words = step.split()
        getattr(machine, name)(*(int(word) if word.lstrip("-").isdigit() else word.replace("-", " ") for word in words))
        machine.no_move_leads_around_a_gate()


@pytest.fixture
def walk(template: Path) -> Iterator[Walk]:
    """The machine, moved by hand."""
    machine = type("Walk", (Walk,), {"template": template})()
    yield machine
    machine.teardown()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_finds_the_gate_closed(attack: str, walk: Walk) -> None:
    """Ways around a gate that somebody might think of are refused."""
    _follow(walk, ATTACKS[attack][1])


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_noticed_where_the_gate_is_gone(attack: str, walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the gate away and the same steps lead around it, which the machine's account sees: its invariant can fail."""
    gate, steps = ATTACKS[attack]
    monkeypatch.setattr(gate.module, gate.name, gate.instead)
    with pytest.raises(AssertionError, match=gate.complains):
        _follow(walk, steps)


@pytest.fixture
def signed_walk(template: Path) -> Iterator[SignedWalk]:
    """The machine that asks for sign-offs, moved by hand."""
    machine = type("Walk", (SignedWalk,), {"template": template})()
    yield machine
    machine.teardown()


@pytest.mark.parametrize("attack", ATTACKS_ON_SIGNATURES)
def test_an_attack_on_signatures_finds_the_gate_closed(attack: str, signed_walk: SignedWalk) -> None:
    """Ways around a signature that somebody might think of are refused."""
    _follow(signed_walk, ATTACKS_ON_SIGNATURES[attack][1])


@pytest.mark.parametrize("attack", NOTICED)
def test_an_attack_on_signatures_is_noticed_where_nobody_asks(
    attack: str, signed_walk: SignedWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop asking for the signature and the same steps lead around it, which the machine's account sees."""
    gate, steps = ATTACKS_ON_SIGNATURES[attack]
    monkeypatch.setattr(gate.module, gate.name, _ignored)
    with pytest.raises(AssertionError, match=gate.complains):
        _follow(signed_walk, steps)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "share", "promised"),
    [
        (Walk, 1.0, {Rolled.SHADOW, Rolled.LIVE, Rolled.PAUSED, Rolled.ROLLED_BACK}),
        (TypedWalk, 0.4, {Rolled.SHADOW}),
        (SignedWalk, 0.2, {Rolled.SHADOW, Rolled.LIVE}),
    ],
    ids=["in Python", "on the command line", "with sign-offs"],
)
def test_no_sequence_of_verbs_leads_around_a_gate(
    template: Path, kind: type[Walk], share: float, promised: set[Rolled]
) -> None:
    """Whatever is done in whatever order: shadow, canary and live have every gate open behind them."""
    reached: set[Rolled] = set()
    machine = type("Walk", (kind,), {"template": template, "reached": reached})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(share * EXAMPLES),
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert reached >= promised, "the walk must come as far as it promises to look"
