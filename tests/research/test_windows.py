"""Windows: what is open and what is sealed, exploring that leaves nothing behind, and money that no door prints."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shipworthy.analysis.analyse import analyse_idea, read_analysis, read_whole_verdict
from shipworthy.analysis.report.write import write_report
from shipworthy.data.examine import examine_data
from shipworthy.engine import Window, first_replayed, judged_periods, replay, windows
from shipworthy.errors import GateClosedError, InvalidInputError
from shipworthy.ideas.lock import locked_criteria
from shipworthy.ideas.register import find_idea
from shipworthy.problem import Period
from shipworthy.research.evidence import open_evidence, pair
from shipworthy.research.exploration import asked_window, explore_idea, explored
from shipworthy.research.research import read_research, research_idea
from shipworthy.step import History
from tests.cli.typed import typed
from tests.problems import HERE, SHOP, day, make_project, replay_of, sales, shop
from tests.research.test_research import edit

SEALED = SHOP.replace("days=40", "days=150").replace(
    'decision="stock")', 'decision="stock", holdout="40d", embargo="7d")'
)
NOISY = SEALED.replace('"sold": 3 * place + day % 7', '"sold": 3 * place + day % 7 + (day * day * 37 + place * 11) % 5')
LUCKY_HOLDOUT = (
    NOISY
    + """
import random
from datetime import date

@shop.policy
class Lucky(Yesterday):
    def decide(self, now, fitted):
        luck = random.Random(now.seed).random()
        return super().decide(now, fitted).with_columns(stock=pl.col("stock") + luck * 3)

@shop.oracle
def known(now, happened):
    return happened["sold"].to_numpy()
