"""Placebos: worthless ideas made of a squad's own history, and how often each method would ship them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis import Criteria, Design, simulate_evidence
from shipworthy.analysis.methods import Method
from shipworthy.analysis.placebo import placebos_of
from shipworthy.analysis.simulate import simulate_problem
from shipworthy.data.examine import examine_data
from shipworthy.engine import replay
from shipworthy.errors import InvalidInputError, NotFoundError
from shipworthy.ideas.register import find_idea
from shipworthy.project import open_project
from shipworthy.research.evidence import pair
from shipworthy.research.research import last_research, research_idea
from tests.problems import HERE, make_project, replay_of
from tests.research.test_reseeded import SEEDED
from tests.research.test_windows import LUCKY_HOLDOUT
from tests.series import autoregression, evidence

KITCHEN = Path(__file__).parents[2] / "examples" / "kitchen"
ALONE = "[research]\nworkers = 1"


def shocked(gain=0.0, *, phi=0.6, periods=240, units=12, seed=3):
    """Evidence in which all units of a day share a shock that lasts."""
    rng = np.random.default_rng(seed)
    shared = autoregression(rng, phi, periods)[0][:, None]
    return evidence(gain + shared + rng.normal(size=(periods, units)))


def shipped(found, method=Method.VERDICT):
    """Of one source, the share of placebos that a method ships."""
    [source] = found.sources
    return source.rates[method].shipped


def test_where_a_t_test_on_rows_fails_the_verdict_keeps_its_promise():
    """On days that share lasting shocks, of 300 placebos ours ships at most 5 %, the t-tests and the higher mean far more."""
    found = simulate_evidence(shocked(gain=2.0), design=Design(placebos=300))
    assert found.is_promised
    assert shipped(found).share <= 0.05
    assert shipped(found, Method.PERIODS).low > 0.05
    assert shipped(found, Method.ROWS).low > 0.2
    assert 0.4 < shipped(found, Method.MEAN).share < 0.6
    assert "no more than the 5% that it promises" in found.sentence()


def test_the_idea_s_own_gain_is_no_part_of_its_placebos():
    """Evidence with a huge gain and the same evidence without any give the same answer."""
    without, huge = (simulate_evidence(shocked(gain=gain), design=Design(placebos=40)) for gain in (0.0, 64.0))
    assert [rate.shipped for rate in huge.sources[0].rates.values()] == [
        rate.shipped for rate in without.sources[0].rates.values()
    ]
    assert huge.sources[0].width.median == pytest.approx(without.sources[0].width.median)


def test_a_gain_that_is_there_is_found_the_more_often_the_larger_it_is():
    """The power on the squad's own history rises from next to none to certainty, per period and not per unit."""
    small, large = (
        simulate_evidence(shocked(), design=Design(placebos=60, gain=12 * gain)).sources[0].rates[Method.VERDICT].found
        for gain in (0.05, 1.5)
    )
    assert small.share < 0.3
    assert large.share == 1.0


def test_same_seed_same_answer_whatever_the_order_of_the_rows():
    """Shuffled rows give the same simulation, to the last bit; another seed gives another one."""
    table, design = shocked(), Design(placebos=30, gain=3.0, seed=8)
    first = simulate_evidence(table, design=design).to_dict()
    assert simulate_evidence(table.sample(fraction=1.0, shuffle=True, seed=4), design=design).to_dict() == first
    assert simulate_evidence(table, design=Design(placebos=30, gain=3.0, seed=9)).to_dict() != first


def test_a_placebo_swaps_labels_in_whole_blocks_and_changes_nothing_else():
    """Every row holds its two amounts, the signs turn for all units alike, and only at the ends of blocks."""
    placebos = placebos_of(shocked(), Criteria(), block=20)
    before = (placebos.frame["value_challenger"] - placebos.frame["value_champion"]).to_numpy().reshape(240, 12)
    assert before.mean() == pytest.approx(0.0, abs=1e-12)
    drawn = placebos.draw(np.random.default_rng(2))
    after = (drawn["value_challenger"] - drawn["value_champion"]).to_numpy().reshape(240, 12)
    signs = after / before
    turns = np.flatnonzero(np.diff(signs[:, 0])) + 1
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert (signs == signs[:, :1]).all()
    assert turns.size > 2
    assert len(set(turns % 20)) == 1


