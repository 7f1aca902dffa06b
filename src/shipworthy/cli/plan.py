"""`shipworthy plan`: how long shadow, canary and switchback of an idea would take, and the plan of a switchback."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from shipworthy.analysis.trials.horizon import Horizon, plan_trials
from shipworthy.analysis.trials.schedule import SwitchbackPlan
from shipworthy.cli.show import as_json, money, tell
from shipworthy.errors import InvalidInputError
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Span
from shipworthy.project import open_project
from shipworthy.ship.standing import standing

_TOO_LONG = "longer than two years"


def _hours(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    return None if text is None else Span.of(text).seconds / 3600.0


@click.command()
@click.argument("number", type=int)
@click.option("--gain", type=float, help="The gain per period to be shown; the smallest worth shipping by default.")
@click.option(
    "--carry-over",
    "carry_over_hours",
    callback=_hours,
    help="How long a decision is still felt, such as 2h or 1d; as the problem says by default.",
)
@click.option("--units", type=int, help="Units of a canary; those of the replay by default.")
@click.option("--share", type=float, default=0.5, show_default=True, help="The challenger's share of a canary.")
@click.option("--per-day", type=float, help="Periods decided a day; as the problem says by default.")
@click.option(
    "--switchback", is_flag=True, help="Print the blocks of the switchback as CSV; with --json, its plan too."
)
@click.option("--seed", help="What the coins of the switchback follow from; publish it before the start.")
@click.option("--start", help="When the first block begins, such as 2026-03-02T00:00.")
@as_json
def plan(number: int, switchback: bool, seed: str | None, start: str | None, json_: bool, **asked: Any) -> None:
    """Plan live trials of idea NUMBER: how long each would take to show the smallest gain worth shipping."""
    if not switchback == (seed is not None) == (start is not None):
        raise click.UsageError("--switchback, --seed and --start belong together.")
    project = open_project()
    found = plan_trials(project, number, **asked)
    if switchback:
        _publish(_schedule(found, str(seed), str(start)), json_=json_)
        return
    following = standing(project, find_idea(project, number)).next
    tell(_facts(found, following), record=asdict(found) if json_ else None)


def _facts(found: Horizon, following: str | None) -> dict[str, str | list[str] | None]:
    kind = "each keeping its arm" if found.kept else "arms drawn anew each period"
    return {
        "To show": f"a gain of {money(found.gain, found.currency)} per period, four times in five",
        "Shadow": _long(found.shadow, found),
        "Canary": f"{_long(found.canary, found)}; {found.units:,} units, {kind}",
        "Switchback": _days(found),
        "Next": following,
    }


def _long(periods: int | None, found: Horizon) -> str:
    if periods is None or periods / found.periods_per_day > 730.0:
        return _TOO_LONG if periods or not found.kept else "not to be told: use a switchback"
    days = periods / found.periods_per_day
    return f"{periods:,} periods, {days:,.0f} days"


def _days(found: Horizon) -> str:
    if found.block_hours is None:
        return "not to be planned: periods are no dates"
    washout = f"the first {found.washout_hours:g} dropped" if found.washout_hours else "nothing dropped"
    lasts = _TOO_LONG if found.switchback_days is None else f"{found.switchback_days:,} days"
    return f"{lasts}; blocks of {found.block_hours:g} hours, {washout}"


def _schedule(found: Horizon, seed: str, start: str) -> SwitchbackPlan:
    if found.block_hours is None or found.switchback_days is None:
        raise InvalidInputError(f"There is no switchback to publish: {_days(found)}. Give a larger --gain.")
    try:
        begins = datetime.fromisoformat(start)
    except ValueError:
        raise InvalidInputError(f"{start!r} is no instant. Write it like 2026-03-02T00:00.") from None
    return SwitchbackPlan(
        seed=seed,
        start=begins,
        days=found.switchback_days,
        block_hours=found.block_hours,
        carry_over_hours=found.washout_hours or 0.0,
    )


def _publish(planned: SwitchbackPlan, *, json_: bool) -> None:
    if json_:
        blocks = planned.blocks().to_dicts()
        tell({}, record={**planned.to_dict(), "digest": planned.digest, "blocks": blocks})
        return
    click.echo(planned.blocks().write_csv(datetime_format="%Y-%m-%dT%H:%M"), nl=False)
