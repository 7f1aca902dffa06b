"""What people decide instead is noted like outcomes, and its worth is told by who did it and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from shipworthy.live.adoption import read_adoption
from shipworthy.live.answering import Answering
from shipworthy.live.serving import Served, open_serving
from shipworthy.log import read_overrides
from shipworthy.log.taken import decisions_taken
from tests.cli.typed import typed
from tests.live.stall import Server, Stall, stall_rows

DAYS = ("2026-01-31", "2026-02-01")
COLUMNS = ("day", "fruit", "laid_in", "by", "why")


@pytest.fixture
def decided(stall: Stall) -> Stall:
    """A stall that decided two days, of which the first is over."""
    stall.move("mean_of_three_days")
    answering, serving = Answering("stock", stall.project.log_folder / "stock"), open_serving(stall.project, "stock")
    for day in DAYS:
        answering.decide(serving, json.dumps({"period": day, "rows": stall_rows()}).encode(), None)
    sold = [{"day": DAYS[0], "fruit": fruit, "sold": 10} for fruit in ("apple", "fig", "plum")]
    answering.note(serving, json.dumps({"rows": sold}).encode())
    answering.close()
    return stall


def _served(stall: Stall) -> Served:
    return open_serving(stall.project, "stock").champion


def _table(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _proposed(stall: Stall) -> dict[str, float]:
    entry = next(iter(decisions_taken(stall.project, _served(stall).release.problem)))
    return {row["fruit"]: row["laid_in"] for row in entry["answers"]["champion"]["decisions"]}


def test_overrides_come_over_http_and_are_durable(stall: Stall, serve: Callable[..., Server]) -> None:
    """Posted overrides are in the log; a row without a person, or of no known unit's day, is refused by its field."""
    stall.move("mean_of_three_days")
    server = serve(workers=1)
    good = {"day": DAYS[0], "fruit": "fig", "laid_in": 9, "by": "ada", "why": "a feast"}
    assert server.ask("POST", "/v1/overrides", {"rows": [good]}).body == {"accepted": 1}
    [entry] = read_overrides(stall.project, "stock")
    assert entry["rows"] == [{**good, "laid_in": 9.0}]
    bad = server.ask("POST", "/v1/overrides", {"rows": [{**good, "by": " ", "day": "soon", "price": 1}]})
    assert (bad.status, set(bad.fields())) == (422, {"rows[0].by", "rows[0].day", "rows[0].price"})
    wrong: tuple[Any, ...] = (b"{", {"rows": []}, {"rows": [3]}, {"row": [good]}, [good])
    for body in wrong:
        assert server.ask("POST", "/v1/overrides", body).status in {400, 422}
    document = server.ask("GET", "/openapi.json").body
    [schema] = [
        content["schema"]["properties"]["rows"]["items"]
        for content in document["paths"]["/v1/overrides"]["post"]["requestBody"]["content"].values()
    ]
    assert set(schema["properties"]) == set(schema["required"]) == set(COLUMNS)


def test_the_worth_of_overrides_is_told_by_person_and_reason(decided: Stall) -> None:
    """Money of what was done less that of what was proposed, where the outcome is known; a change of mind counts once."""
    proposed = _proposed(decided)
    file = decided.project.root / "done.csv"
    _table(
        (DAYS[0], "apple", 10.0, "ada", "a feast"),
        (DAYS[0], "fig", proposed["fig"], "ada", "a feast"),
        (DAYS[0], "plum", 0.0, "bob", "rain"),
        (DAYS[1], "plum", 0.0, "bob", "rain"),
        (DAYS[1], "pear", 1.0, "bob", "rain"),
    ).write_csv(file)
    assert typed(decided.project.root, "overrides", file, "--json").json == {"new": 5, "same": 0, "refused": []}
    assert typed(decided.project.root, "overrides", file, "--json").json["same"] == 5
    found = read_adoption(decided.project, _served(decided))
    assert (found.decided, found.overridden, found.unasked, found.share) == (6, 3, 1, 0.5)
    bob, ada = found.reasons
    gained = (10 - proposed["apple"]) * 1.5 / 2  # each is sold, and costs half its price
    lost = proposed["plum"] * 3.5 / 2 - min(proposed["plum"], 10) * 3.5
    assert (ada.by, ada.why, ada.units, ada.settled) == ("ada", "a feast", 1, 1)
    assert (bob.by, bob.why, bob.units, bob.settled) == ("bob", "rain", 2, 1)
    assert [ada.worth, bob.worth] == pytest.approx([gained, lost])
    shown = typed(decided.project.root, "overrides").out
    assert "50.0% (3 of 6 units as proposed)" in shown
    assert "a feast" in shown


def test_rows_without_a_reason_are_refused_one_by_one(decided: Stall) -> None:
    """Who and why belong to every override; the rows that have them are noted."""
    file = decided.project.root / "done.parquet"
    _table((DAYS[0], "fig", 1.0, "ada", None), (DAYS[0], "plum", 1.0, "ada", "rain")).write_parquet(file)
    said = typed(decided.project.root, "overrides", file, "--json")
    assert said.code == 2
    assert [row["reason"] for row in said.json["refused"]] == ["why must not be null"]
    [entry] = read_overrides(decided.project, "stock")
    assert [row["fruit"] for row in entry["rows"]] == ["plum"]


def test_where_outcomes_follow_decisions_what_was_done_counts(decided: Stall) -> None:
    """Live evidence takes the decision as it was taken, no worth is told, and it says so; counterfactual problems keep theirs."""
    file = decided.project.root / "done.csv"
    _table((DAYS[0], "fig", 77.0, "ada", "a feast")).write_csv(file)
    typed(decided.project.root, "overrides", file)
    served = _served(decided)
    assert _proposed(decided)["fig"] != 77
    served.release = replace(served.release, problem=_not_counterfactual(served))
    [first, _] = decisions_taken(decided.project, served.release.problem)
    taken = {row["fruit"]: row["laid_in"] for row in first["answers"]["champion"]["decisions"]}
    assert taken == {**_proposed(decided), "fig": 77.0}
    found = read_adoption(decided.project, served)
    assert (found.overridden, found.is_valued, found.reasons[0].worth) == (1, False, None)


def _not_counterfactual(served: Served) -> Any:
    problem = served.release.problem
    problem.counterfactual = False
    return problem
