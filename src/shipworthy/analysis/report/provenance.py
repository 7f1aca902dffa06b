"""Where a verdict comes from, and how it is made again."""

from __future__ import annotations

from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.judged_file import JudgedFile
from shipworthy.analysis.report.story import Story

_AGAIN = "With the same rows and code, these commands give the same digests and the same verdict:"
_FILE_AGAIN = "With the same file, this command gives the same verdict:"


def digests(findings: Findings) -> list[tuple[str, str]]:
    """What the verdict was computed from, by name, and who asked for it."""
    if isinstance(findings, JudgedFile):
        return [("File", findings.file), ("SHA-256", findings.digest)]
    if not isinstance(findings, Story):
        return []
    return [
        ("Snapshot", findings.research.snapshot),
        ("Evidence", findings.analysis.evidence),
        ("Code", findings.analysis.code),
        ("Locked criteria", findings.research.criteria),
        ("Verdict recorded", f"{findings.judged_at:%Y-%m-%d %H:%M:%S} UTC by {findings.judged_by}"),
    ]


def commands(findings: Findings) -> list[str]:
    """What to type: with the same rows and code it gives the same digests and the same verdict."""
    if isinstance(findings, JudgedFile):
        return [findings.command]
    if not isinstance(findings, Story):
        return []
    number, repetitions = findings.idea.number, findings.research.repetitions
    repeated = f" --repetitions {repetitions}" if repetitions > 1 else ""
    return [f"shipworthy data {number}", f"shipworthy research {number}{repeated}", f"shipworthy analyse {number}"]


def again(findings: Findings) -> str:
    """What those commands promise."""
    return _AGAIN if isinstance(findings, Story) else _FILE_AGAIN
