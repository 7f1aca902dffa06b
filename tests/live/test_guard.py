"""The problem's contract at the door of the service: the same rules as in the Data stage, for what is known before deciding."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipworthy.data.snapshot import take_snapshot
from shipworthy.engine import Replay
from shipworthy.errors import InvalidInputError
from shipworthy.live.answering import Answering
from shipworthy.live.refusals import RefusedError
from shipworthy.live.serving import Served, Serving
from shipworthy.live.shadow.shadow import run_shadow
from shipworthy.project.code import load_problem
from shipworthy.ship.release import build_release, open_release
from shipworthy.ship.rollout import Phase, read_rollout
from shipworthy.step import History
from shipworthy.store import read_log
from tests.live.stall import Server, Stall, stall_rows

DEAR = "breaks dear_on_market_days: NOT is_market OR price < 50"


@pytest.mark.parametrize(
    ("rows", "errors"),
    [
        (stall_rows(price=-1.0), [("rows[0].price", "is outside 0 to 100")]),
        (stall_rows()[:1] + stall_rows(price=101)[:1], [("rows[1].fruit", "is 'apple', as in rows[0]: each may stand once")]),
        (stall_rows(price=None), [("rows[0].price", "is empty")]),
        (stall_rows(is_market=True, price=60), [("rows[0]", DEAR)]),
        (stall_rows(is_market=True, price=160), [("rows[0].price", "is outside 0 to 100"), ("rows[0]", DEAR)]),
        (stall_rows(price=160)[::-1], [("rows[2].price", "is outside 0 to 100")]),
    ],
    ids=["a bound", "what is wrong by itself goes first", "required", "a rule", "two at once", "places as they were sent"],
)  # fmt: skip
def test_a_request_that_breaks_the_contract_is_refused_with_field_and_rule(
    shadowed: Server, rows: Any, errors: list[tuple[str, str]]
) -> None:
    """422, with the place of each row as the caller sent it, and what it breaks; nothing is decided or logged."""
    before = len(list(read_log(shadowed.folder, "decisions")))
    answer = shadowed.decide(rows=rows)
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [(error["field"], error["detail"]) for error in answer.body["errors"]] == errors
    assert len(list(read_log(shadowed.folder, "decisions"))) == before


def test_a_column_that_is_absent_is_named(shadowed: Server) -> None:
    """A required column that the request does not have is missing, whatever the contract asks of its values."""
    answer = shadowed.decide(rows=[{name: row[name] for name in ("fruit", "is_market")} for row in stall_rows()])
    assert (answer.status, answer.fields()) == (422, [f"rows[{place}].price" for place in range(3)])


def test_a_period_that_breaks_the_contract_is_named_once(shadowed: Server) -> None:
    """The period stands beside the rows, and so does what is wrong with it."""
    answer = shadowed.decide("2025-12-31")
    assert (answer.status, answer.fields(), answer.body["detail"]) == (422, ["period"], "period is below 2026-01-01")


def test_what_is_known_only_afterwards_is_not_asked_of_a_request(shadowed: Server) -> None:
    """A rule that mentions the outcome, and bounds of known_after columns, are held against rows alone."""
    assert shadowed.decide(rows=stall_rows(price=0)).status == 200


def test_the_description_says_what_the_contract_says(shadowed: Server) -> None:
    """Bounds, patterns and required columns are in /openapi.json, where callers look before they ask."""
    body = shadowed.ask("GET", "/openapi.json").body["paths"]["/v1/decide"]["post"]["requestBody"]
    properties = body["content"]["application/json"]["schema"]["properties"]["rows"]["items"]["properties"]
    assert properties["price"] == {"type": "number", "minimum": 0, "maximum": 100}
    assert properties["is_market"] == {"anyOf": [{"type": "boolean"}, {"type": "null"}]}


def _edit(stall: Stall, old: str, new: str) -> None:
    path = stall.project.root / "contracts" / "stock.toml"
    path.write_text(path.read_text().replace(old, new))


def _build(stall: Stall, policy: str) -> Served:
    """A release of a policy with the contract as it is now."""
    code, problem = load_problem(stall.project, "stock")
    snapshot = take_snapshot(stall.project, problem)
    history = History(problem, snapshot.rows)
    replay = Replay(project=stall.project, code=code, problem=problem, snapshot=snapshot.address, history=history)
    return Served(open_release(stall.project, build_release(replay, policy, None)))


def _body(**changes: Any) -> bytes:
    return json.dumps({"period": "2026-01-31", "rows": stall_rows(**changes)}).encode()


def test_a_stricter_challenger_never_stands_in_the_way(stall: Stall, tmp_path: Path) -> None:
    """What only the challenger's contract refuses is answered by the champion; the challenger's fall is in the shadow's log."""
    champion = _build(stall, "mean_of_three_days")
    _edit(stall, "max = 100", "max = 10")
    challenger = _build(stall, "one_more")
    releases = {**stall.releases, "stricter": challenger.release.id}
    Stall(stall.project, releases).move("mean_of_three_days", "stricter", phase=Phase.CANARY, share=1.0)
    rollout = read_rollout(stall.project, "stock")
    answering = Answering("stock", tmp_path)
    serving = Serving(champion=champion, challenger=challenger, rollout=rollout)
    arms = [answering.decide(serving, _body(price=price), None).entry["arm"] for price in (9.0, 60.0)]
    answering.close()
    assert arms == ["challenger", "champion"]
    run_shadow(stall.project, "stock", tmp_path, once=True)
    answers = {entry["arm"]: entry["answer"] for entry in read_log(tmp_path, "shadows")}
    assert {arm: answer["rung"] for arm, answer in answers.items()} == {"champion": "policy", "challenger": "none"}
    assert answers["challenger"]["falls"] == ["the request breaks its contract: rows[0].price is outside 0 to 10"]


