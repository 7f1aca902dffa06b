"""`shipworthy demo`: three ideas about a real restaurant, from a sentence to money, with the last 60 days lived as now."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import click
import polars as pl

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.report.write import write_report
from shipworthy.cli.show import money, progress
from shipworthy.data.examine import examine_data
from shipworthy.errors import AlreadyExistsError, GateClosedError, NotFoundError, UnavailableError
from shipworthy.ideas.register import list_ideas
from shipworthy.live.ledger.ledger import read_ledger
from shipworthy.live.ledger.page import write_ledger
from shipworthy.problem import Problem
from shipworthy.project import Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.research.research import research_idea
from shipworthy.ship.rollout import Phase
from shipworthy.ship.ship import ship_idea
from shipworthy.ship.spare_server import SpareServer, spare_server
from shipworthy.step import History

_DAYS_LIVED = 60
_MARK = ".shipworthy-demo"
_RAW = Path("data") / "daily.parquet"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("kitchen-demo"))
def demo(folder: Path) -> None:
    """Walk three ideas about a real restaurant from a sentence to money, in FOLDER, which is made anew each time.

    The last 60 days of the data are held back, and then lived through as now: decisions are asked over HTTP day by day,
    outcomes come a day later, and the rollout moves on when the evidence allows it.
    """
    later = _lay(folder)
    project = open_project(folder)
    for idea in list_ideas(project):
        _say("Idea", f"{idea.number}. {idea.title}")
        _walk(project, idea.number)
    shipped = next((idea for idea in list_ideas(project) if _is_to_ship(project, idea.key)), None)
    if shipped is None:
        click.echo("\nNo idea earned a verdict to ship on these data.")
        return
    _, problem = load_problem(project, shipped.problem)
    moved = ship_idea(project, shipped.number)
    parity = moved.parity
    assert parity is not None, "the first move builds a release"
    alike = f"{parity.equal} of {parity.periods} golden periods decided alike by the packaged server"
    _say("Ship", f"idea {shipped.number} in shadow: {alike}")
    _live(project, problem, shipped.number, later)
    _close(project, folder)


def _lay(folder: Path) -> pl.DataFrame:
    """Lays the example, without its last days, and gives all of its raw days."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise AlreadyExistsError(
                f"{folder.resolve()} is not empty and was not made by the demo. Name another folder."
            )
        shutil.rmtree(folder)
    shutil.copytree(_example("kitchen"), folder, ignore=shutil.ignore_patterns("__pycache__", ".shipworthy", "reports"))
    (folder / _MARK).touch()
    raw = pl.read_parquet(folder / _RAW).sort("date")
    raw.head(-_DAYS_LIVED).write_parquet(folder / _RAW)
    return raw


def _example(name: str) -> Path:
    package = Path(__file__).parents[1]
    for place in (package / "examples" / name, package.parents[1] / "examples" / name):
        if place.is_dir():
            return place
    raise NotFoundError(f"The example {name!r} is not installed with shipworthy. Install the package again, whole.")


def _walk(project: Project, number: int) -> None:
    with progress("replaying the champion") as done:
        answer = examine_data(project, number, done)
    if not answer.is_testable:
        _say("  Data", "refused", colour="red")
        for gap in answer.gaps:
            _detail(str(gap))
        return
    covered = answer.profile
    _say("  Data", f"testable: {covered['n_periods']} days x {covered['n_units']} dishes, and nothing leaks")
    with progress("replaying the challenger") as done:
        found = research_idea(project, number, done)
    _say("  Research", f"{found.periods} days decided again by champion and challenger")
    verdict = analyse_idea(project, number).verdict
    _say("  Analysis", str(verdict.decision), colour="green" if verdict.decision == "ship" else "yellow")
    for reason in verdict.reasons:
        _detail(reason)
    write_report(project, number)


def _is_to_ship(project: Project, key: str) -> bool:
    record = project.records.get("verdict", key)
    return record is not None and record.body["verdict"]["decision"] == "ship"


def _live(project: Project, problem: Problem, number: int, raw: pl.DataFrame) -> None:
    """Lives through the days that were held back: decide each one over HTTP, and tell what happened a day later."""
    history = History(problem, problem.rows.prepare(raw))
    days = history.periods[-_DAYS_LIVED:]
    told = [name for name in (*problem.key, *problem.hidden) if name in history.rows.columns]
    phase = Phase.SHADOW
    with spare_server(project, problem.name) as server, progress("living through the last 60 days") as done:
        _say("Live", "the service answers over HTTP; the last 60 days pass, one after another")
        for i, day in enumerate(days, start=1):
            rows = history.to_decide(day).drop(problem.period)
            _post(server, "/v1/decide", {"period": day, "rows": rows.to_dicts()})
            _await(server, shadow=0)
            outcome = history.settled(day).select(told)
            _post(server, "/v1/outcomes", {"rows": outcome.to_dicts()})
            done(i, len(days))
            moved = _moved(project, number) if phase.next else None
            if moved is not None:
                phase = moved
                half = " for half of the days" if phase is Phase.CANARY else ""
                _say("Live", f"{day}: idea {number} goes {phase}{half}")
                _await(server, phase=phase)


def _await(server: SpareServer, **state: Any) -> None:
    """Waits until the service has looked at the rollout again, or its shadow has caught up: here a day passes faster."""
    while not state.items() <= server.get("/v1/health")[1].items():
        time.sleep(0.02)


def _moved(project: Project, number: int) -> Phase | None:
    try:
        return ship_idea(project, number).rollout.phase
    except GateClosedError:
        return None


def _close(project: Project, folder: Path) -> None:
    [line] = read_ledger(project)
    _say("Ledger", f"forecast {_shown(line.forecast, line.currency)}")
    if line.realised is not None:
        _detail(f"realised {_shown(line.realised, line.currency)} in {line.periods} days")
    page = write_ledger(project).relative_to(project.root)
    click.echo(f"\nReports     {folder / page.parent}/")
    click.echo(f"Ledger      {folder / page}")
    click.echo(f"Go on       cd {folder} && {_command()}")
    click.echo(f"Board       cd {folder} && {_command()} server --open")
    earned = money(line.earned, line.currency)
    click.secho(
        f"\nIn {line.answered} days of deciding, idea {line.idea} earned {earned} more than the kitchen did without it.",
        bold=True,
    )


def _shown(gain: Gain, currency: str) -> str:
    return f"{gain.gain:,.2f} {currency} a day ({gain.low:,.2f} to {gain.high:,.2f})"


def _post(server: SpareServer, path: str, body: dict[str, Any]) -> None:
    status, answer = server.post(path, body)
    if status >= 300:
        raise UnavailableError(f"The service answered {status} to {path}: {answer.get('detail')}")


def _say(what: str, text: str, colour: str | None = None) -> None:
    click.echo(f"{click.style(what.ljust(12), bold=True)}{click.style(text, fg=colour) if colour else text}")


def _command() -> str:
    """How to call shipworthy from here: by its name where it is on the path, else by its place beside this Python."""
    return "shipworthy" if shutil.which("shipworthy") else str(Path(sys.executable).with_name("shipworthy"))


def _detail(text: str) -> None:
    click.echo(textwrap.fill(text, 100, initial_indent=" " * 12, subsequent_indent=" " * 12))
