"""Power before research: what the history can show, planned with the best differences there are, is what verdicts then show."""

import math

import numpy as np
import polars as pl
import pytest

from shipworthy.data.differences import Differences, Source, find_differences
from shipworthy.data.examine import examine_data
from shipworthy.data.provable import provable
from shipworthy.engine import Track, Window, foresee, replay
from shipworthy.ideas.idea import Idea
from shipworthy.problem import Policy
from shipworthy.research.research import research_idea
from shipworthy.statistics import estimate, influence_series
from tests.problems import HERE, SHOP, UNITS, day, make_project, replay_of, shop
from tests.series import autoregression

NOISY = SHOP.replace("day % 7", "(day * 7919) % 101").replace("days=40", "days=120")
KNOWN = "\n@shop.oracle\ndef known(now, happened):\n    return happened['sold'].to_numpy()\n"
LEARNING = NOISY.replace("return past.height", 'return past.group_by("item").agg(stock=pl.col("sold").mean())').replace(
    'yesterday = now.past.select("item", stock="sold")', "yesterday = fitted"
)
ALONE = "[research]\nworkers = 1"
BOTH = {1: {}, 2: {"texts": {"challenger": "twin"}}}


def differences_of(folder, source, *, idea="0001", ideas=None, researched=()):
    """The differences that the power of an idea is planned with."""
    project = make_project(folder, source, ideas or {1: {}}, ALONE)
    for number in researched:
        examine_data(project, number)
        research_idea(project, number)
    replayed = replay_of(project)
    champion, oracle = replay(replayed, "today", HERE), foresee(replayed, ["better", "today"], HERE)
    return find_differences(replayed, champion, oracle, idea, HERE)


def planned(differences, *, periods, units=3, oracle=None, whose="known", worth=1.0, expected=None, challenger=None):
    """What is provable with differences, by a champion that earned 1 with each unit."""
    table = pl.DataFrame(
        [{"day": day(n), "item": unit, "value": 1.0} for n in range(periods) for unit in UNITS[:units]]
    )
    champion = Track(policy="today", table=table, fits=1, blocks=1)
    idea = Idea(number=1, slug="idea", smallest_gain=worth, expected_gain=expected)
    best = None if oracle is None else Track(
        policy=whose, table=table.with_columns(value=pl.lit(1.0 + oracle)), fits=1, blocks=1
    )  # fmt: skip
    judged = Window(day(0), day(periods - 1))
    return provable(shop(), idea, challenger or Policy(), champion, differences, best, judged)


def noise(periods=120, source=Source.EARLIER, scale=1.0):
    """Differences without a pattern."""
    _, influence = influence_series(np.random.default_rng(5).normal(size=periods) * scale, np.ones(periods))
    return Differences(source=source, series=[influence])


def test_placebos_come_first_where_the_champion_learns(tmp_path):
    """Three fits without a fifth of the past each, and the oracle and an earlier challenger are left alone."""
    found = differences_of(tmp_path / "shop", LEARNING + KNOWN, ideas=BOTH, researched=[2])
    assert found.source is Source.PLACEBOS
    assert [len(one) for one in found.series] == [80, 80, 80]
    assert len({float(np.ptp(one)) for one in found.series}) == 3


def test_earlier_challengers_come_next(tmp_path):
    """A champion whose fits do not matter has placebos that differ by nothing; another idea's evidence is there."""
    ideas = {1: {}, 2: {}, 3: {"texts": {"challenger": "twin"}}}
    found = differences_of(tmp_path / "shop", NOISY + KNOWN, ideas=ideas, researched=[2, 3])
    assert (found.source, found.of) == (Source.EARLIER, ["idea 2"])  # the twin never differed: it says nothing


def test_regret_comes_where_there_was_no_challenger(tmp_path):
    """An idea's own evidence is no earlier one; the champion's regret is held by the declared oracle."""
    found = differences_of(tmp_path / "shop", NOISY + KNOWN, researched=[1])
    assert (found.source, found.of) == (Source.REGRET, ["known"])
    assert "regret to perfect foresight" in found.sentence()


