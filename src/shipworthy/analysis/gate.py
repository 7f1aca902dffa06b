"""The gate from Analysis to Ship: did the challenger really improve on what runs today?"""

from __future__ import annotations

from shipworthy.analysis.override import gap_of, standing_override
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.signoff import About, Gate, unsigned
from shipworthy.project import Gap, Project
from shipworthy.research.gate import missing as missing_research


def missing(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is still missing before the challenger may be shipped; empty means open."""
    before = undecided(project, idea, code)
    return before or unsigned(project, idea, Gate.SHIP, lambda: to_sign(project, idea))


def to_sign(project: Project, idea: Idea) -> About:
    """What is signed before an idea is shipped: the verdict, and the override of it that counts."""
    judged = project.records.get("verdict", idea.key)
    if judged is None:
        return {"the verdict": ""}
    override = standing_override(project, idea, judged)
    counts = override.sentence if override is not None and override.counts else ""
    decision = judged.body["verdict"]["decision"]
    return {
        "the evidence": judged.body["evidence"],
        "the code": judged.body["code"],
        "the decision": f"{decision} {counts}",
    }


def undecided(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is missing but for sign-offs of the verdict: it has to be there before anybody signs."""
    before = missing_research(project, idea, code)
    if before:
        return before
    again = f"Run `shipworthy analyse {idea.number}`."
    record = project.records.get("verdict", idea.key)
    researched = project.records.get("research", idea.key)
    if record is None or researched is None:
        return [Gap("There is no verdict yet.", again)]
    if record.body["evidence"] != researched.body["evidence"]:
        return [Gap("The verdict is about older evidence.", again)]
    if record.body["code"] != researched.body["code"]:
        return [Gap("The verdict was reached with other code, perhaps with other margins.", again)]
    gap = gap_of(project, idea, record)
    return [gap] if gap else []
