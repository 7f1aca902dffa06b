"""Ideas compared: what is on record stands there, what is sealed or unknown does not, and currencies stay apart."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from shipworthy.analysis.analyse import read_analysis
from shipworthy.analysis.comparison import Compared, by_currency, compare_ideas, in_order
from shipworthy.analysis.decision import Decision
from shipworthy.analysis.gain import Gain
from shipworthy.analysis.report.comparison_page import headline, render_comparison, write_comparison
from shipworthy.errors import NotFoundError
from shipworthy.ideas.idea import Idea
from shipworthy.project import Project
from shipworthy.research.research import last_research
from shipworthy.ship.standing import standing
from shipworthy.store import Change


def rows_of(project: Project, *numbers: int, **asked: Any) -> list[Compared]:
    """The ideas, standing where the gates say."""
    return compare_ideas(project, standing, numbers, **asked)


def some_idea(number: int, gain: float | None = None, currency: str = "EUR", **rest: Any) -> Compared:
    """An idea with a gain of that much a year, give or take 5."""
    interval = None if gain is None else Gain(gain=gain, low=gain - 5.0, high=gain + 5.0)
    fields = {"title": f"Idea {number}", "problem": "bakery", "challenger": "x", "stands": "ship", **rest}
    return Compared(idea=number, gain=interval, currency=currency, **fields)


def begin(project: Project, number: int, **fields: str) -> None:
    """Writes the file of another idea."""
    texts = {"title": "Another", "problem": "bakery", "challenger": "same_weekday", **fields}
    lines = "\n".join(f'{name} = "{text}"' for name, text in texts.items())
    (project.root / "ideas" / f"{number:04d}-another.toml").write_text(lines, encoding="utf-8")


def change(project: Project, kind: str, number: int, **fields: Any) -> None:
    """Records what the first idea's record says, for any idea, with some fields changed."""
    body = {**project.records.get(kind, "0001").body, "idea": f"{number:04d}", **fields}
    project.records.add(Change(kind=kind, key=f"{number:04d}", body=body), by="tester")


def test_a_row_says_what_the_records_say(walked: Project):
    """Verdict, gain a year, harm, periods, regret, falls and speed are those of research and analysis."""
    [row] = rows_of(walked)
    analysis = read_analysis(walked.records.get("verdict", "0001"))
    research = last_research(walked, Idea(number=1, slug="same-weekday"))

    assert (row.idea, row.problem, row.challenger) == (1, "bakery", "same_weekday")
    assert (row.stands, row.decision, row.currency) == ("ship", Decision.SHIP, "EUR")
    assert row.gain == analysis.verdict.per_year()
    assert row.harm == analysis.verdict.probability_of_harm
    assert (row.periods, row.repetitions, row.looks, row.misses) == (research.periods, 1, 0, None)
    assert row.regret == research.regret["challenger"]["share"]
    assert row.seconds == research.seconds["challenger"]
    assert row.falls == 0.0


def test_ideas_without_a_verdict_stand_there_too(walked: Project):
    """A sentence alone, and one that was replayed: each says where it stands, and nothing that is not known."""
    begin(walked, 2, challenger="")
    begin(walked, 3)
    change(walked, "research", 3, falls={"champion": {"policy": 4}, "challenger": {"policy": 3, "last plan": 1}})
    _, sentence, replayed = rows_of(walked)

    assert sentence.stands == "to be completed"
    assert {sentence.decision, sentence.gain, sentence.periods, sentence.currency} == {None}
    assert (replayed.decision, replayed.gain) == (None, None)
    assert replayed.falls == 0.25
    assert "The idea has no challenger." in sentence.misses
    assert "The idea does not say what would be decided differently." in replayed.misses


@pytest.mark.parametrize("field", ["evidence", "code"])
def test_a_verdict_on_older_evidence_is_none(walked: Project, field: str):
    """Where research ran again, the old verdict is not shown beside the new figures."""
    change(walked, "research", 1, **{field: "another"})
    [row] = rows_of(walked)
    assert (row.decision, row.gain, row.harm) == (None, None, None)
    assert row.periods is not None


def test_figures_of_another_challenger_than_the_idea_names_are_none(walked: Project):
    """Where the idea was given to another policy, what was replayed before is not shown under its name."""
    change(walked, "research", 1, challenger="yesterday")
    [row] = rows_of(walked)
    assert (row.challenger, row.decision, row.periods, row.regret) == ("same_weekday", None, None, None)
    assert (
        row.misses
        == "The evidence is of another problem or challenger than the idea names. Run `shipworthy research 1`."
    )


def test_the_looks_of_both_policies_count(walked: Project):
    """Candidates that either policy's fits tried, and the seeds of the replay, stand beside the verdict."""
    change(walked, "research", 1, looks={"champion": 30, "challenger": 120}, repetitions=5)
    [row] = rows_of(walked)
    assert (row.looks, row.repetitions) == (150, 5)
    assert "5 repetitions" in render_comparison([row])


