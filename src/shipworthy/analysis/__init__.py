"""Stage 4, Analysis: did the challenger really improve on what runs today?

The verdict is of use without the rest: `verdict(frame, Criteria(...))` judges any paired table of periods and units. So
are the live trials: `judge_shadow`, `judge_canary` and `judge_switchback` judge tables of what was decided.
Names are imported when they are first used, so that asking this stage's gate costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipworthy.analysis.criteria import Criteria as Criteria
    from shipworthy.analysis.criteria import Margin as Margin
    from shipworthy.analysis.decision import Decision as Decision
    from shipworthy.analysis.exposure import Exposure as Exposure
    from shipworthy.analysis.gain import Gain as Gain
    from shipworthy.analysis.guardrail import GuardrailState as GuardrailState
    from shipworthy.analysis.guardrail import GuardrailVerdict as GuardrailVerdict
    from shipworthy.analysis.simulate import simulate_evidence as simulate_evidence
    from shipworthy.analysis.simulation import Design as Design
    from shipworthy.analysis.simulation import Simulation as Simulation
    from shipworthy.analysis.trials.canary import judge_canary as judge_canary
    from shipworthy.analysis.trials.schedule import SwitchbackPlan as SwitchbackPlan
    from shipworthy.analysis.trials.shadow import judge_shadow as judge_shadow
    from shipworthy.analysis.trials.switchback import judge_switchback as judge_switchback
    from shipworthy.analysis.trials.switchback import plan_switchback as plan_switchback
    from shipworthy.analysis.trials.trial_verdict import TrialDecision as TrialDecision
    from shipworthy.analysis.trials.trial_verdict import TrialVerdict as TrialVerdict
    from shipworthy.analysis.verdicts import Verdict as Verdict
    from shipworthy.analysis.verdicts import verdict as verdict

_HOME_OF = {
    "Criteria": "criteria",
    "Decision": "decision",
    "Design": "simulation",
    "Exposure": "exposure",
    "Gain": "gain",
    "GuardrailState": "guardrail",
    "GuardrailVerdict": "guardrail",
    "Margin": "criteria",
    "Simulation": "simulation",
    "SwitchbackPlan": "trials.schedule",
    "TrialDecision": "trials.trial_verdict",
    "TrialVerdict": "trials.trial_verdict",
    "Verdict": "verdicts",
    "judge_canary": "trials.canary",
    "judge_shadow": "trials.shadow",
    "judge_switchback": "trials.switchback",
    "plan_switchback": "trials.switchback",
    "simulate_evidence": "simulate",
    "verdict": "verdicts",
}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  (the names are written once, in _HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