def test_a_rule_that_cannot_be_told_of_a_request_refuses_it(stall: Stall) -> None:
    """Where a value cannot be cast as a rule wants it, the caller hears so, and the service goes on."""
    _edit(stall, "[rules]", '[rules]\nweight = "CAST(fruit AS INT) > 0 OR price < 50"')
    with pytest.raises(InvalidInputError, match=r"contracts/stock\.toml: whether a row breaks weight"):
        _build(stall, "one_more")
    as_number = "REPLACE(REPLACE(REPLACE(fruit, 'apple', '1'), 'fig', '2'), 'plum', '3')"
    _edit(stall, "CAST(fruit AS INT) > 0", f"CAST({as_number} AS INT) > 0")
    served = _build(stall, "one_more")
    served.contract.read_decide(_body())
    open_to_new = replace(served.contract, units=None)
    with pytest.raises(RefusedError, match="rows cannot be held against the contract") as refused:
        open_to_new.read_decide(_body(fruit="kiwi"))
    assert refused.value.status == 422


def test_without_a_contract_nothing_is_asked(stall: Stall) -> None:
    """A problem without a contract serves as before: types are checked, values are not."""
    (stall.project.root / "contracts" / "stock.toml").unlink()
    served = _build(stall, "one_more")
    assert served.contract.guard is None
    assert served.contract.read_decide(_body(price=-5.0)).rows[0]["price"] == -5.0


def test_a_contract_belongs_to_its_release(stall: Stall) -> None:
    """It is packed with the release: an edit afterwards changes nothing that serves, and makes another release."""
    path = stall.project.root / "contracts" / "stock.toml"
    name = stall.releases["one_more"]
    packed = open_release(stall.project, name)
    assert packed.contract is not None
    assert packed.contract.content == path.read_bytes()
    assert "contract.toml" in packed.manifest["files"]

    _edit(stall, "max = 100", "max = 10")
    again = open_release(stall.project, name)
    assert again.contract is not None
    assert again.contract.columns["price"].max == 100
    assert _build(stall, "one_more").release.id != name