def test_the_champion_s_own_money_stands_in_for_all_of_them(tmp_path):
    """Nothing was ever compared and nobody has foresight."""
    found = differences_of(tmp_path / "shop", NOISY)
    assert found.source is Source.MONEY
    assert len(found.series) == 1


def simulated(rng, source, phi, periods, count):
    """Series to plan with and a live one, again and again: alike in the way that each source supposes."""
    for live in autoregression(rng, phi, periods, count):
        if source is Source.PLACEBOS:  # placebos share their periods
            common, *own = autoregression(rng, phi, periods, 4)
            yield [math.sqrt(0.5) * (common + one) for one in own], live
        elif source is Source.REGRET:
            [regret] = autoregression(rng, phi, periods, 1)
            yield [regret / math.sqrt(0.2)], live
        else:
            yield list(autoregression(rng, phi, periods, 1)), live


@pytest.mark.parametrize(
    ("source", "phi", "periods"),
    [
        (Source.PLACEBOS, 0.0, 60),
        (Source.PLACEBOS, 0.4, 120),
        (Source.PLACEBOS, 0.7, 120),
        (Source.EARLIER, 0.4, 60),
        (Source.REGRET, 0.0, 60),
        (Source.REGRET, 0.4, 120),
    ],
)
def test_a_gain_of_the_predicted_size_is_found_in_75_to_92_percent(source, phi, periods):
    """Verdicts on a true gain of just that size ship about as often as promised, whatever it was planned with."""
    found, disproved = [], []
    for series, live in simulated(np.random.default_rng(11), source, phi, periods, 300):
        centred = [one - one.mean() for one in series]
        shown = planned(Differences(source=source, series=centred), periods=periods)
        gain, counts = shown.smallest_detectable, np.full(periods, 3.0)
        verdict = estimate(3 * live + gain, counts)
        nothing = estimate(3 * live, counts)
        found.append(verdict.nu >= 3 and verdict.low > 0.0)
        disproved.append(nothing.nu >= 3 and nothing.high < gain / 3)

    assert 0.75 <= np.mean(found) <= 0.92
    assert 0.75 <= np.mean(disproved) <= 0.92


def test_money_is_told_per_period_and_per_year():
    """What the history can show, also for the last idea on it, and how long it has to be for the smallest gain."""
    shown = planned(noise(), periods=120, worth=0.1)
    assert shown.smallest_detectable_per_year == pytest.approx(365 * shown.smallest_detectable)
    assert shown.smallest_detectable_last_idea > shown.smallest_detectable > shown.smallest_worth == 0.1
    [remark] = shown.remarks("EUR")
    needed = planned(noise(), periods=shown.periods_needed, worth=0.1)
    assert f"{shown.periods_needed:,} periods would find it, {shown.periods_needed - 120:,} more" in remark
    assert needed.remarks("EUR") == []


@pytest.mark.parametrize(
    ("worth", "expected"), [(0.5, (1.0, 4.0, 5.0)), (3.5, None), (3.5, (1.0, 2.0, 5.0)), (4.0, (4.0, 5.0, 6.0))]
)
def test_a_claim_above_perfect_foresight_is_impossible(worth, expected):
    """Likely gain or smallest worth shipping: more than there is to gain, with both figures."""
    shown = planned(noise(scale=0.1), periods=120, oracle=1.0, worth=worth, expected=expected)
    [gap] = shown.gaps("EUR")
    assert gap.what.startswith(f"It claims the impossible: {shown.claimed:,.2f} EUR per period")
    assert "no more than 3.00" in gap.what


def test_a_claim_below_perfect_foresight_is_not():
    """A hope that is too high does not make the likely gain impossible."""
    shown = planned(noise(scale=0.1), periods=120, oracle=1.0, worth=0.5, expected=(0.5, 2.9, 9.0))
    assert shown.ceiling == pytest.approx(3.0)
    assert shown.gaps("EUR") == []