"""
)
RAGING = LUCKY_HOLDOUT.replace("luck * 3", "luck * (3 if now.period < date(2026, 4, 14) else 300)")
KINDS: dict[str, Callable[[int], Period]] = {
    "date": day,
    "time": lambda n: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=n),
    "number": int,
}


def walked(folder, source=SEALED, **idea):
    """A small project whose data were examined."""
    project = make_project(folder, source, {1: idea}, "[research]\nworkers = 1")
    examine_data(project, 1)
    return project


def test_a_year_is_as_many_periods_as_it_has_though_outcomes_never_come(tmp_path):
    """Rows that nobody can value count in no money: a year earns what 365 periods earn."""
    holes = 'pl.when((pl.col("item") != "jam") | (pl.col("day").dt.day() % 3 > 0)).then("sold")'
    rows = f"sw.frame(made_up_rows).then(lambda raw: raw.with_columns(sold={holes}))"
    project = walked(tmp_path / "shop", SHOP.replace("days=40", "days=150").replace("sw.frame(made_up_rows)", rows))
    research_idea(project, 1)

    found = analyse_idea(project, 1).verdict

    assert 2 < found.exposure.pairs_per_period < 3
    assert found.per_year().gain == pytest.approx(365 * found.per_period().gain)


@settings(max_examples=150, deadline=None)
@given(
    numbers=st.sets(st.integers(0, 60), min_size=2, max_size=40),
    kind=st.sampled_from(sorted(KINDS)),
    warm_up=st.integers(0, 20),
    holdout=st.integers(1, 40),
    embargo=st.integers(0, 20),
)
def test_development_embargo_and_holdout_part_what_is_replayed(numbers, kind, warm_up, holdout, embargo):
    """Every replayed period is in one of the three, in this order, and the two spans are as long as declared."""
    kinds: dict[str, Callable[[int], Period]] = {
        "date": day,
        "time": lambda n: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=n),
        "number": int,
    }
    at = kinds[kind]
    rows = sales([at(n) for n in sorted(numbers)])
    problem = shop(warm_up=f"{warm_up}d", holdout=f"{holdout}d", embargo=f"{embargo}d")
    history = History(problem, rows)
    assume(max(numbers) - min(numbers) >= warm_up)
    first = first_replayed(problem, history)
    replayed = {n for n in numbers if at(n) >= first}
    sealed = {n for n in replayed if n > max(replayed) - holdout}
    is_open = {n for n in replayed if n < min(sealed) - embargo}
    if not is_open:
        with pytest.raises(InvalidInputError, match="Nothing is left to develop on"):
            windows(problem, history)
        return
    divided = windows(problem, history)

    assert divided.development.of(history.periods) == [at(n) for n in sorted(is_open)]
    assert judged_periods(problem, history) == divided.holdout.of(history.periods) == [at(n) for n in sorted(sealed)]


def test_without_a_holdout_everything_is_open_and_judged():
    """Nothing is sealed that nobody sealed."""
    problem, rows = shop(), sales(12)
    history = History(problem, rows)
    assert windows(problem, history).holdout is None
    assert judged_periods(problem, history) == history.periods[4:]


@pytest.mark.parametrize("declared", [{"holdout": "0d"}, {"embargo": "7d"}, {"holdout": "soon"}])
def test_a_holdout_that_says_nothing_is_refused(declared):
    """An empty holdout, an embargo of nothing and a text that is no span are mistakes, found at once."""
    with pytest.raises(InvalidInputError):
        shop(**declared)


@pytest.mark.parametrize(("carried", "needed"), [(False, 2), (True, 3)])
def test_a_range_gives_what_the_whole_replay_gives_there(tmp_path, carried, needed):
    """Exploring decides as the whole replay does, runs only the blocks it needs, and shares them."""
    source = SHOP + (
        "\n@shop.transition\ndef step(state, happened):\n    return {'n': state.get('n', 0) + 1}\n" * carried
    )
    replayed = replay_of(make_project(tmp_path / "shop", source))
    asked = (day(21), day(28))
    part = replay(replayed, "better", HERE, between=asked)
    whole = replay(replayed, "better", HERE)

    assert (part.blocks, whole.blocks) == (needed, 4)
    assert whole.fits == 4 - needed
    assert part.without_telemetry().equals(Window(*asked).cut(whole.without_telemetry(), "day"))


def test_exploring_leaves_no_record_and_locks_nothing(tmp_path):
    """Afterwards there is no evidence, no lock and no open gate; the difference is that of the pairs."""
    project = walked(tmp_path / "shop", SHOP)
    seen = explore_idea(project, 1, first="2026-01-20", last=day(25))
    replayed = replay_of(project)
    paired = pair(replayed.problem, *(replay(replayed, name, HERE) for name in ("today", "better")))
    of_range = Window(day(19), day(25)).cut(paired, "period")
    sums = [float(of_range[f"value_{role}"].sum()) / 7 for role in ("champion", "challenger")]

    assert project.records.get("research", "0001") is None
    assert locked_criteria(project, find_idea(project, 1)) is None
    assert (seen.first, seen.last, seen.periods) == ("2026-01-20", "2026-01-26", 7)
    assert [seen.champion, seen.challenger, seen.difference] == pytest.approx([*sums, sums[1] - sums[0]])


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("2026-01-20", "2026-04-25", r"reaches beyond .* 2026-02-20 to 2026-04-13.*Explore up to 2026-04-13"),
        ("2026-05-20", None, "No period"),
        ("2026-04-14", "2026-04-20", "reaches beyond"),
        ("2026-01-01", "2026-01-05", "Choose from 2026-02-20 to 2026-04-13"),
        ("yesterday", None, "'yesterday' is no period of these rows. Write it like 2026-05-30"),
        (7, None, "7 is no period"),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_explored_is_refused(tmp_path, first, last, says):
    """Sealed, embargoed, not replayed, or no period at all: the message says what is open."""
    replayed = replay_of(make_project(tmp_path / "shop", SEALED))
    with pytest.raises(InvalidInputError, match=says):
        asked_window(replayed, first, last)


def test_a_day_among_hours_is_meant_whole(tmp_path):
    """Up to a day means up to its last hour, in the time zone of the rows."""
    source = SHOP.replace("FIRST = date(2026, 1, 1)", "FIRST = datetime(2026, 1, 1)").replace("days=day", "hours=day")
    replayed = replay_of(make_project(tmp_path / "shop", source.replace("days=40", "days=90")))
    window = asked_window(replayed, "2026-01-02T10:00", "2026-01-03")
    assert (str(window.first), str(window.last)) == ("2026-01-02 10:00:00", "2026-01-03 23:00:00")


def test_research_keeps_evidence_of_both_windows(tmp_path):
    """The verdict answers from the holdout alone; the development window is kept beside it, with its difference."""
    project = walked(tmp_path / "shop")
    found = research_idea(project, 1)
    sealed, is_open = (open_evidence(project, address) for address in (found.evidence, found.development))

    assert found.holdout == {"first": "2026-04-21", "last": "2026-05-30", "periods": 40}
    assert (str(sealed["period"].min()), sealed["period"].n_unique()) == ("2026-04-21", 40)
    assert (str(is_open["period"].max()), is_open["period"].n_unique()) == ("2026-04-13", 53)
    assert found.explored["difference"] == explore_idea(project, 1).difference
    assert project.records.get("data", "0001").body["provable"]["periods"] == 40
    assert locked_criteria(project, find_idea(project, 1))["holdout"] == "40d, embargo 7d"
    assert read_research(project.records.get("research", "0001")) == found
    assert analyse_idea(project, 1).verdict.decision == "ship"


def test_another_holdout_than_was_locked_is_refused(tmp_path):
    """Who opens the holdout, or moves it, begins a new idea."""
    project = walked(tmp_path / "shop")
    research_idea(project, 1)
    other = edit(project, "problem.py", ', holdout="40d", embargo="7d"', "")
    examine_data(other, 1)
    for verb in (research_idea, explore_idea):
        with pytest.raises(
            GateClosedError, match="locked as 40d, embargo 7d when research started; the problem now says none"
        ):
            verb(other, 1)


def _figures(value):
    """Every number of a record, at any depth."""
    if isinstance(value, dict):
        return {figure for inner in value.values() for figure in _figures(inner)}
    if isinstance(value, list | tuple):
        return {figure for inner in value for figure in _figures(inner)}
    return {value} if isinstance(value, float) and math.isfinite(value) else set()


def assert_no_sealed_figure(whole, shown, printed):
    """Nothing that the whole verdict knows and the shown one does not stands in a text."""
    sealed = _figures({name: value for name, value in whole.to_dict().items() if name != "criteria"}) - {0.0, 1.0}
    sealed |= {gain for money in (whole.per_period(), whole.per_year()) for gain in (money.gain, money.low, money.high)}
    sealed -= _figures(shown.to_dict())
    assert len(sealed) > 15
    printed = printed.replace("\N{MINUS SIGN}", "-")
    for figure in sealed:
        for text in {f"{figure:.4g}", f"{figure:,.2f}", f"{figure:,.0f}", repr(figure)}:
            assert len(text.strip("-")) < 5 or not re.search(rf"(?<![\d.,]){re.escape(text)}(?![\d])", printed), (
                figure,
                text,
            )


@pytest.mark.parametrize("decision", ["stop", "inconclusive"])
def test_no_door_prints_the_money_of_a_holdout_that_was_not_shipped(tmp_path, decision):
    """In what every verb, the report and every --json say, there is none of the figures that the whole verdict holds."""
    folder = tmp_path / "shop"
    gains = explored_holdout(tmp_path / "peek")
    worth = {"stop": gains + 50.0, "inconclusive": gains - 0.01}[decision]
    project = walked(folder, NOISY, worth=f"smallest_gain = {worth}")
    verbs = [
        ("data", 1, "--report"),
        ("research", 1),
        ("analyse", 1),
        ("ship", 1),
        ("idea", "show", 1),
        ("status",),
        ("ledger",),
        ("history",),
        ("compare", "--sort", "gain"),
        ("compare", "--html"),
        ("compare", "--csv", "ideas.csv"),
    ]
    said = [typed(folder, *verb, *flags) for verb in verbs for flags in ((), ("--json",))]
    printed = "\n".join(one.out + one.err for one in said)
    pages = sorted(folder.joinpath("reports").glob("*.html"))
    printed += "\n".join(path.read_text(encoding="utf-8") for path in (*pages, folder / "ideas.csv"))
    record = project.records.get("verdict", "0001")
    whole, shown = read_whole_verdict(record), read_analysis(record).verdict

    assert [path.name for path in pages] == ["0001-idea-data.html", "0001-idea.html", "compare.html"]
    assert whole.decision == shown.decision == decision
    assert decision in printed
    assert whole.per_period().gain == pytest.approx(gains)
    assert_no_sealed_figure(whole, shown, printed)
    assert [json.loads(one.out)["per_period"] for one in said if '"per_period"' in one.out] == [
        {"gain": None, "low": None, "high": None}
    ]


def explored_holdout(folder):
    """The mean gain a period of the holdout, which only a test may look up."""
    project = walked(folder, NOISY)
    found = research_idea(project, 1)
    return explored(replay_of(project).problem, open_evidence(project, found.evidence)).difference


def test_a_ship_opens_its_verdict_but_no_figures_per_unit(tmp_path):
    """On ship the interval comes out; what each unit and each period earned stays sealed."""
    project = walked(tmp_path / "shop", NOISY.replace('embargo="7d"', 'embargo="7d", ideas_planned=1'))
    research_idea(project, 1)
    found = analyse_idea(project, 1)
    page = write_report(project, 1)[0].read_text(encoding="utf-8")

    assert (str(found.verdict.decision), found.is_sealed) == ("ship", True)
    assert found.verdict.low > 0
    assert "Over 40 days of history" in page
    assert "Holdout, sealed" in page
    assert "Gain by item" not in page


def test_the_page_of_a_sealed_holdout_tells_what_was_open(tmp_path):
    """Regret, solver noise and the difference are those of the open periods, and the page says so."""
    project = walked(tmp_path / "shop", LUCKY_HOLDOUT, worth="smallest_gain = 11.0", texts={"challenger": "lucky"})
    found = research_idea(project, 1, repetitions=3)
    analyse_idea(project, 1)
    page = write_report(project, 1)[0].read_text(encoding="utf-8")
    text = " ".join(
        re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-").split()
    )
    seen = found.explored

    assert (
        f"Development, open {seen['first']} {seen['last']} 53 {seen['champion']:.2f} {seen['challenger']:.2f}" in text
    )
    assert "Holdout, sealed 2026-04-21 2026-05-30 40 sealed sealed sealed" in text
    assert "Replayed under 3 seeds, before the sealed holdout, 2026-02-20 to 2026-04-13:" in text
    assert found.noise["challenger"] > 0.0
    assert "Before the sealed holdout, of the" in text
    assert "left to gain in 53 days, before the sealed holdout" in text
    assert {one["periods"] for one in found.regret.values()} == {53}
    record = project.records.get("verdict", "0001")
    assert_no_sealed_figure(read_whole_verdict(record), read_analysis(record).verdict, page)


def test_the_noise_of_a_sealed_holdout_stays_sealed(tmp_path):
    """Chance that rages in the holdout alone leaves no trace in what is told of the open periods."""
    calm, wild = (
        research_idea(walked(tmp_path / name, source, texts={"challenger": "lucky"}), 1, repetitions=3)
        for name, source in (("calm", LUCKY_HOLDOUT), ("wild", RAGING))
    )
    assert calm.evidence != wild.evidence
    assert calm.noise == wild.noise


def test_power_is_planned_with_what_was_open_to_earlier_challengers(tmp_path):
    """What an earlier challenger did in its holdout does not show in what the next idea is told it can prove."""
    shown = []
    for name, source in (("calm", LUCKY_HOLDOUT), ("wild", RAGING)):
        ideas = {1: {"texts": {"challenger": "lucky"}}, 2: {"texts": {"challenger": "better"}}}
        project = make_project(tmp_path / name, source, ideas, "[research]\nworkers = 1")
        examine_data(project, 1)
        research_idea(project, 1)
        shown.append(examine_data(project, 2).provable)
    assert shown[0]["source"] == "earlier challengers"
    assert shown[0] == shown[1]


def test_the_command_line_explores_and_names_what_counts(tmp_path):
    """`--development` and a range print the difference and say that they do not count; sealed ranges end with exit code 2."""
    project = walked(tmp_path / "shop")
    development = typed(project.root, "research", 1, "--development")
    part = typed(project.root, "research", 1, "--from", "2026-03-01", "--to", "2026-03-14", "--json")
    refused = typed(project.root, "research", 1, "--to", "2026-05-01")

    assert re.search(
        r"Exploring +2026-02-20 to 2026-04-13: 53 periods.*\n +champion .* a difference of ", development.out
    )
    assert "nothing is locked and no record is left; this is no verdict" in " ".join(development.out.split())
    assert part.json["periods"] == 14
    assert (refused.code, "is sealed" in " ".join(refused.err.split())) == (2, True)
    assert not list(project.records.find("research"))
