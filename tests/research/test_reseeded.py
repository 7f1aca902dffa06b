"""The champion against itself: nothing but chance differs, and nothing sealed is in it."""

import polars as pl
import pytest

from shipworthy.engine import windows
from shipworthy.research.reseeded import Chance, reseed
from tests.problems import HERE, make_project, replay_of
from tests.research.test_windows import NOISY

TODAY = 'shop.policy(champion=True, name="today")(Yesterday)'
SEEDED = NOISY.replace(
    TODAY,
    """
import random

@shop.policy(champion=True, name="today")
class Moody(Yesterday):
    def decide(self, now, fitted):
        mood = random.Random(now.seed).random()
        return super().decide(now, fitted).with_columns(stock=pl.col("stock") * (0.8 + 0.4 * mood))
""",
)
LEARNING = NOISY.replace(
    TODAY,
    """
@shop.policy(champion=True, name="today")
class Usual(sw.Policy):
    refit = "7d"

    def fit(self, past):
        return past.group_by("item").agg(stock=pl.col("sold").mean())

    def decide(self, now, fitted):
        return now.rows.select("item").join(fitted, on="item", how="left", maintain_order="left")
""",
)


def reseeded(folder, source, count=4):
    """The champion of a shop against itself."""
    replayed = replay_of(make_project(folder / "shop", source))
    return replayed, reseed(replayed, HERE, count, 1)


def money(evidence):
    """What one table says that both sides earned."""
    return evidence.select(pl.col("value_champion", "value_challenger").sum()).row(0)


@pytest.mark.parametrize(("source", "chance"), [(SEEDED, Chance.SEEDS), (LEARNING, Chance.REFITS)])
def test_each_placebo_pairs_one_replay_with_another_one(tmp_path, source, chance):
    """One and the same replay is in all of them, on either side in turn, against a new one each time."""
    _, found = reseeded(tmp_path, source)
    sides = [money(one) for one in found.evidence]
    own = {champion if place % 2 else challenger for place, (champion, challenger) in enumerate(sides)}
    others = {challenger if place % 2 else champion for place, (champion, challenger) in enumerate(sides)}
    assert found.chance is chance
    assert (len(sides), len(own), len(others)) == (4, 1, 4)
    assert not own & others


def test_a_champion_without_chance_makes_no_placebo(tmp_path):
    """Where it decides alike under every seed and what it learns changes nothing, there is nothing to pair."""
    _, found = reseeded(tmp_path, NOISY)
    assert found.chance is Chance.NONE
    assert not found.evidence


@pytest.mark.parametrize("source", [SEEDED, LEARNING])
def test_no_placebo_reaches_into_a_sealed_holdout(tmp_path, source):
    """The last period of each is the last one of the development window."""
    replayed, found = reseeded(tmp_path, source)
    divided = windows(replayed.problem, replayed.history)
    assert divided.holdout is not None
    assert {one["period"].max() for one in found.evidence} == {divided.development.last}
