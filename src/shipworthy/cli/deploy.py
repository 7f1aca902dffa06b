"""`shipworthy deploy`: the files with which Docker, Kubernetes or AWS runs what is rolled out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from shipworthy.cli.show import as_json, tell
from shipworthy.errors import ShipworthyError
from shipworthy.project import Project, open_project
from shipworthy.project.code import only_problem
from shipworthy.ship.targets.deploy import Deployed, Options
from shipworthy.ship.targets.deploy import deploy as deploy_problem
from shipworthy.ship.targets.deployment import State, Target

TARGETS = click.Choice(get_args(Target))


@click.command()
@click.argument("problem", required=False)
@click.option("--to", "target", type=TARGETS, default="docker", show_default=True, help="Where it will run.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="The folder; deploy/PROBLEM if not given."
)
@click.option("--image", default="", help="The image's name and tag; made from the release if not given.")
@click.option("--namespace", default="shipworthy", show_default=True, help="The namespace in Kubernetes.")
@click.option("--replicas", type=int, default=2, show_default=True, help="How many containers answer at least.")
@click.option(
    "--state",
    type=click.Choice(get_args(State)),
    default="image",
    show_default=True,
    help="Whether the rollout is in the image, or moves: on a volume, or in the project's own shared stores.",
)
@click.option("--lock", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="A lock file with hashes.")
@as_json
def deploy(problem: str | None, target: Target, out: Path | None, json_: bool, **options: Any) -> None:
    """Write the files with which Docker, Kubernetes or AWS runs what is rolled out for PROBLEM.

    Nothing is built or sent anywhere: the commands that do that are printed.
    """
    project = open_project()
    name = problem or only_problem(project)
    deployed = deploy_problem(project, name, target, out or Path("deploy") / name, Options(**options))
    tell(deployed_facts(deployed), record=asdict(deployed) if json_ else None)
    if not json_:
        print_commands(deployed)


def deploy_shipped(project: Project, problem: str, target: Target) -> Deployed:
    """Writes what has just been shipped; where that fails, the rollout has moved all the same, and the message says so."""
    try:
        return deploy_problem(project, problem, target, Path("deploy") / problem)
    except ShipworthyError as error:
        again = f"The rollout has moved; write the files with `shipworthy deploy {problem} --to {target}` once that is done."
        raise type(error)(f"{error} {again}") from error


def deployed_facts(deployed: Deployed) -> dict[str, Any]:
    """What was written."""
    one = deployed.deployment
    return {
        "Image": one.image if deployed.folders else None,
        "Releases": ", ".join(one.releases),
        "Written": [str(folder) for folder in deployed.folders] or None,
    }


def print_commands(deployed: Deployed) -> None:
    """The commands to run now, each on one line however long it is, so that it can be copied."""
    click.echo("\n" + "\n".join(deployed.commands))
