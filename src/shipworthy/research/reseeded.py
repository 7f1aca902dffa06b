"""The champion against itself: replays in which nothing but chance is another, so that their true gain is exactly zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import polars as pl

from shipworthy.data.differences import refits
from shipworthy.engine import Done, Engine, Replay, Track, replay, windows
from shipworthy.problem import Problem
from shipworthy.research.evidence import pair
from shipworthy.research.repetitions import seed_of_repetition
from shipworthy.step.worth import VALUE


class Chance(StrEnum):
    """Where the champion's chance lies: in its seeds, only in what its fits learn from, or nowhere."""

    SEEDS = "re-seeded"
    REFITS = "refitted"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseeded:
    """Evidence of the champion against itself.

    Attributes:
        chance: What differs between the two sides.
        evidence: One paired table for each placebo; none where the champion differs nowhere.
    """

    chance: Chance
    evidence: Sequence[pl.DataFrame]


def reseed(replayed: Replay, engine: Engine, count: int, seed: int, done: Done = lambda n, of: None) -> Reseeded:
    """Replays the champion `count` times under other seeds, through the cache, and pairs each with its own replay.

    Its own replay is the one that challengers are compared with. Where other seeds change nothing but it learns, refits
    without a fifth of their past stand on both sides, another fifth for each, so that neither is the better one. Of
    every other pair the labels are swapped: what makes all the new replays better, or worse, than the stored one is
    found either way. Periods of a sealed holdout are left out.

    Args:
        replayed: The problem and its rows.
        engine: Where it is replayed.
        count: How many placebos there are to be.
        seed: The seed from which the others are derived.
        done: Told of progress.
    """
    problem = replayed.problem
    own, first = (_track(replayed, seed_of_repetition(seed, n) if n else None, engine, done) for n in range(2))
    if _differs(problem, own, first):
        others = [first]
        for number in range(2, count + 1):
            done(number - 1, count)
            others.append(_track(replayed, seed_of_repetition(seed, number), engine))
        return Reseeded(chance=Chance.SEEDS, evidence=_pairs(problem, own, others))
    window = windows(problem, replayed.history).development
    refitted = refits(replayed, str(problem.champion), engine, range(1, count + 2), done, window)
    if any(_differs(problem, refitted[0], other) for other in refitted[1:]):
        return Reseeded(chance=Chance.REFITS, evidence=_pairs(problem, refitted[0], refitted[1:]))
    return Reseeded(chance=Chance.NONE, evidence=())


def _track(replayed: Replay, seed: int | None, engine: Engine, done: Done = lambda n, of: None) -> Track:
    window = windows(replayed.problem, replayed.history).development
    seeded = replayed if seed is None else replace(replayed, seed=seed)
    return replay(seeded, str(replayed.problem.champion), engine, done, (window.first, window.last))


def _differs(problem: Problem, one: Track, other: Track) -> bool:
    paired = pair(problem, one, other)
    return not paired[f"{VALUE}_champion"].equals(paired[f"{VALUE}_challenger"], check_names=False, null_equal=True)


def _pairs(problem: Problem, own: Track, others: Sequence[Track]) -> list[pl.DataFrame]:
    sides = [(own, other) if place % 2 else (other, own) for place, other in enumerate(others)]
    return [pair(problem, *both) for both in sides]
