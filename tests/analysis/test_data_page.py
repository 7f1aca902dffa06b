"""The page about the data: it answers first, it names what is odd, and it is there for a refused idea too."""

import re
from html import unescape

import pytest

from shipworthy.analysis.report.data_page import draw_coverage, write_data_page
from shipworthy.data.examine import examine_data
from shipworthy.data.leakage import NO_LEAKS, NOT_COVERED
from shipworthy.data.provable import power_facts
from shipworthy.errors import NotFoundError
from shipworthy.project import Project
from shipworthy.store import Change
from tests.cli.typed import typed


def text_of(page: str) -> str:
    """What a reader sees."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def test_the_page_answers_first_and_then_shows_every_column(bakery: Project):
    """Testable, with the gain that can be shown, the coverage and a row for each column."""
    answer = examine_data(bakery, 1)
    path = write_data_page(bakery, 1)
    page = path.read_text()
    text = text_of(page)

    assert path.name == "0001-same-weekday-data.html"
    assert text.index("The data can answer it") < text.index("What the rows hold")
    assert f"{answer.provable['smallest_detectable']:,.2f} EUR" in text
    for column in answer.profile["columns"]:
        assert f'<th scope="row">{column["name"]}</th>' in page
    assert "http" not in re.sub(r"http://www.w3.org/\S+|http-equiv", "", page)
    assert page.count("<script>") == 1  # our own


def test_a_refused_idea_has_its_page_with_the_reason(bakery: Project):
    """What is missing, and what to do about it, stands where the answer stands."""
    problem = bakery.root / "problem.py"
    problem.write_text(problem.read_text().replace("counterfactual=True", "counterfactual=False"))
    if "counterfactual=False" not in problem.read_text():
        problem.write_text(problem.read_text().replace('outcome="', 'counterfactual=False, outcome="', 1))
    answer = examine_data(bakery, 1)
    text = text_of(write_data_page(bakery, 1).read_text())
    assert "The data cannot answer it" in text
    assert str(answer.gaps[0]) in text


def test_data_that_were_never_examined_have_no_page(bakery: Project):
    """The error names the command that examines them."""
    with pytest.raises(NotFoundError, match="Run `shipworthy data 1`"):
        write_data_page(bakery, 1)


@pytest.mark.parametrize("periods", [["3", "4", "5"], ["2026-01-01", "2026-01-02"], ["2026-01-01 00:00:00.000000"]])
def test_coverage_is_drawn_for_numbers_days_and_hours(periods):
    """Periods were recorded as text, and lie on their own axis again."""
    covered = {"coverage": [(period, 3.0) for period in periods], "n_rows": 9, "first": "a", "last": "b"}
    assert "<svg" in draw_coverage(covered).wide


def test_what_the_proofs_say_stands_on_the_page(bakery: Project):
    """What was tried, what no experiment can show, and the power with its ceiling, a year, and what it was planned with."""
    answer = examine_data(bakery, 1)
    text = text_of(write_data_page(bakery, 1).read_text())

    for fact in (NO_LEAKS, NOT_COVERED.partition(": ")[2], *power_facts(answer.provable).values()):
        assert fact in text
    assert f"{answer.provable['ceiling']:,.2f} EUR" in text
    assert f"contracts/bakery.toml, {answer.contract}" in text
    assert "Rule that is broken" not in text


def test_rules_stand_with_how_many_rows_break_them(bakery: Project):
    """A contract that some rows break: each reason with its count, the commonest first."""
    contract = bakery.root / "contracts" / "bakery.toml"
    contract.write_text(
        '[columns]\ndemand = { type = "number", max = 60 }\nbread = { type = "text", pattern = "[a-z]+" }\n'
    )
    answer = examine_data(bakery, 1)
    text = text_of(write_data_page(bakery, 1).read_text())

    assert answer.profile["n_quarantined"] == answer.broken["demand is above 60"] > 0
    assert f"demand is above 60 {answer.broken['demand is above 60']:,} " in text
    assert f"kept as {answer.quarantine}" in text


def test_a_leak_is_told_with_where_it_came_from(bakery: Project):
    """What was found, and in which columns; nothing is said of a proof that was not made."""
    examine_data(bakery, 1)
    record = bakery.records.get("data", "0001")
    leak = {
        "kind": "decision",
        "columns": ["loaves"],
        "sources": ["demand"],
        "period": "2025-05-01",
        "why": "It peeks.",
    }
    refused = {"leaks": [leak], "provable": None, "gaps": [["It leaks: It peeks.", "Let it not."]]}
    bakery.records.add(Change(kind="data", key="0001", body={**record.body, **refused}), by="tester")
    text = text_of(write_data_page(bakery, 1).read_text())

    assert "Found It peeks. Shows in loaves Comes from demand First seen at 2025-05-01" in text
    assert NO_LEAKS not in text
    assert "Can show" not in text


def test_a_history_that_can_show_nothing_says_so(bakery: Project):
    """No gain is infinite on the page."""
    examine_data(bakery, 1)
    record = bakery.records.get("data", "0001")
    shown = record.body["provable"] | {"smallest_detectable": float("inf"), "ceiling": None}
    bakery.records.add(Change(kind="data", key="0001", body={**record.body, "provable": shown}), by="tester")
    text = text_of(write_data_page(bakery, 1).read_text())

    assert "Gain it can show none" in text
    assert "inf" not in text.lower().split()
    assert "Left to gain at most" not in text


def test_the_command_line_writes_the_page_of_a_refused_idea_too(bakery: Project):
    """Its path is printed, the exit code is the answer's, and without a number there is no page."""
    written = typed(bakery.root, "data", 1, "--report")
    toml = next((bakery.root / "ideas").glob("0001-*.toml"))
    toml.write_text(toml.read_text().replace('challenger = "same_weekday"', 'challenger = "yesterday"'))
    refused = typed(bakery.root, "data", 1, "--report", "--json")
    page = bakery.root / "reports" / "0001-same-weekday-data.html"

    assert (written.code, refused.code) == (0, 4)
    assert f"Report               {page.relative_to(bakery.root)}" in written.out
    assert refused.json["report"] == str(page.relative_to(bakery.root))
    assert "The data cannot answer it" in page.read_text()
    assert typed(bakery.root, "data", "--draft-contract", "--report").code == 2
