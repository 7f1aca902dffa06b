"""The page about the data: it answers first, it names what is odd, and it is there for a refused idea too."""

import re
from html import unescape

import pytest

from shipworthy.analysis.report.data_page import draw_coverage, write_data_page
from shipworthy.data.examine import examine_data
from shipworthy.errors import NotFoundError
from shipworthy.project import Project


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
    assert "<script" not in page


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
