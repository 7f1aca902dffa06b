"""Outcomes that are corrected later: the replay sees what was known then, all else the newest, and all stages bear it."""

from datetime import datetime, time, timedelta

import polars as pl

from shipworthy.data.examine import examine_data
from shipworthy.data.profile import profile
from shipworthy.data.snapshot import take_snapshot
from shipworthy.project.code import load_problem
from shipworthy.ship.parity import prove_parity
from shipworthy.ship.release import build_release, open_release
from tests.problems import SHOP, UNITS, day, make_project, replay_of, tracks

DAYS = 40
LATE = timedelta(days=3, hours=6)  # when the correction of a day comes, after that day began
SOURCE = SHOP.replace("sw.frame(made_up_rows)", 'sw.parquet("rows.parquet", known_at="known")')


def sold(number: int, place: int, *, corrected: bool) -> int:
    """What was sold of an item on a day: at first, and as it was corrected."""
    return 3 * place + number % 7 + 100 * corrected


def revised(corrected: int = DAYS) -> pl.DataFrame:
    """Rows of which each has two revisions, the second one only before the day `corrected`."""
    return pl.DataFrame(
        [
            {
                "day": day(number),
                "item": item,
                "price": 2.0 + place,
                "sold": sold(number, place, corrected=again),
                "known": datetime.combine(day(number), time()) + (LATE if again else timedelta(days=1)),
            }
            for number in range(DAYS)
            for place, item in enumerate(UNITS)
            for again in ([False, True] if number < corrected else [False])
        ]
    ).sample(fraction=1.0, shuffle=True, seed=1)


def project_of(folder, rows):
    """A shop whose rows are these."""
    folder.mkdir(exist_ok=True)
    rows.write_parquet(folder / "rows.parquet")
    return make_project(folder, SOURCE)


def test_the_replay_sees_what_was_known_then(tmp_path):
    """Yesterday is decided by what was said of it yesterday, last week by its correction; money is what is true today."""
    yesterday, weekday = tracks(project_of(tmp_path, revised()), "today", "better")
    at = DAYS - 5

    for place, item in enumerate(UNITS):
        now = pl.col("day") == day(at), pl.col("item") == item
        [stock] = yesterday.table.filter(*now)["stock"]
        assert stock == sold(at - 1, place, corrected=False)
        [mean] = weekday.table.filter(*now)["stock"]
        assert mean == sold(at, place, corrected=True)  # of the same weekday a week and two weeks ago
        true = sold(at, place, corrected=True)
        [money] = yesterday.table.filter(*now)["value"]
        assert money == min(stock, true) * (2.0 + place) - stock


def test_a_late_correction_does_not_leak_backwards(tmp_path):
    """Without the corrections from some day on, nothing is decided otherwise until the first of them had come."""
    cut = 20
    with_all = tracks(project_of(tmp_path / "all", revised()), "better")[0].table
    without = tracks(project_of(tmp_path / "some", revised(corrected=cut)), "better")[0].table
    moved = with_all.join(without, on=["day", "item"], suffix="_without").filter(
        pl.col("stock") != pl.col("stock_without")
    )

    assert moved["day"].min() == day(cut + 7)  # the same weekday, a week later: corrected by then


def test_revisions_are_no_copies_and_count_once(tmp_path):
    """The snapshot keeps all of them, and the profile counts (day, item) pairs; the same revision twice is set apart."""
    project = project_of(tmp_path, pl.concat([revised(), revised().head(2).with_columns(sold=pl.lit(1, pl.Int64))]))
    _, problem = load_problem(project, "shop")
    snapshot = take_snapshot(project, problem)
    covered = profile(problem, snapshot.rows, n_read=snapshot.n_read, n_quarantined=snapshot.quarantined.height)

    assert snapshot.quarantined["reason"].to_list() == ["another row has the same day and item and known"] * 4
    assert snapshot.rows.height == 2 * DAYS * len(UNITS) - 2
    assert (covered.n_rows, covered.n_copies, covered.missing_units) == (DAYS * len(UNITS), 0, 0)


def test_an_idea_on_revised_rows_is_testable(tmp_path):
    """The Data stage raises no false alarm: neither leak nor chance."""
    answer = examine_data(project_of(tmp_path, revised()), 1)
    assert answer.gaps == []
    assert answer.profile["n_rows"] == DAYS * len(UNITS)


def test_a_release_remembers_the_newest_revision_and_has_parity(tmp_path):
    """Its service knows one row per key, without `known_at`, and decides as the release did where it was built."""
    project = project_of(tmp_path, revised())
    release = open_release(project, build_release(replay_of(project), "better", None))

    assert release.memory.columns == ["day", "item", "price", "sold"]
    assert not release.memory.select("day", "item").is_duplicated().any()
    assert (release.memory["sold"] >= 100).all()
    parity = prove_parity(project, release)
    assert (parity.periods, parity.equal, parity.broken) == (10, 10, ())
