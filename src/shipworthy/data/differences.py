"""Differences to plan with: how much a challenger's money would swing against the champion's, before there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import polars as pl

from shipworthy.engine import Done, Engine, Replay, Track, Window, learns, period_sums, replay
from shipworthy.errors import NotFoundError
from shipworthy.statistics import Pilot, influence_series
from shipworthy.statistics.series import FloatArray
from shipworthy.statistics.spectrum import FEWEST_COSINES, planned_count
from shipworthy.step.worth import VALUE
from shipworthy.store.frames import get_frame

_PLACEBOS = (1, 2, 3)


class Source(StrEnum):
    """Where the differences come from, the best first."""

    PLACEBOS = "placebos"
    EARLIER = "earlier challengers"
    REGRET = "regret to perfect foresight"
    MONEY = "the champion's own money"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Influence series of differences per pair, and where they come from.

    Attributes:
        source: Which kind they are.
        series: One or more, shape (periods,) each, in money per pair, mean 0.
        of: The policies or ideas that they are of.
    """

    source: Source
    series: Sequence[FloatArray]
    of: Sequence[str] = ()

    def pilot(self) -> Pilot:
        """What they say of the next challenger's differences."""
        if self.source in {Source.PLACEBOS, Source.EARLIER}:
            return Pilot.from_differences(self.series)
        [one] = self.series
        return Pilot.from_regret(one)

    def sentence(self) -> str:
        """What the power rests on, in words."""
        return {
            Source.PLACEBOS: "{n} placebos: the champion against its own refits without a fifth of their past",
            Source.EARLIER: "earlier challengers against the champion ({of}); a bolder change swings more",
            Source.REGRET: "the champion's regret to perfect foresight, nine tenths of it taken to be shared",
            Source.MONEY: "the champion's own money, nine tenths of its swings taken to be shared",
        }[self.source].format(n=len(self.series), of=", ".join(self.of))


def find_differences(
    replayed: Replay,
    champion: Track,
    oracle: Track | None,
    idea: str,
    engine: Engine,
    done: Done = lambda n, of: None,
) -> Differences:
    """Finds the best differences that can be had: placebos, else earlier challengers, else the champion's regret.

    Placebos cost three replays of the champion, and are tried only where it learns something. Series which are 0
    throughout, or too short for a verdict, say nothing and are passed over.

    Args:
        replayed: The problem and its rows.
        champion: The champion's track.
        oracle: The track of perfect foresight; None where there is none.
        idea: The key of the idea that is planned; its own evidence is no earlier one.
        engine: Where placebos are replayed.
        done: Told while they are.
    """
    problem = replayed.problem
    placebos = _telling(
        _differences(replayed, champion, track) for track in refits(replayed, champion.policy, engine, _PLACEBOS, done)
    )
    if len(placebos) >= len(_PLACEBOS):
        return Differences(source=Source.PLACEBOS, series=placebos)
    earlier = {key: one for key, table in _earlier(replayed, idea).items() if (one := _telling([table]))}
    if earlier:
        series = [one for [one] in earlier.values()]
        return Differences(source=Source.EARLIER, series=series, of=[f"idea {int(key)}" for key in earlier])
    if oracle is not None and (regret := _telling([_differences(replayed, oracle, champion)])):
        return Differences(source=Source.REGRET, series=regret, of=[oracle.policy])
    money = champion.table.drop_nulls(VALUE).group_by(problem.period, maintain_order=True)
    return Differences(
        source=Source.MONEY, series=[_influence(money.agg(pl.col(VALUE).sum().alias("gain"), pairs=pl.len()))]
    )


def refits(
    replayed: Replay,
    policy: str,
    engine: Engine,
    seeds: Iterable[int],
    done: Done = lambda n, of: None,
    window: Window | None = None,
) -> list[Track]:
    """A policy's refits without a fifth of their past, for each seed another fifth; none where it learns nothing.

    Args:
        replayed: The problem and its rows.
        policy: The policy's name.
        engine: Where they are replayed.
        seeds: Which stretches are kept from the fits.
        done: Told while they are replayed.
        window: Only these periods; all of them, if none is given.
    """
    if not learns(replayed.problem.make_policy(policy)):
        return []
    between = None if window is None else (window.first, window.last)
    return [replay(replace(replayed, subsample=seed), policy, engine, done, between) for seed in seeds]


def _earlier(replayed: Replay, idea: str) -> dict[str, pl.DataFrame]:
    """The differences of each period in the evidence of the problem's other ideas; of a sealed one, in what was open."""
    found = {}
    for record in replayed.project.records.find("research"):
        if record.key == idea or record.body["problem"] != replayed.problem.name:
            continue
        with suppress(NotFoundError):  # evidence that was cleared away says nothing any more
            address = record.body.get("development") or record.body["evidence"]
            evidence = get_frame(replayed.project.objects, address)
            gain = (pl.col(f"{VALUE}_challenger") - pl.col(f"{VALUE}_champion")).alias("gain")
            pairs = evidence.select("period", gain).filter(pl.col("gain").is_finite())
            found[record.key] = pairs.group_by("period").agg(pl.col("gain").sum(), pairs=pl.len()).sort("period")
    return found


def _differences(replayed: Replay, one: Track, other: Track) -> pl.DataFrame:
    return period_sums(replayed.problem, one, other).select(gain=pl.col("one") - pl.col("other"), pairs="pairs")


def _telling(tables: Iterable[pl.DataFrame]) -> list[FloatArray]:
    """The influence series of those that are long enough for a verdict and differ at all."""
    series = [_influence(table) for table in tables if planned_count(table.height) >= FEWEST_COSINES]
    return [one for one in series if np.ptp(one) > 0.0]


def _influence(table: pl.DataFrame) -> FloatArray:
    _, influence = influence_series(table["gain"].to_numpy(), table["pairs"].to_numpy())
    return influence
