"""`shipworthy serve`: answer decisions over HTTP with what is rolled out."""

from __future__ import annotations

from pathlib import Path

import click

from shipworthy.live.server import serve as serve_problem
from shipworthy.project import open_project
from shipworthy.project.code import load_problem, only_problem
from shipworthy.ship.export import import_release
from shipworthy.ship.release import problem_of
from shipworthy.ship.rollout import read_rollout


@click.command()
@click.argument("problem", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="How many processes answer.")
@click.option("--release", help="Serve this one release, or an exported file, without any rollout.")
@click.option("--log", type=click.Path(file_okay=False, path_type=Path), help="Write the decision log here instead.")
def serve(problem: str | None, host: str, port: int, workers: int, release: str | None, log: Path | None) -> None:
    """Answer decisions over HTTP with what is rolled out for PROBLEM."""
    project = open_project()
    if release is not None and Path(release).is_file():
        release = import_release(project, Path(release))
    name = problem or (problem_of(project, release) if release else only_problem(project))
    if release is None and read_rollout(project, name) is None:
        load_problem(project, name)  # nothing is shipped for it yet: it should at least be a problem of the project
    click.echo(f"Serving {name} on http://{host}:{port} (described at /openapi.json). Ctrl-C ends it.", err=True)
    serve_problem(project, name, host=host, port=port, workers=workers, release=release, log_folder=log)
