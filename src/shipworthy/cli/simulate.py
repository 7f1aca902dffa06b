"""`shipworthy simulate`: how often the verdict, and what is usually done instead, would ship an idea that is worth nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import polars as pl

from shipworthy.analysis.criteria import Criteria
from shipworthy.analysis.simulate import simulate_evidence, simulate_problem
from shipworthy.analysis.simulation import CAUSES, Design, Simulated, Simulation
from shipworthy.analysis.wording import a_period, periods
from shipworthy.cli.show import as_json, money, progress, show, tell
from shipworthy.errors import GateClosedError, InvalidInputError
from shipworthy.project import open_project
from shipworthy.statistics import Proportion

_BAR = "judging placebos"
_READERS = {".parquet": pl.read_parquet, ".csv": lambda file: pl.read_csv(file, try_parse_dates=True)}


@click.command()
@click.option("--problem", metavar="NAME", help="Which problem, where there are several.")
@click.option("--idea", type=int, metavar="NUMBER", help="Permute the evidence of this idea only.")
@click.option(
    "--evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Simulate with this file (.parquet, .csv) instead; no project is needed.",
)
@click.option(
    "--cadence", default="1d", show_default=True, help="How long a period of that file is, such as 1d, 1w or 6h."
)
@click.option("--placebos", type=click.IntRange(min=0), default=200, show_default=True, help="Permuted, for each idea.")
@click.option(
    "--reseeded", type=click.IntRange(min=0), default=20, show_default=True, help="Replays of the champion; 0 for none."
)
@click.option(
    "--block", type=click.IntRange(min=1), metavar="PERIODS", help="Swap labels in blocks of so many periods."
)
@click.option("--gain", type=float, metavar="MONEY", help="A true gain per period: how often would it be found?")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="What all chance begins with.")
@as_json
def simulate(evidence: Path | None, json_: bool, **asked: Any) -> int:
    """Check the verdict on your own history: how often would it, and others, ship a worthless idea?

    Placebos, whose true gain is exactly zero, are made of it: by swapping champion and challenger at random in the evidence
    of researched ideas, and by replaying the champion against itself under other seeds.
    """
    source = click.get_current_context().get_parameter_source
    given = {name for name in asked if source(name) is not click.core.ParameterSource.DEFAULT}
    misplaced = given & ({"problem", "idea", "reseeded"} if evidence else {"cadence"})
    if misplaced:
        raise click.UsageError(
            f"--{min(misplaced)} {'does not go with' if evidence else 'belongs to'} --evidence FILE."
        )
    if asked["problem"] and asked["idea"] is not None:
        raise click.UsageError("--problem does not go with --idea: an idea names its problem.")
    design = Design(**{name: asked[name] for name in ("placebos", "reseeded", "block", "gain", "seed")})
    with progress(_BAR) as done:
        if evidence:
            found = simulate_evidence(_read(evidence), Criteria(cadence=asked["cadence"]), design=design, done=done)
        else:
            found = simulate_problem(open_project(), asked["problem"], idea=asked["idea"], design=design, done=done)
    if json_:
        tell({}, record=found.to_dict())
    else:
        _tell(found)
    return 0 if found.is_promised else GateClosedError.exit_code


def _read(file: Path) -> pl.DataFrame:
    if file.suffix not in _READERS:
        raise InvalidInputError(f"{file} is no evidence that can be read. Give a file .parquet or .csv.")
    try:
        return _READERS[file.suffix](file)
    except pl.exceptions.PolarsError as error:
        raise InvalidInputError(f"{file} could not be read: {error}") from error


def _tell(found: Simulation) -> None:
    tell(
        {
            "Answer": found.sentence(),
            "Usually": None if found.is_promised else list(CAUSES),
            "Placebos": [_made(source) for source in found.sources],
            "Intervals": [line for source in found.sources if (line := _width(source, found.currency))] or None,
            "Gain": [line for source in found.sources if (line := _gain(source, found.currency))] or None,
            "Left out": list(found.skipped) or None,
        }
    )
    click.echo()
    show([row for source in found.sources for row in _rows(source)], json_=False)


def _made(source: Simulated) -> str:
    return f"{source.source}: {periods(source.periods, source.cadence)}, {source.how}"


def _width(source: Simulated, currency: str) -> str | None:
    if source.width is None:
        return None
    low, median, high = (
        _money(amount, currency) for amount in (source.width.low, source.width.median, source.width.high)
    )
    return f"{source.source}: {median} a year wide, four in five of them {low} to {high}"


def _gain(source: Simulated, currency: str) -> str | None:
    if source.gain is None:
        return None
    return f"{source.source}: found is how often a true gain of {_money(source.gain, currency)} {a_period(source.cadence)} ships"


def _money(amount: float, currency: str) -> str:
    return money(amount, currency).strip()


def _rows(source: Simulated) -> list[dict[str, str]]:
    named = [source.source, *[""] * (len(source.rates) - 1)]
    has_gain = source.gain is not None
    return [
        {
            "placebos": name,
            "method": str(method),
            "ship": f"{rate.shipped.count:,} of {rate.shipped.of:,}",
            "share": f"{rate.shipped.share:.1%}",
            "95 % range": _range(rate.shipped),
            "found": f"{rate.found.share:.0%}" if has_gain and rate.found else "",
        }
        for name, (method, rate) in zip(named, source.rates.items(), strict=True)
    ]


def _range(found: Proportion) -> str:
    return f"{found.low:.1%} to {found.high:.1%}"
