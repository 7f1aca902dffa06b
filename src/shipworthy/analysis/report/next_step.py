"""What happens next, in a sentence: by the decision, the same in every face."""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.sentences import a_period, each_period, waiting
from shipworthy.analysis.report.story import Story

_SAYS: Mapping[Decision, str] = {
    Decision.SHIP: "Step by step: into shadow, where nobody feels it, then to a share of periods, then to all; each on evidence.",
    Decision.STOP: "What runs today stays as it is. The idea stays on record, so that nobody proves it again.",
    Decision.INCONCLUSIVE: "Nothing changes for now. Judge again when there is more history, or let a live trial tell.",
    Decision.INVALID: "Repair the evidence and judge it again; until then nothing can be said of the idea.",
}


def next_step(findings: Findings) -> str:
    """What is to be done: what the verdict asks for, or the two people who set it aside."""
    override = findings.override if isinstance(findings, Story) else None
    if override is None:
        return _SAYS[findings.verdict.decision]
    return f"The verdict was overridden. {_SAYS[override.to]}"


def next_command(findings: Findings) -> str | None:
    """What to type for it; None where nothing is to be typed, or where there is no project."""
    if not isinstance(findings, Story):
        return None
    override, number = findings.override, findings.idea.number
    commands = {Decision.SHIP: f"shipworthy ship {number}", Decision.INVALID: f"shipworthy research {number}"}
    return commands.get(override.to if override else findings.verdict.decision)


def cost_of_waiting(findings: Findings) -> str | None:
    """What it costs to wait; None where there is nothing to wait for, or where nobody can tell."""
    if findings.verdict.decision is not Decision.SHIP:
        return waiting(findings)
    return f"If the gain is real, {a_period(findings)} that it waits forgoes {each_period(findings)[0]}."
