"""Where outcomes depend on what was decided, history is asked only as far as logged decisions can tell."""

from __future__ import annotations

import re

import pytest

from shipworthy.analysis.analyse import analyse_idea
from shipworthy.data.examine import examine_data
from shipworthy.research.evidence import open_evidence
from shipworthy.research.research import research_idea
from tests.problems import make_project

SOURCE = """
from pathlib import Path
import numpy as np
import polars as pl
import shipworthy as sw

def logged(days=150, guests=30, explored=1.0):
    draws = np.random.default_rng(3)
    n = days * guests
    loyal = draws.normal(size=n)
    chance = np.where(draws.random(n) < explored, 1 / 3, 1.0)
    offer = np.where(chance < 1, draws.integers(0, 3, n), 0)
    spent = 2.0 + loyal + np.array([0.0, 0.1, 0.6])[offer] + draws.normal(size=n)
    return pl.DataFrame({
        "day": np.repeat(np.arange(days), guests), "guest": np.arange(n), "loyal": loyal,
        "offer": offer.astype(float), "chance": chance, "spent": spent,
    })

shop = sw.Problem(
    "shop", rows=sw.frame(lambda: logged()), period="day", unit="guest", outcome="spent", decision="offer",
    outcome_delay="1", counterfactual=False, propensity="chance",
)

@shop.value
def earned(happened):
    return pl.col("spent") - 0.1 * pl.col("offer")

class Same(sw.Policy):
    def __init__(self, offer):
        self.offer = offer

    def decide(self, now, fitted):
        return [self.offer] * now.rows.height

class Some(Same):
    def __init__(self, offer, other):
        self.offer, self.other = offer, other

    def decide(self, now, fitted):
        return [self.offer if guest % 2 else self.other for guest in now.rows["guest"]]

@shop.policy(champion=True)
def nothing():
    return Same(0.0)

@shop.policy
def better():
    return Same(2.0)
"""
IDEA = {"title": "The third offer", "problem": "shop", "challenger": "better", "worth": "smallest_gain = 0.5"}


def offers(folder, *changes):
    """A project about offers that were drawn at random and logged."""
    source = SOURCE
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return make_project(folder / "offers", source, {1: IDEA})


def test_drawn_and_logged_decisions_prove_an_idea(tmp_path):
    """A third of the rows agree, which is support enough; the verdict ships, with the true gain of 0.4 a guest within."""
    project = offers(tmp_path)
    answer = examine_data(project, 1)
    assert answer.is_testable, answer.gaps
    assert any("money is estimated from logged decisions" in remark for remark in answer.remarks)
    evidence = open_evidence(project, research_idea(project, 1).evidence)
    assert evidence["offer_challenger"].unique().to_list() == [2.0]
    verdict = analyse_idea(project, 1).verdict
    assert verdict.decision == "ship"
    assert verdict.low <= 0.4 <= verdict.high


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ("return Same(2.0)", "return Some(2.0, 7.0)"),
            "the challenger decides what chance could not have drawn in about 5.% of",
        ),
        (
            ("return Same(0.0)", "return Some(0.0, 7.0)"),
            "the champion decides what chance could not have drawn in about 5.% of",
        ),
        (
            ("explored=1.0", "explored=0.5"),
            "the challenger decides what chance could not have drawn in about 5.% of rows",
        ),
        (
            ("np.where(draws.random(n) < explored, 1 / 3, 1.0)", "np.full(n, 0.2)"),
            r"was drawn 1\.6. times as often as its prob",
        ),
        ((', propensity="chance"', ""), r"decides what was decided in 3\d% of rows, but not with which probability"),
        (('"offer": offer.astype(float), ', ""), "the rows do not say what was"),
        (("explored=1.0", "explored=0.01"), "the log says too little of the challenger: it decides"),
        (("Same(2.0)", "Same(7.0)"), "in 0 of "),
    ],
)
def test_without_support_only_a_live_trial_can_tell(tmp_path, change, says):
    """No or wrong probabilities, no decisions, little chance, decisions that could not be drawn: refused with the measure."""
    answer = examine_data(offers(tmp_path, change), 1)
    assert not answer.is_testable
    *_, gap = answer.gaps
    assert re.search(says, gap.what), gap.what
    assert "live" in gap.remedy
