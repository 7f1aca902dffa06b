"""What `research` and `analyse` send to an MLflow server, where `[mlflow]` of `shipworthy.toml` names one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from shipworthy.analysis.analyse import Analysis
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project
from shipworthy.research.inputs import read_inputs
from shipworthy.research.research import Research, last_research

_RUNS = "shipworthy.research.mlflow_runs"  # imports mlflow, so only where a server is named


def track_research(project: Project, number: int, found: Research) -> None:
    """Logs a run with what was replayed; the regret is that of open periods."""
    metrics: dict[str, float] = {"periods": found.periods, "fits": found.fits, "looks": sum(found.looks.values())}
    metrics |= {f"{role}_seconds": seconds for role, seconds in found.seconds.items()}
    metrics |= {f"{role}_regret_per_period": one["per_period"] for role, one in (found.regret or {}).items()}
    _track(project, number, "research", found, metrics)


def track_analysis(project: Project, number: int, found: Analysis) -> None:
    """Logs a run with the verdict; money and the chance of harm where they may be shown and are known."""
    verdict, gain = found.verdict, found.verdict.per_year()
    metrics = {
        "gain_per_year": gain.gain if verdict.exposure else None,
        "low_per_year": gain.low,
        "high_per_year": gain.high,
        "chance_of_harm": verdict.probability_of_harm,
    }
    known = {name: value for name, value in metrics.items() if value is not None and math.isfinite(value)}
    researched = last_research(project, find_idea(project, number))
    assert researched is not None, "a verdict is about research"
    _track(project, number, "analysis", researched, known, decision=str(verdict.decision))


def _track(
    project: Project, number: int, stage: str, found: Research, metrics: Mapping[str, float], **tags: str
) -> None:
    """Logs a run; whatever goes wrong is one line on stderr, since everything is recorded here already."""
    server = project.settings["mlflow"]
    if not server["tracking_uri"]:
        return
    try:
        import_module(_RUNS).log_run(
            server["tracking_uri"],
            server["experiment"],
            f"{stage}-{found.idea}",
            params=_params(project, found),
            metrics=metrics,
            tags={"title": find_idea(project, number).title, "stage": stage, **tags},
        )
    except Exception as error:  # noqa: BLE001  (another's server and another's client never cost the command)
        words = " ".join(str(error).split())
        click.echo(f"MLflow: {words or type(error).__name__}", err=True)


def _params(project: Project, found: Research) -> dict[str, Any]:
    inputs = read_inputs(project, found.inputs)
    known = {} if inputs is None else {"champion": inputs.policies["champion"], "seed": inputs.asked["seed"]}
    return {
        "idea": found.idea,
        "problem": found.problem,
        "challenger": found.challenger,
        "snapshot": found.snapshot,
        "evidence": found.evidence,
        "code": found.code,
        "repetitions": found.repetitions,
        **known,
    }
