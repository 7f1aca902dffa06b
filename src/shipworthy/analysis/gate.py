"""The gate from Analysis to Ship: did the challenger really improve on what runs today?"""

from __future__ import annotations

from shipworthy.analysis.override import gap_of
from shipworthy.ideas.idea import Idea
from shipworthy.project import Gap, Project
from shipworthy.research.gate import missing as missing_research


def missing(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is still missing before the challenger may be shipped; empty means open."""
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
