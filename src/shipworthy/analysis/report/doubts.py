"""What could be wrong with a verdict, in sentences: the same ones in every face."""

from __future__ import annotations

from typing import NamedTuple

from shipworthy.analysis.decision import Decision
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.replayed import noise_sentence
from shipworthy.analysis.report.sentences import stability
from shipworthy.analysis.report.story import Story

_AS_LOCKED = "What counts as success was locked before research, and nothing departs from it."


class Doubt(NamedTuple):
    """One thing that could be wrong.

    Attributes:
        begins: The words that are set apart; empty where nothing is.
        says: The rest of the sentence.
    """

    begins: str
    says: str

    def __str__(self) -> str:
        """The whole sentence."""
        return f"{self.begins} {self.says}".strip()


def doubts(findings: Findings) -> list[Doubt]:
    """What could be wrong, what weighs most first."""
    of_project = _of_project(findings) if isinstance(findings, Story) else []
    says = [*findings.verdict.notes, stability(findings)]
    if isinstance(findings, Story):
        says.append(noise_sentence(findings))
    if findings.verdict.exposure:
        says.append(findings.verdict.exposure.sentence)
    return of_project + [Doubt("", sentence) for sentence in says if sentence]


def without_guardrails(findings: Findings) -> str:
    """Why no guardrail stands in the report."""
    if findings.is_withheld:
        return "Sealed with the holdout."
    if findings.verdict.decision is Decision.INVALID:
        return "None was judged."
    return "The problem declares none." if isinstance(findings, Story) else "None was given."


def _of_project(story: Story) -> list[Doubt]:
    departs = [Doubt("Departs from what was locked:", deviation) for deviation in story.deviations]
    overridden = [Doubt("Overridden.", override.sentence) for override in story.overrides]
    found = overridden + (departs or [Doubt("", _AS_LOCKED)])
    if story.analysis.budget:
        sentence = story.analysis.budget.sentence
        found.append(Doubt("Many ideas on one history:", f"{sentence}."))
    if story.is_code_changed:
        found.append(Doubt("The code has changed", "since this verdict; it speaks of the code as it was."))
    return found
