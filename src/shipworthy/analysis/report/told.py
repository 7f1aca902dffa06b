"""What every face tells that is laid out from a template, by the names that templates know it by."""

from __future__ import annotations

from typing import Any

from shipworthy.analysis.report import sentences, tables
from shipworthy.analysis.report.assumed import assumption_facts, turns
from shipworthy.analysis.report.doubts import doubts, without_guardrails
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.next_step import cost_of_waiting, next_command, next_step
from shipworthy.analysis.report.provenance import again, commands, digests
from shipworthy.analysis.report.rests_on import rests_on
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.report.tiles import tiles


def told(findings: Findings) -> dict[str, Any]:
    """The findings with their words, figures and tables; what only a project knows is empty without one."""
    story = findings if isinstance(findings, Story) else None
    return {
        "findings": findings,
        "story": story,
        "verdict": findings.verdict,
        "say": sentences,
        "tables": tables,
        "tiles": tiles(findings),
        "doubts": doubts(findings),
        "without_guardrails": without_guardrails(findings),
        "turns": turns(findings),
        "assumptions": assumption_facts(story) if story else [],
        "segments": tables.segment_says(findings),
        "next_step": next_step(findings),
        "next_command": next_command(findings),
        "cost_of_waiting": cost_of_waiting(findings),
        "rests_on": rests_on(findings),
        "digests": digests(findings),
        "commands": commands(findings),
        "again": again(findings),
    }