@pytest.mark.parametrize(
    ("phi", "criteria", "block"),
    [
        (0.0, Criteria(), range(14, 15)),
        (0.0, Criteria(cadence="1w"), range(2, 7)),
        (0.0, Criteria(refit_periods=28), range(28, 29)),
        (0.9, Criteria(), range(25, 46)),
    ],
)
def test_blocks_are_as_long_as_what_lasts(phi, criteria, block):
    """Two weeks, or a refit, or as long as the spectrum says that periods depend on one another."""
    table = shocked(phi=phi, periods=360, units=1).with_columns(period=pl.int_range(pl.len()))
    assert placebos_of(table, criteria).block in block


def test_where_dependence_outlasts_an_eighth_of_the_history_that_is_said():
    """The block is cut to an eighth, and the source says that it is too short."""
    placebos = placebos_of(shocked(periods=120), Criteria(refit_periods=28))
    assert (placebos.block, placebos.is_short) == (15, True)
    assert not placebos_of(shocked(phi=0.0, periods=120), Criteria()).is_short


@pytest.mark.parametrize(
    ("table", "design", "says"),
    [
        (shocked(), Design(block=31), "ask for 1 to 30"),
        (shocked(), Design(placebos=0), "can only be permuted"),
        (shocked(periods=12), Design(), "covers 12 days"),
        (pl.concat([shocked(), shocked(gain=1.0)]), Design(), "with different values"),
        (shocked().with_columns(value_challenger="value_champion"), Design(), "hardly ever differ"),
    ],
)
def test_evidence_that_cannot_be_simulated_is_refused(table, design, says):
    """What contradicts itself, has no interval or too few blocks is told so, before anything is counted."""
    with pytest.raises(InvalidInputError, match=says):
        simulate_evidence(table, design=design)


@pytest.mark.parametrize("field", [{"placebos": -1}, {"reseeded": -1}, {"gain": 0.0}, {"gain": float("nan")}])
def test_a_design_that_makes_no_sense_is_refused(field):
    """The message names the field."""
    with pytest.raises(InvalidInputError, match=next(iter(field))):
        Design(**field)


def test_in_the_kitchen_the_verdict_keeps_its_promise():
    """On a real restaurant's days, at most 5 % of the placebos of one steak more on Fridays are shipped."""
    replayed = replay_of(open_project(KITCHEN), "kitchen")
    champion, challenger = (replay(replayed, policy, HERE) for policy in ("last_week", "friday_steak"))
    found = simulate_evidence(pair(replayed.problem, champion, challenger), design=Design(placebos=150))
    assert found.is_promised
    assert shipped(found).share <= 0.05
    assert 0.0 < found.sources[0].width.median < 1000.0


def test_a_sealed_holdout_is_not_touched(tmp_path):
    """Placebos are made of the development window: with the sealed evidence gone, the answer is the same."""
    project = make_project(tmp_path / "shop", LUCKY_HOLDOUT, {1: {"texts": {"challenger": "lucky"}}, 2: {}}, ALONE)
    examine_data(project, 1)
    research_idea(project, 1, with_regret=False)
    research = last_research(project, find_idea(project, 1))
    design = Design(placebos=20, reseeded=0)

    before = simulate_problem(project, design=design)
    project.objects.delete(research.evidence)
    after = simulate_problem(project, design=design)

    assert before == after
    [source] = before.sources
    assert source.periods == research.explored["periods"] < research.periods
    assert source.gain == pytest.approx(1.0)


def test_without_anything_to_simulate_with_each_reason_is_told(tmp_path):
    """An idea that was not researched and a champion that was not examined, or has no chance, make no placebo."""
    project = make_project(tmp_path / "shop", LUCKY_HOLDOUT, settings=ALONE)
    with pytest.raises(NotFoundError, match=r"Idea 1: it has not been researched.*no data have been examined"):
        simulate_problem(project, idea=1)
    examine_data(project, 1)
    with pytest.raises(NotFoundError, match="there is no chance in 'today'"):
        simulate_problem(project, "shop", design=Design(reseeded=3))


def test_the_champion_against_itself_is_no_better(tmp_path):
    """Twenty re-seeded replays of a champion with chance in it are judged as they are, and with a gain that all have."""
    project = make_project(tmp_path / "shop", SEEDED, settings=ALONE)
    examine_data(project, 1)
    found = simulate_problem(project, design=Design(gain=60.0))
    [source] = found.sources
    rate = source.rates[Method.VERDICT]
    assert found.is_promised
    assert source.source == "champion, re-seeded"
    assert (rate.shipped.of, rate.found.count) == (20, 20)
    assert rate.shipped.count <= 3
