"""An idea opened for research: the gate from Data asked and the code loaded; the snapshot is read once it is needed."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.data.gate import missing as missing_data
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Replay, code_digest
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.code import Code, load_problem
from shipworthy.step import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An idea whose gate to Research is open.

    Attributes:
        project: The project.
        idea: The idea as its file says it now.
        code: The code that declares its problem.
        problem: The problem.
        snapshot: The object that holds the rows that were examined.
    """

    project: Project
    idea: Idea
    code: Code
    problem: Problem
    snapshot: str

    @property
    def policies(self) -> dict[str, str]:
        """The policy of each role."""
        return {"champion": str(self.problem.champion), "challenger": self.idea.challenger}

    def replay(self) -> Replay:
        """What a replay needs; this reads the snapshot."""
        history = History(self.problem, open_snapshot(self.project, self.snapshot))
        return Replay(
            project=self.project, code=self.code, problem=self.problem, snapshot=self.snapshot, history=history
        )


def open_idea(project: Project, number: int) -> Opened:
    """Opens an idea for research.

    Raises:
        GateClosedError: the data stage still misses something, or the holdout is not the one that was locked.
    """
    idea = find_idea(project, number)
    gate = f"Data to Research for idea {number}"
    refuse_closed(gate, missing_data(project, idea))
    code, problem = load_problem(project, idea.problem)
    refuse_closed(gate, missing_data(project, idea, code_digest(code, problem, idea.challenger)))
    refuse_closed(gate, _unsealed(project, idea, problem))
    examined = project.records.get("data", idea.key)
    assert examined is not None, "the gate from Data was open"
    return Opened(project=project, idea=idea, code=code, problem=problem, snapshot=examined.body["snapshot"])


def _unsealed(project: Project, idea: Idea, problem: Problem) -> list[Gap]:
    """Whether the idea would be replayed under another holdout than the one it was locked with."""
    locked = locked_criteria(project, idea)
    if locked is None or locked.get("holdout") == problem.terms["holdout"]:
        return []
    then, now = (said or "none" for said in (locked.get("holdout"), problem.terms["holdout"]))
    what = f"The holdout was locked as {then} when research started; the problem now says {now}."
    return [Gap(what, "Put it back, or begin a new idea.")]