def test_what_even_foresight_would_not_show_cannot_be_proven():
    """The least that can be told from luck is more than there is to gain; so many periods would do."""
    shown = planned(noise(), periods=120, oracle=0.01, worth=0.005)
    [gap] = shown.gaps("EUR")
    assert gap.what.startswith(
        "It cannot be proven with these data: even perfect foresight (known) would gain only 0.03 EUR"
    )
    assert gap.remedy == f"Collect periods until there are {shown.periods_for_most:,}."
    assert planned(noise(), periods=shown.periods_for_most, oracle=0.01, worth=0.005).gaps("EUR") == []


def test_a_history_that_is_too_short_shows_nothing():
    """Too few periods for any interval: whatever there is to gain, it could not be told."""
    shown = planned(noise(), periods=15, oracle=100.0)
    [gap] = shown.gaps("EUR")
    assert shown.smallest_detectable == math.inf
    assert "15 periods are too few to show any gain at all" in gap.what
    assert gap.remedy == f"Collect periods until there are {shown.periods_for_most:,}."


class Seldom(Policy):
    """Learns, and only twice in those periods."""

    refit = "60d"

    def fit(self, past):
        """How much there is."""
        return past.height


def test_refits_that_are_too_few_are_told_as_such():
    """Where the same periods would show something with more refits, that is the other way out."""
    shown = planned(noise(), periods=120, oracle=100.0, challenger=Seldom())
    [gap] = shown.gaps("EUR")
    assert "120 periods, with as few refits, are too few to show any gain at all" in gap.what
    assert gap.remedy.endswith(" Or refit more often.")


def test_an_impossible_claim_keeps_research_from_beginning(tmp_path):
    """The Data stage refuses it, and says both figures; the same claim made smaller is testable."""
    claim = {"worth": "smallest_gain = 1.0\nexpected_gain = [1.0, 99999.0, 199999.0]"}
    refused = examine_data(make_project(tmp_path / "claims", NOISY + KNOWN, {1: claim}, ALONE), 1)
    sound = examine_data(make_project(tmp_path / "sound", NOISY + KNOWN, {1: {}}, ALONE), 1)

    assert not refused.is_testable
    [gap] = refused.gaps
    assert "99,999.00 EUR per period" in gap.what
    assert f"{refused.provable['ceiling']:,.2f}" in gap.what
    assert (sound.is_testable, sound.provable["oracle"], sound.provable["source"]) == (
        True,
        "known",
        "regret to perfect foresight",
    )


def test_foresight_of_one_period_is_no_ceiling_where_state_is_carried(tmp_path):
    """A closed loop may earn more by saving for later than an oracle that sees one period ahead."""
    source = (NOISY + KNOWN).replace("@shop.policy\nclass Better", "@shop.transition\ndef same(state, happened):\n"
                                     "    return state\n\n@shop.policy\nclass Better")  # fmt: skip
    answer = examine_data(make_project(tmp_path / "shop", source, {1: {}}, ALONE), 1)
    assert (answer.provable["ceiling"], answer.provable["oracle"]) == (None, None)
    assert answer.provable["source"] == "regret to perfect foresight"


def test_foresight_that_decides_nothing_is_remarked_on(tmp_path):
    """An optimiser that cannot read the outcome in the forecast's place: the answer says why, and the idea goes on."""
    source = NOISY.replace(
        'class Better(Yesterday):\n    memory = "14d"\n',
        'class Better(Yesterday):\n    memory = "14d"\n\n'
        "    def foresee(self, now, outcome):\n        raise ValueError('give me quantiles')\n",
    )
    answer = examine_data(make_project(tmp_path / "shop", source, {1: {}}, ALONE), 1)
    assert answer.is_testable
    assert any("no measure of regret: better: ValueError: give me quantiles" in remark for remark in answer.remarks)


@pytest.mark.parametrize(("oracle", "whose"), [(-0.5, "known"), (1.0, "today")])
def test_an_oracle_that_bounds_no_idea_is_no_ceiling(oracle, whose):
    """One that earns less than the champion measures nothing; the champion's own optimiser does not bind a better one."""
    shown = planned(noise(), periods=120, oracle=oracle, whose=whose)
    assert (shown.ceiling, shown.oracle) == (None, None)
