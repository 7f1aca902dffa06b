"""`shipworthy programme`: all ideas together, their money, hit rate and cycle times."""

from __future__ import annotations

import click

from shipworthy.cli.here import ledger_lines, projects_here
from shipworthy.cli.show import as_json, money, tell
from shipworthy.live.ledger.sentences import calibrated
from shipworthy.programme.facts import Facts
from shipworthy.programme.statistics import Cycle, Money, Programme
from shipworthy.programme.statistics import programme as found_by
from shipworthy.statistics.proportion import Proportion


@click.command()
@as_json
def programme(json_: bool) -> None:
    """Show what all ideas of the project, or of the workspace, come to."""
    projects = projects_here()
    found = found_by([Facts(project) for project in projects], ledger=ledger_lines(projects))
    tell(_facts(found), record=found.to_dict() if json_ else None)


def _facts(found: Programme) -> dict[str, object]:
    return {
        "Ideas": f"{found.ideas}: " + ", ".join(f"{count} {name}" for name, count in found.per_stage.items())
        if found.ideas
        else "none yet",
        "Testable": _rate(found.testable, "asked"),
        "Hit rate": _rate(found.shipping, "judged"),
        "Stayed": _rate(found.staying, "tried"),
        "Days": [_cycle(one) for one in found.cycles if one.ideas] or None,
        "Money": [_money(one) for one in found.money] or "no idea has been shipped yet",
        "Calibration": calibrated(found.calibration) if found.calibration else None,
        "Errors": [
            f"{one.problem}: {one.ideas} of {one.planned} ideas tried, {one.spent:.0%} of its budget of errors spent"
            for one in found.budgets
        ]
        or None,
    }


def _rate(found: Proportion, of: str) -> str | None:
    if not found.of:
        return None
    return f"{found.count} of {found.of} {of}: {found.share:.0%} ({found.low:.0%} to {found.high:.0%})"


def _cycle(found: Cycle) -> str:
    return (
        f"{found.stage}: median {found.median:.1f}, half of them {found.quarter:.1f} to {found.three_quarters:.1f} "
        f"({found.ideas} ideas)"
    )


def _money(found: Money) -> str:
    forecast = [money(end, found.currency) for end in (found.forecast, found.forecast_low, found.forecast_high)]
    says = f"{found.ideas} shipped: forecast {forecast[0]} a year ({forecast[1]} to {forecast[2]})"
    if found.realised is not None and found.realised_low is not None and found.realised_high is not None:
        came = [money(end, found.currency) for end in (found.realised, found.realised_low, found.realised_high)]
        says += f"; {found.realised_ideas} realised {came[0]} a year ({came[1]} to {came[2]})"
    return f"{says}; earned so far {money(found.earned, found.currency)}"
