"""Perfect foresight: the replay of the oracle, which needs no fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from shipworthy.engine.engine import Done, Engine
from shipworthy.engine.replay import Replay, Track, replay
from shipworthy.problem import Policy, Problem
from shipworthy.step import Rung
from shipworthy.step.worth import VALUE

_OWN = [str(rung) for rung in Rung if not rung.is_fall]


def foresee(
    replayed: Replay,
    policies: Sequence[str],
    engine: Engine,
    done: Done = lambda n, of: None,
    blind: Callable[[str], None] = lambda why: None,
) -> Track | None:
    """Replays the problem's declared oracle, or else the foresight of the first of some policies that has any.

    The track bears the oracle's name and holds only the periods which it decided itself.

    Args:
        replayed: The problem and its rows.
        policies: Whose foresight counts, the first that has any.
        engine: Where it is replayed.
        done: Told while it is.
        blind: Told why one that has foresight written decided no period at all.

    Returns:
        None where nobody has foresight, and where outcomes depend on what is decided: nobody knows them then.
    """
    if not replayed.problem.counterfactual:
        return None
    declared = replayed.problem.foresight
    for policy in policies[:1] if declared else _foreseeing(replayed.problem, policies):
        track = replay(replace(replayed, foresight=True), policy, engine, done)
        seen = track.table.filter(pl.col("rung").is_in(_OWN) & pl.col(VALUE).is_not_null())
        if not seen.is_empty():
            return replace(track, policy=declared.__name__ if declared else policy, table=seen)
        why = str(track.table["falls"].drop_nulls().first() or "no outcome is known").rstrip(".")
        blind(why.replace(f"{policy}: ", f"{declared.__name__}: ", 1) if declared else why)
    return None


def _foreseeing(problem: Problem, policies: Sequence[str]) -> list[str]:
    """Those that have foresight written."""
    return [name for name in policies if type(problem.make_policy(name)).foresee is not Policy.foresee]


def period_sums(problem: Problem, one: Track, other: Track) -> pl.DataFrame:
    """What two tracks earned in each period, over the rows where the money of both is known.

    Returns:
        Columns `period`, `one`, `other` (sums of money) and `pairs`, in order of time.
    """
    sides = [
        track.table.select(*problem.key, pl.col(VALUE).alias(name)) for name, track in (("one", one), ("other", other))
    ]
    pairs = sides[0].join(sides[1], on=list(problem.key)).drop_nulls()
    sums = pairs.group_by(pl.col(problem.period).alias("period")).agg(
        pl.col("one").sum(), pl.col("other").sum(), pairs=pl.len()
    )
    return sums.sort("period")
