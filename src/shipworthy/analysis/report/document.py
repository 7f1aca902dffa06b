"""The report for machines: one JSON document, whose fields docs/reports.md names."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from shipworthy.analysis.gain import Gain
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.judged_file import JudgedFile
from shipworthy.analysis.report.provenance import commands
from shipworthy.analysis.report.sentences import HEADLINES, lead
from shipworthy.analysis.report.story import Story
from shipworthy.finite import finite

VERSION = 1
"""It moves when a field goes or changes its meaning; a new field does not move it."""


def render_json(findings: Findings) -> str:
    """Returns the report as JSON, in ASCII; what is unknown, infinite or withheld is null."""
    return json.dumps(finite(_document(findings)), indent=2, allow_nan=False) + "\n"


def _document(findings: Findings) -> dict[str, Any]:
    verdict = findings.verdict
    judged = verdict.to_dict()
    return {
        "format": "shipworthy-report",
        "version": VERSION,
        "title": findings.title,
        "decision": judged["decision"],
        "headline": HEADLINES[verdict.decision],
        "lead": lead(findings),
        "reasons": judged["reasons"],
        "notes": judged["notes"],
        "currency": findings.currency,
        "unit": findings.unit_noun,
        "is_sealed": findings.is_sealed,
        "gain": {
            "per_unit": asdict(Gain(gain=verdict.gain, low=verdict.low, high=verdict.high)),
            "per_period": asdict(verdict.per_period()),
            "per_year": {**asdict(verdict.per_year()), "corrected_low": findings.lowest},
        },
        "standard_error": verdict.se,
        "independent_looks": verdict.nu if findings.has_interval else None,
        "probability_of_harm": verdict.probability_of_harm,
        "worth_shipping_from": findings.smallest,
        "needed": findings.needed,
        "claimed": asdict(findings.claimed) if findings.claimed else None,
        "periods_still_needed": verdict.periods_still_needed,
        "guardrails": judged["guardrails"],
        "exposure": judged["exposure"],
        "criteria": judged["criteria"],
        "file": _file(findings) if isinstance(findings, JudgedFile) else None,
        "project": _project(findings) if isinstance(findings, Story) else None,
    }


def _file(judged: JudgedFile) -> dict[str, Any]:
    """What is known of evidence that came as a file."""
    return {
        "name": judged.file,
        "sha256": judged.digest,
        "rows": judged.rows,
        "columns": dict(judged.columns),
        "command": judged.command,
    }


def _project(story: Story) -> dict[str, Any]:
    """What only the records of a project know."""
    idea, research = story.idea, story.research
    return {
        "idea": idea.number,
        "problem": story.problem.name,
        "champion": story.problem.champion,
        "challenger": idea.challenger,
        "owner": idea.owner,
        "change": idea.change,
        "because": idea.because,
        "deviations": list(story.deviations),
        "overrides": [override.to_dict() for override in story.overrides],
        "is_code_changed": story.is_code_changed,
        "judged_at": story.judged_at.isoformat(),
        "judged_by": story.judged_by,
        "lineage": {
            "snapshot": research.snapshot,
            "criteria": research.criteria,
            "inputs": research.inputs or None,
            "evidence": story.analysis.evidence,
            "code": story.analysis.code,
        },
        "budget": story.analysis.budget.to_dict() if story.analysis.budget else None,
        "break_even": story.analysis.break_even.to_dict() if story.analysis.break_even else None,
        "segments": story.analysis.segments.to_dict() if story.analysis.segments else None,
        "commands": commands(story),
    }
