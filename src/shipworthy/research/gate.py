"""The gate from Research to Analysis: is there evidence for the idea as it stands?"""

from __future__ import annotations

from shipworthy.data.gate import missing as missing_data
from shipworthy.ideas.idea import Idea
from shipworthy.project import Gap, Project


def missing(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is still missing before the evidence may be analysed; empty means open."""
    before = missing_data(project, idea, code)
    if before:
        return before
    again = f"Run `shipworthy research {idea.number}`."
    record = project.records.get("research", idea.key)
    examined = project.records.get("data", idea.key)
    if record is None or examined is None:
        return [Gap("There is no evidence for this idea yet.", again)]
    if (record.body["problem"], record.body["challenger"]) != (idea.problem, idea.challenger):
        return [Gap("The evidence is of another problem or challenger than the idea names.", again)]
    if record.body["snapshot"] != examined.body["snapshot"]:
        return [Gap("The evidence is of an older snapshot than the one that was examined.", again)]
    if record.body["code"] != examined.body["code"]:
        return [Gap("The evidence is of other code than was examined.", again)]
    return []
