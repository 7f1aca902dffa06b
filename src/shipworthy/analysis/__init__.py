"""Stage 4, analysis: did the challenger really improve on what runs today?"""

from shipworthy.analysis.analyse import Analysis, analyse_idea, read_analysis
from shipworthy.analysis.criteria import Criteria, Margin
from shipworthy.analysis.exposure import Exposure, Half
from shipworthy.analysis.gate import missing
from shipworthy.analysis.guardrail import GuardrailState, GuardrailVerdict
from shipworthy.analysis.judgement import Decision
from shipworthy.analysis.verdict import Gain, Verdict, verdict

__all__ = [
    "Analysis",
    "Criteria",
    "Decision",
    "Exposure",
    "Gain",
    "GuardrailState",
    "GuardrailVerdict",
    "Half",
    "Margin",
    "Verdict",
    "analyse_idea",
    "missing",
    "read_analysis",
    "verdict",
]
