"""Segments: where the gain comes from, in intervals that hold for all at once, and only by what is known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shipworthy.analysis import Criteria
from shipworthy.analysis.segments import READING, Segments, segments
from shipworthy.data.examine import examine_data
from shipworthy.errors import GateClosedError, InvalidInputError, NotFoundError
from shipworthy.ideas.register import find_idea
from shipworthy.research.research import research_idea
from tests.series import autoregression

REGIONS = 8


def panel(gains: np.ndarray) -> pl.DataFrame:
    """Evidence of as many units as columns, one segment each, with these differences in each period."""
    periods, units = gains.shape
    return pl.DataFrame(
        {
            "period": np.repeat(np.arange(periods), units),
            "unit": np.tile(np.arange(units), periods),
            "region": np.tile([f"r{i}" for i in range(units)], periods),
            "value_champion": 0.0,
            "value_challenger": gains.ravel(),
        }
    )


def test_without_any_effect_hardly_any_evidence_shows_one():
    """With no effect in eight autocorrelated segments, some interval misses zero in about 5 % of evidence, not in a third."""
    runs, rng = 60, np.random.default_rng(11)
    wrong = 0
    for _ in range(runs):
        gains = autoregression(rng, 0.3, 120, REGIONS).T
        found = segments(panel(gains), ["region"], draws=2000)
        wrong += any(one.low > 0.0 or one.high < 0.0 for one in found.segments)
    assert wrong <= 8


def test_the_segment_that_carries_the_gain_is_found_and_luck_is_shrunk():
    """One segment with a real gain stands out; the others' means are drawn to the mean of all."""
    rng = np.random.default_rng(3)
    gains = rng.normal(size=(200, REGIONS))
    gains[:, 5] += 1.0
    found = segments(panel(gains), ["region"], Criteria(units_per_year=REGIONS * 365.0))
    assert [one.value for one in found.segments if one.low > 0.0] == ["r5"]
    mean = gains.mean()
    assert all(abs(one.shrunk - mean) <= abs(one.gain - mean) for one in found.segments)
    assert all(one.units_per_year == pytest.approx(365.0) for one in found.segments)
    assert found.says.endswith(READING)
    assert Segments.from_dict(found.to_dict()) == found


def test_many_segments_widen_every_interval():
    """The same segment has a wider interval among eight than alone."""
    frame = panel(np.random.default_rng(4).normal(size=(150, REGIONS)))
    alone = segments(frame.filter(pl.col("region") == "r0"), ["region"]).segments[0]
    among = segments(frame, ["region"]).segments[0]
    assert among.gain == alone.gain
    assert among.high - among.low > 1.2 * (alone.high - alone.low)


def test_what_is_small_or_many_is_said():
    """Segments with under 20 periods are listed, numbers are cut into quarters, and of many values the largest are shown."""
    rng = np.random.default_rng(5)
    frame = panel(rng.normal(size=(100, REGIONS))).with_columns(
        late=pl.when(pl.col("period") < 5).then(pl.lit("early")).otherwise(pl.lit("late")),
        size=pl.Series(rng.uniform(size=100 * REGIONS)),
        shop=pl.Series([f"s{i:02d}" for i in range(40)] * (100 * REGIONS // 40)),
    )
    found = segments(frame, ["late", "size", "shop"])
    assert found.not_shown[0] == "late: early (5)"
    sizes = [one for one in found.segments if one.column == "size"]
    assert len(sizes) == 4
    assert all(one.share == pytest.approx(0.25, abs=0.01) for one in sizes)
    assert any(note.startswith("size is cut into quarters") for note in found.notes)
    assert "shop has 40 values; the 30 with the most rows are told apart." in found.notes


def test_the_order_of_the_rows_never_matters():
    """Shuffled rows give the same segments to the last bit."""
    frame = panel(np.random.default_rng(6).normal(size=(60, 4)))
    assert segments(frame.sample(fraction=1.0, shuffle=True, seed=1), ["region"]) == segments(frame, ["region"])


def test_a_column_that_is_not_there_is_refused():
    """The error names the columns there are."""
    with pytest.raises(NotFoundError, match="region"):
        segments(panel(np.zeros((30, 2))), ["country"])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("demand", "known only after deciding"),
        ("loaves", "what is decided"),
        ("weather", "no column"),
        ("day", "period"),
    ],
)
def test_a_segment_that_is_not_known_beforehand_is_no_segment(bakery, name, fault):
    """The data stage refuses to tell the gain apart by the outcome, the decision or a column that is not there."""
    path = bakery.root / "ideas" / "0001-same-weekday.toml"
    path.write_text(path.read_text().replace('"weekday"]', f'"{name}"]'))
    [gap] = examine_data(bakery, 1).gaps
    assert f"'{name}'" in gap.what
    assert fault in gap.what
    assert gap.remedy == "Use any of: bread, weekday, month."
    with pytest.raises(GateClosedError):
        research_idea(bakery, 1)


def test_segments_must_be_a_list_of_different_columns(bakery):
    """One text, or a column named twice, is refused with the file and the field."""
    path = bakery.root / "ideas" / "0001-same-weekday.toml"
    for said in ('"bread"', '["bread", "bread"]'):
        text = path.read_text()
        path.write_text(text.replace('["bread", "weekday"]', said))
        with pytest.raises(InvalidInputError, match=r"0001-same-weekday\.toml: segments"):
            find_idea(bakery, 1)
        path.write_text(text)
    assert replace(find_idea(bakery, 1), segments=()).segments == ()
