"""How often the watch cries wolf, and how soon it sees a planted shift: `python benchmarks/watch.py`.

Streams are made up with fixed seeds: a snapshot of one or three years of days with ten rows each, then a year that is lived.
Every second day the last 28 days are held against the snapshot as the watch does; a stream counts as alarmed where any of these
looks raises drift. A shift is there from the first lived day on; the first look is on the sixth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl

from shipworthy.live.watch.usual import LEAST_NUMBERS, Found, drift, usual

ROWS, WINDOW, YEAR, EVERY = 10, 28, 365, 2
LEVEL = 0.01
FIRST = date(2024, 1, 1)
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Stream = Callable[[np.random.Generator, int], Array]


def independent(rng: np.random.Generator, days: int) -> Array:
    """Rows that have nothing to do with one another."""
    return rng.normal(size=(days, ROWS))


def weekly(rng: np.random.Generator, days: int) -> Array:
    """Weekends that lie two standard deviations higher."""
    weekend = np.arange(days) % 7 >= 5
    rows: Array = 2.0 * weekend[:, None] + rng.normal(size=(days, ROWS))
    return rows


def sticky(rng: np.random.Generator, days: int, phi: float = 0.8) -> Array:
    """Days that resemble the day before, rows that resemble their day."""
    level = np.zeros(days)
    for i, shock in enumerate(rng.normal(size=days) * np.sqrt(1.0 - phi**2)):
        level[i] = shock + (phi * level[i - 1] if i else 0.0)
    rows: Array = level[:, None] + 0.5 * rng.normal(size=(days, ROWS))
    return rows


def seasonal(rng: np.random.Generator, days: int) -> Array:
    """A year's swing of four standard deviations, with weather on top."""
    rows: Array = 2.0 * np.sin(2.0 * np.pi * np.arange(days) / 365.25)[:, None] + sticky(rng, days, 0.6)
    return rows


def tailed(rng: np.random.Generator, days: int) -> Array:
    """Heavy tails: Student's t with three degrees of freedom."""
    return rng.standard_t(3, size=(days, ROWS))


def alarmed(stream: Stream, years: int, seed: int, shift: float = 0.0) -> int | None:
    """The first day of the lived year on which drift is raised, counted from 1; None where none is."""
    before, rng = years * YEAR, np.random.default_rng(seed)
    values = stream(rng, before + YEAR)
    values[before:] += shift * values[:before].std()
    days = [FIRST + timedelta(days=i) for i in range(before + YEAR)]
    table = pl.DataFrame({"day": np.repeat(np.array(days, dtype="datetime64[D]"), ROWS), "x": values.ravel()})
    history = table.head(before * ROWS)
    known: dict[int, float | None] = {}
    for day in range(6, YEAR + 1, EVERY):
        length = min(day, WINDOW)
        if length not in known:
            known[length] = usual(history, "day", "x", length)
        moved = drift(table.slice((before + day - length) * ROWS, length * ROWS), history, "day", "x")
        said = Found(drift=moved, usual=known[length], least=LEAST_NUMBERS, season=years > 1)
        if said.is_far and moved.p_value < LEVEL:
            return day
    return None


def main(streams: int = 20) -> None:
    """Prints the table of docs/watch.md."""
    kinds: list[tuple[str, Stream]] = [
        ("independent rows", independent),
        ("busy weekends", weekly),
        ("days that stick (0.8)", sticky),
        ("a year's swing", seasonal),
        ("heavy tails", tailed),
    ]
    print("| stream | snapshot | years with an alarm | median days to see a shift of 0.5 sd | of 1 sd | never seen |")
    print("|---|---|---|---|---|---|")
    for name, stream in kinds:
        for years in (1, 3):
            clean = sum(alarmed(stream, years, seed) is not None for seed in range(streams))
            shifted = [[alarmed(stream, years, seed, shift) for seed in range(streams // 2)] for shift in (0.5, 1.0)]
            medians = [np.median([day if day is not None else np.inf for day in found]) for found in shifted]
            said = [f"{median:.0f}" if np.isfinite(median) else "over a year" for median in medians]
            never = ", ".join(f"{sum(day is None for day in found)} of {len(found)}" for found in shifted)
            print(f"| {name} | {years} y | {clean} of {streams} | {said[0]} | {said[1]} | {never} |", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