def test_a_sealed_verdict_gives_its_decision_alone(walked: Project):
    """Neither the row, nor what programs read of it, holds a figure that was withheld."""
    whole = read_analysis(walked.records.get("verdict", "0001")).verdict
    stopped = {**whole.to_dict(), "decision": "stop"}
    withheld = type(whole).from_dict(stopped).withheld().to_dict()
    change(walked, "research", 1, holdout={"first": "a", "last": "b", "periods": 40})
    change(walked, "verdict", 1, verdict=withheld, sealed=stopped, is_sealed=True)
    [row] = rows_of(walked)

    assert (row.decision, row.gain, row.harm, row.periods) == (Decision.STOP, None, None, 40)
    assert {row.to_dict()[name] for name in ("gain", "low", "high", "harm")} == {None}
    assert by_currency([row]) == {}


def test_ideas_are_chosen_by_number_problem_and_verdict(walked: Project):
    """Each choice narrows; what is not there is said."""
    begin(walked, 2)
    begin(walked, 3, problem="shop")
    assert [row.idea for row in rows_of(walked, 3, 1, 1)] == [1, 3]
    assert [row.idea for row in rows_of(walked, problem="bakery")] == [1, 2]
    assert [row.idea for row in rows_of(walked, decision=Decision.SHIP)] == [1]
    assert rows_of(walked, decision=Decision.INVALID) == []
    with pytest.raises(NotFoundError, match="No idea 9"):
        rows_of(walked, 1, 9)
    with pytest.raises(NotFoundError, match=r"No idea about problem 'shp'\. Did you mean 'shop'"):
        rows_of(walked, problem="shp")


def test_ideas_are_ordered_and_the_unknown_comes_last():
    """The largest gain and the smallest harm first, the other way round on demand; currencies are never mixed."""
    rows = [
        some_idea(1, 10.0, harm=0.3, title="b"),
        some_idea(2, title="C"),
        some_idea(3, 900.0, "JPY", title="d"),
        some_idea(4, 20.0, harm=0.1, title="A"),
    ]

    def numbers(by: Any, reverse: bool = False) -> list[int]:
        return [row.idea for row in in_order(rows, by, reverse=reverse)]

    assert numbers("gain") == [4, 1, 3, 2]
    assert numbers("gain", reverse=True) == [1, 4, 3, 2]
    assert numbers("harm") == [4, 1, 2, 3]
    assert numbers("title") == [4, 1, 2, 3]
    assert numbers("number", reverse=True) == [4, 3, 2, 1]


def test_each_currency_has_a_plot_of_its_own():
    """Yen and euros never lie on one axis, and an open interval lies on none."""
    rows = [some_idea(1, 10.0), some_idea(2, 900.0, "JPY"), some_idea(3, 12.0), some_idea(4)]
    open_ended = Compared(
        **{**_fields(some_idea(5, 1.0)), "gain": Gain(gain=1.0, low=-float("inf"), high=float("inf"))}
    )
    drawn = by_currency([*rows, open_ended])
    page = render_comparison([*rows, open_ended])

    assert {currency: [row.idea for row in of_it] for currency, of_it in drawn.items()} == {"EUR": [1, 3], "JPY": [2]}
    assert page.count("<figure>") == 2
    for figure in re.findall(r"<figure>.*?</figure>", page, flags=re.DOTALL):
        assert len({currency for currency in ("EUR", "JPY") if currency in figure}) == 1
    assert "unknown to unknown" in page


def test_the_page_is_whole_loads_nothing_and_escapes_what_people_wrote(walked: Project):
    """One file without scripts; a title is text; the same records give the same page."""
    begin(walked, 2, title="Toss <script>alert(1)</script> dice")
    change(walked, "research", 2)
    change(walked, "verdict", 2)
    rows = rows_of(walked)
    path = write_comparison(walked, rows)
    page = path.read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))

    assert path == walked.root / "reports" / "compare.html"
    assert page == render_comparison(rows)
    assert page.count("<script>") == 1  # our own
    assert "<script>alert" not in page
    assert "http" not in re.sub(r"http://www.w3.org/\S+|http-equiv", "", page)
    assert "2. Toss <script>alert(1)</script> dice" in text
    assert "2 ideas: 2 to ship" in text
    for row in rows:
        assert f"{row.gain.gain:,.2f} EUR" in text


def test_the_headline_counts_verdicts():
    """So many to ship, to stop and without a verdict; or nothing at all."""
    assert headline([]) == "No idea to compare yet"
    assert headline([some_idea(1)]) == "1 idea: 1 without a verdict"
    rows = [some_idea(1, decision=Decision.STOP), some_idea(2, decision=Decision.SHIP), some_idea(3)]
    assert headline(rows) == "3 ideas: 1 to ship, 1 to stop, 1 without a verdict"
    assert "<h1>No idea to compare yet</h1>" in render_comparison([])


def _fields(row: Compared) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Compared.__slots__}
