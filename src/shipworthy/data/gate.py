"""The gate from Data to Research: can the idea be proved with the data that are there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.data.contract_file import contract_digest
from shipworthy.ideas.gate import missing as missing_idea
from shipworthy.ideas.idea import Idea
from shipworthy.ideas.lock import criteria_of, read_lock
from shipworthy.ideas.signoff import About, Gate, unsigned
from shipworthy.project import Gap, Project
from shipworthy.store import canonical, digest


def missing(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is still missing before research may start; empty means open.

    Args:
        project: Where the answer is recorded.
        idea: The idea as its file says it now.
        code: The digest of the code as it is now, where the caller has loaded it. Only then the contract is compared too:
            what is shipped already rests on the code and the contract of its day.
    """
    before = unproved(project, idea, code)
    return before or unsigned(project, idea, Gate.RESEARCH, lambda: to_sign(project, idea))


def to_sign(project: Project, idea: Idea) -> About:
    """What is signed before research: what is about to be locked, and, as long as it is not, in which words.

    Once it is locked, the words may be improved; what would be a deviation has to be signed anew.
    """
    examined = project.records.get("data", idea.key)
    terms = examined.body.get("terms") if examined else None
    words = [idea.title, idea.change, idea.because]
    found = {"the idea's criteria": criteria_of(idea), "the problem's terms": terms}
    if read_lock(project, idea.key) is None:
        found["its text"] = words
    return {name: digest(canonical(value)) for name, value in found.items()}


def unproved(project: Project, idea: Idea, code: str | None = None) -> list[Gap]:
    """What is missing but for sign-offs: it has to be there before anybody signs."""
    before = missing_idea(idea)
    if before:
        return before
    again = f"Run `shipworthy data {idea.number}`."
    record = project.records.get("data", idea.key)
    if record is None:
        return [Gap("The data have not been examined for this idea.", again)]
    outdated = _outdated(project, idea, record.body, code)
    return [Gap(outdated, again)] if outdated else [Gap(*gap) for gap in record.body["gaps"]]


def _outdated(project: Project, idea: Idea, examined: Mapping[str, Any], code: str | None) -> str | None:
    """What changed since the data were examined; None where nothing did."""
    if (examined["problem"], examined["challenger"]) != (idea.problem, idea.challenger):
        return "The idea names another problem or challenger than the one that was examined."
    for names in ("guardrails", "segments"):
        if set(getattr(idea, names)) - set(examined.get(names, [])):
            return f"The idea names {names} that were not there when the data were examined."
    if code is None:
        return None
    if code != examined["code"]:
        return "The code changed since the data were examined."
    if contract_digest(project, idea.problem) != examined.get("contract"):
        return "The contract changed since the data were examined."
    return None
