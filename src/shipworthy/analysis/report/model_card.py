"""The model card of a challenger: what it is for, how it was judged, and what is not known of it (Mitchell et al. 2019)."""

from __future__ import annotations

from pathlib import Path

from shipworthy.analysis.report import data_facts
from shipworthy.analysis.report.findings import Findings
from shipworthy.analysis.report.markdown import lay_out_markdown
from shipworthy.analysis.report.policy_facts import fall_rows, policy_facts
from shipworthy.analysis.report.regret import regret_note, regret_of
from shipworthy.analysis.report.story import Story
from shipworthy.analysis.report.told import told

_TEMPLATE = Path(__file__).with_name("model_card.md.jinja")


def render_card(findings: Findings) -> str:
    """Lays out the model card as Markdown; what nobody told is said to be unknown.

    Its sections are those of Mitchell et al. 2019, Model Cards for Model Reporting (FAT* '19), section 4.

    Raises:
        UnavailableError: The extra `report` is not installed.
    """
    story = findings if isinstance(findings, Story) else None
    return lay_out_markdown(
        _TEMPLATE,
        **told(findings),
        policy=policy_facts(story) if story else [],
        falls=fall_rows(story) if story else [],
        rows=data_facts.rows(story.data) if story else [],
        drifts=data_facts.drifts(story.data) if story else [],
        regret=regret_note(story) if story and regret_of(story) else "",
    )
