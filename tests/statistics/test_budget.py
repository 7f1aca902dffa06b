"""The budget of a history: what each idea may spend, that it is spent once, and that copies spend next to nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from shipworthy.statistics import Grant, Spent, fingerprint, grant, spent_share, t_statistics

PERIODS, COSINES, DRAWS = 120, 9, 20_000


def _prints(count: int, *, shared: float = 0.0, seed: int = 0) -> np.ndarray:
    """Fingerprints of null ideas that share a part of their noise, shape (ideas, cosines + 1)."""
    rng = np.random.default_rng(seed)
    days = np.sqrt(shared) * rng.normal(size=PERIODS) + np.sqrt(1.0 - shared) * rng.normal(size=(count, PERIODS))
    return np.stack([fingerprint(one, np.ones(PERIODS), COSINES) for one in days])


def _walk(prints: np.ndarray, **asked: int) -> list[Grant]:
    """What each of some ideas is granted, one after another."""
    spent: list[Spent] = []
    granted = []
    for one in prints:
        granted.append(grant(spent, [one], draws=DRAWS, **asked))
        spent.append(Spent(fingerprints=[one.tolist()], critical=granted[-1].critical))
    return granted


def test_the_share_grows_to_all_of_the_budget_and_no_further():
    """Four fifths over the planned ideas in equal parts, the rest over all that may follow (sum of 1/k^2 = pi^2/6)."""
    assert [spent_share(j, 20) for j in (1, 10, 20)] == pytest.approx([0.04, 0.4, 0.8])
    beyond = 0.8 + 0.2 * 6.0 / np.pi**2 * np.cumsum(1.0 / np.arange(1, 6) ** 2)
    assert [spent_share(20 + k, 20) for k in range(1, 6)] == pytest.approx(beyond.tolist())
    shares = [spent_share(j, 3) for j in range(1, 2_000)]
    assert (np.diff(shares) > 0.0).all()
    assert shares[-1] < 1.0


def test_the_first_idea_gets_students_t_at_its_share():
    """Alone, the critical value is the quantile of Student's t at alpha / 2 times 0.8 / J."""
    first = grant([], _prints(1), planned=20)
    assert student.sf(first.critical, COSINES) == pytest.approx(0.025 * 0.04, rel=0.25)
    assert first.tail_at(COSINES) == pytest.approx(student.sf(first.critical, COSINES))
    assert grant([], _prints(1), planned=1).critical < first.critical


def test_unlike_ideas_all_stand_before_the_same_bar_and_copies_before_a_lower_one():
    """With independent ideas c stays where it was; a copy of the idea before it spends almost its whole share anew."""
    unlike = [one.critical for one in _walk(_prints(8))]
    assert max(unlike) - min(unlike) < 0.9
    copies = [one.critical for one in _walk(np.repeat(_prints(1), 8, axis=0))]
    assert (np.diff(copies) < 0.0).all()
    assert student.sf(copies[-1], COSINES) == pytest.approx(0.025 * spent_share(8), rel=0.1)


def test_versions_of_one_idea_cost_what_the_largest_of_them_would():
    """Fifty near copies of an idea are granted what it is granted alone; unlike versions raise its bar as ideas would."""
    one = _prints(1)
    alone = grant([], one, draws=DRAWS).critical
    copies = np.repeat(one, 50, axis=0) * (1.0 + 1e-9 * np.arange(50)[:, None])
    assert grant([], copies, draws=DRAWS).critical == pytest.approx(alone, rel=1e-6)
    assert grant([], _prints(10), draws=DRAWS).critical > alone


def test_an_idea_that_could_not_be_shipped_leaves_its_share_to_the_next():
    """It counts among the ideas tried, and spends nothing."""
    prints = _prints(2)
    nothing = Spent(fingerprints=(), critical=np.inf)
    after = grant([nothing], prints[1:], draws=DRAWS)
    assert after.idea == 2
    assert after.critical < grant([], prints[1:], draws=DRAWS).critical


def test_a_history_replayed_from_what_is_stored_grants_the_same():
    """The draws are never stored: fingerprints and critical values suffice, through JSON's texts too."""
    prints = _prints(5, shared=0.5)
    granted = _walk(prints)
    stored = [Spent(fingerprints=[one.tolist()], critical=c.critical) for one, c in zip(prints, granted, strict=True)]
    assert grant(stored[:4], prints[4:], draws=DRAWS) == granted[4]
    assert Grant.from_dict(granted[4].to_dict()) == granted[4]


def test_fingerprints_of_unlike_length_are_counted_together():
    """A history that grew takes more cosines: a shorter and a longer fingerprint still share their directions."""
    short, long = _prints(1), _prints(1)[0]
    spent = [Spent(fingerprints=short.tolist(), critical=grant([], short, draws=DRAWS).critical)]
    longer = np.concatenate((long, 0.1 * long[1:3]))[None]
    alike, unlike = grant(spent, longer, draws=DRAWS), grant(spent, _prints(1, seed=9), draws=DRAWS)
    assert student.sf(alike.critical, alike.cosines) > student.sf(unlike.critical, unlike.cosines)


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_twenty_null_ideas_ship_one_in_one_history_of_forty_at_most(shared: float):
    """Over 200 histories of 20 null ideas, alike or not, about 2 % ship any; single tests ship in many of them."""
    any_shipped = any_single = 0
    for seed in range(200):
        prints = _prints(20, shared=shared, seed=seed)
        seen, spent = t_statistics(prints), list[Spent]()
        for one in prints:
            critical = grant(spent, [one], draws=2_000).critical
            spent.append(Spent(fingerprints=[one.tolist()], critical=critical))
        any_shipped += any(t > one.critical for t, one in zip(seen, spent, strict=True))
        any_single += bool((seen > student.ppf(0.975, COSINES)).any())
    assert any_shipped <= 11  # 4 to 5 expected; more than 11 has a probability of 0.4 %
    assert any_single >= 20
