"""Champion and challenger, replayed over the same periods, once for each repetition."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.engine import Done, Engine, Replay, Track, replay
from shipworthy.research.repetitions import seed_of_repetition


def replay_both(
    replayed: Replay, challenger: str, engine: Engine, done: Done = lambda n, of: None, *, repetitions: int = 1
) -> list[tuple[Track, Track]]:
    """Replays both policies under as many seeds; the first one is the project's.

    Returns:
        The champion's track and the challenger's, for each repetition.
    """
    found = []
    for repetition in range(repetitions):
        seeded = replace(replayed, seed=seed_of_repetition(replayed.project.seed, repetition))
        champion = replay(seeded, str(replayed.problem.champion), engine)
        found.append((champion, replay(seeded, challenger, engine, _told(done, repetition, repetitions))))
    return found


def _told(done: Done, repetition: int, repetitions: int) -> Done:
    """What one repetition tells of its progress, as a part of all of them."""
    return lambda n, of: done(repetition * of + n, repetitions * of)
