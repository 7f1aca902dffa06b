"""The simulations behind docs/honesty.md, a small seeded part of each: what is promised holds, and what is usual does not."""

from benchmarks.honesty import forecasts, ideas, offline, shadow, trials
from benchmarks.honesty.settings import grid, hard, hopeless
from benchmarks.honesty.target import Target, share_within

HARD = [
    ("AR 0.7", 180),
    ("holes, 30 % of the rows", 120),
    ("newsvendor", 60),
    ("AR 0.3, refit every 28", 365),
    ("new units will be served", 60),
    ("one unit is a whale", 60),
]


def test_every_setting_that_the_documentation_counts_is_there():
    """112 settings of the grid, 36 that simpler methods trip over, 3 that no method can master, each once."""
    settings = [list(grid()), list(hard()), list(hopeless())]

    assert [len(group) for group in settings] == [112, 36, 3]
    assert all(len({str(one) for one in group}) == len(group) for group in settings)


def test_verdicts_on_hard_histories_keep_their_promise_where_rows_do_not():
    """Pooled over six hard settings at most 5 % of worthless challengers ship; by a t-test on rows many do."""
    names = [(one.name, one.periods) for one in [*grid(), *hard(), *hopeless()]]
    scores = [offline.score((len(names) - 1 - names[::-1].index(one), 60, 3)) for one in HARD]

    assert sum(one.false_ship for one in scores) / len(HARD) <= 5.0
    assert sum(one.coverage for one in scores) / len(HARD) >= 92.0
    assert sum(one.power for one in scores) / len(HARD) >= 55.0
    assert sum(one.row_t_test for one in scores) / len(HARD) > 15.0
    assert all(one.harmful == 0.0 for one in scores)


def test_a_year_in_shadow_ships_and_rolls_back_what_it_should():
    """Looked at daily, a worthless challenger rarely ships and a good one does; a t-test at each look errs often."""
    found = shadow.score((shadow.Stream(phi=0.3, tail="normal"), 60, 4))

    assert found.false_ship <= 5.0
    assert found.false_rollback <= 8.0
    assert found.shipped >= 95.0
    assert found.days_to_rollback <= 27.0
    assert found.t_test_ship > 15.0


def test_trials_looked_at_every_day_rarely_ship_what_is_worthless():
    """Canaries and switchbacks hold at all looks together."""
    for place, trial in enumerate(trials.TRIALS):
        if trial.units <= 100:
            found = trials.score((place, 20, 5))
            assert max(found.false_ship, found.false_rollback) <= 5.0, trial.name


def test_several_ideas_on_one_history_cost_one_budget():
    """The best of five worthless ideas looks good to a t-test; together or one by one they rarely ship."""
    found = ideas.score((5, 0.0, 30, 6))

    assert max(found.batch, found.ledger) <= 10.0
    assert found.best_t >= 15.0


def test_forecasts_of_shipped_ideas_are_nearer_the_truth_than_their_estimates():
    """Raw estimates of shipped ideas overstate; forecasts come true within a fifth, and their intervals cover."""
    found = forecasts.play(("3 in 10 work", 10, 7))

    assert found.raw.sum() / found.truth.sum() > 1.15
    assert 0.8 <= found.shrunk.sum() / found.truth.sum() <= 1.2
    assert found.covers.mean() >= 0.85


def test_a_target_is_missed_on_the_wrong_side_of_its_bound_and_a_share_beyond_chance():
    """What is printed as met is within its bounds; a share is forgiven what chance does once in a thousand times."""
    assert Target(what="power", found=65.0, least=65.0).is_met
    assert not Target(what="power", found=64.9, least=65.0).is_met
    assert share_within("false ship", 7.0, 1000, 5.0).is_met
    assert not share_within("false ship", 7.2, 1000, 5.0).is_met
