"""An idea opened for research: the gate from Data asked, the code loaded, the snapshot read."""

from __future__ import annotations

from shipworthy.data.gate import missing as missing_data
from shipworthy.data.snapshot import open_snapshot
from shipworthy.engine import Replay, code_digest
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Problem
from shipworthy.project import Gap, Project, refuse_closed
from shipworthy.project.code import load_problem
from shipworthy.step import History


def open_replay(project: Project, number: int) -> tuple[Idea, Replay]:
    """The idea, and what a replay of it needs.

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
    snapshot = examined.body["snapshot"]
    history = History(problem, open_snapshot(project, snapshot))
    return idea, Replay(project=project, code=code, problem=problem, snapshot=snapshot, history=history)


def _unsealed(project: Project, idea: Idea, problem: Problem) -> list[Gap]:
    """Whether the idea would be replayed under another holdout than the one it was locked with."""
    locked = locked_criteria(project, idea)
    if locked is None or locked.get("holdout") == problem.terms["holdout"]:
        return []
    then, now = (said or "none" for said in (locked.get("holdout"), problem.terms["holdout"]))
    what = f"The holdout was locked as {then} when research started; the problem now says {now}."
    return [Gap(what, "Put it back, or begin a new idea.")]
