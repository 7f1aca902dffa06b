"""`shipworthy shadow`: decide in the shadow what was decided live, off the path of requests."""

from __future__ import annotations

from pathlib import Path

import click

from shipworthy.live.shadow.shadow import run_shadow
from shipworthy.project import open_project
from shipworthy.project.code import only_problem


@click.command()
@click.argument("problem", required=False)
@click.option("--once", is_flag=True, help="Work off what is there, and end.")
@click.option("--log", type=click.Path(file_okay=False, path_type=Path), help="Follow the decision log here instead.")
def shadow(problem: str | None, once: bool, log: Path | None) -> None:
    """Let who did not answer decide the same, in a guarded process, for PROBLEM's decision log."""
    project = open_project()
    name = problem or only_problem(project)
    click.echo(f"Following the decisions of {name}.{'' if once else ' Ctrl-C ends it.'}", err=True)
    waiting = run_shadow(project, name, (log or project.log_folder) / name, once=once)
    click.echo(f"{waiting} decisions wait for the shadow.")
