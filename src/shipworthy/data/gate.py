"""The gate from Data to Research: can the idea be proved with the data that are there?"""

from __future__ import annotations

from shipworthy.ideas.gate import missing as missing_idea
from shipworthy.ideas.idea import Idea
from shipworthy.project import Gap, Project


def missing(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is still missing before research may start; empty means open.

    Args:
        project: Where the answer is recorded.
        idea: The idea as its file says it now.
        code: The digest of the code as it is now, where the caller has loaded it.
    """
    before = missing_idea(idea)
    if before:
        return before
    again = f"Run `shipworthy data {idea.number}`."
    record = project.records.get("data", idea.key)
    if record is None:
        return [Gap("The data have not been examined for this idea.", again)]
    if (record.body["problem"], record.body["challenger"]) != (idea.problem, idea.challenger):
        return [Gap("The idea names another problem or challenger than the one that was examined.", again)]
    if set(idea.guardrails) - set(record.body["guardrails"]):
        return [Gap("The idea names guardrails that were not there when the data were examined.", again)]
    if code is not None and code != record.body["code"]:
        return [Gap("The code changed since the data were examined.", again)]
    return [Gap(*gap) for gap in record.body["gaps"]]
