"""The service over real HTTP, with two workers: what it decides, and how it says no."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase
from shipworthy.step import History, Moment, seed_of, take_step
from shipworthy.store import read_log
from tests.live.stall import Server, Stall, stall_rows

Serve = Callable[..., Server]
PROBLEM_JSON = "application/problem+json"


def test_decides_every_unit_in_their_order(shadowed: Server) -> None:
    """Units come back in their own order, whatever order they were asked in, with the release that answered."""
    answer = shadowed.decide(rows=stall_rows()[::-1])
    assert answer.status == 200
    assert answer.body.keys() == {"id", "problem", "period", "release", "arm", "rung", "status", "decisions"}
    assert [row["fruit"] for row in answer.body["decisions"]] == ["apple", "fig", "plum"]
    assert (answer.body["arm"], answer.body["rung"], answer.body["status"]) == ("champion", "policy", "decided")


def test_decides_as_the_step_does(stall: Stall, serve: Serve) -> None:
    """What the service answers is what the step decides from the release's memory, digit by digit."""
    stall.move("mean_of_three_days")
    release = open_release(stall.project, stall.releases["mean_of_three_days"])
    history = History(release.problem, release.memory)
    server = serve(workers=1)
    for period in history.periods[-5:]:
        rows = history.to_decide(period)
        moment = Moment(period=period, rows=rows, history=history, seed=seed_of(release.seed, period))
        step = take_step(release.problem, moment, release.decider, release.fallback)
        answer = server.decide(str(period), rows.drop("day").to_dicts())
        assert answer.body["decisions"] == step.decisions.to_dicts()


def test_logs_what_it_answers_and_the_shadow_follows(shadowed: Server) -> None:
    """The answered decision is in the log, with its inputs; what the challenger would have decided comes from the shadow."""
    made = shadowed.decide().body
    [entry] = [entry for entry in read_log(shadowed.folder, "decisions") if entry["id"] == made["id"]]
    assert entry["rows"] == stall_rows()
    assert (entry["phase"], entry["rollout"], entry["arm"], entry["period"]) == ("shadow", 1, "champion", "2026-01-31")
    assert entry["answers"]["champion"]["decisions"] == made["decisions"]
    assert entry["answers"].keys() == {"champion"}
    [shadow] = [entry for entry in shadowed.shadows() if entry["id"] == made["id"]]
    one_more = [row["laid_in"] + 1 for row in made["decisions"]]
    assert [row["laid_in"] for row in shadow["answer"]["decisions"]] == one_more
    assert (shadow["arm"], shadow["period"], shadow["denied"]) == ("challenger", "2026-01-31", [])


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        (stall_rows(price="cheap"), ["rows[0].price"]),
        (stall_rows(price=True), ["rows[0].price"]),
        (stall_rows(price=10**400), ["rows[0].price"]),
        (stall_rows(is_market=0), ["rows[0].is_market"]),
        (stall_rows(fruit=None), ["rows[0].fruit"]),
        (stall_rows(fruit="kiwi"), ["rows[0].fruit"]),
        (stall_rows(fruit="fig"), ["rows[1].fruit"]),
        (stall_rows(colour="red", weather=3.0, sold=1), ["rows[0].colour", "rows[0].weather", "rows[0].sold"]),
        (stall_rows(day="2026-01-31", laid_in=3), ["rows[0].day", "rows[0].laid_in"]),
        ([{"fruit": "apple"}, 7], ["rows[0].price", "rows[0].is_market", "rows[1]"]),
        ([], ["rows"]),
        ("apple", ["rows"]),
    ],
)
def test_names_every_wrong_field(shadowed: Server, rows: Any, fields: list[str]) -> None:
    """A wrong type, unit, column or shape is refused with the place of each, as a problem document."""
    answer = shadowed.decide(rows=rows)
    assert answer.status == answer.body["status"] == 422
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert answer.fields() == fields


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"period": "2026-02-30"}, "period"),
        ({"period": 20260131}, "period"),
        ({"period": "0001-01-01"}, "period"),
        ({"period": None}, "period"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": True}, "time_limit"),
        ({"state": {"stock": 3}}, "state"),
        ({"state": []}, "state"),
        ({"seed": 1}, "seed"),
    ],
)
def test_names_what_is_wrong_beside_the_rows(shadowed: Server, changes: dict[str, Any], field: str) -> None:
    """Period, time limit, state and unknown members are looked at as strictly as rows."""
    answer = shadowed.ask("POST", "/v1/decide", {"period": "2026-01-31", "rows": stall_rows(), **changes})
    assert (answer.status, answer.fields()) == (422, [field])


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_numbers_that_are_none_are_named(shadowed: Server, number: str) -> None:
    """NaN and infinity, which are no JSON, are still named by their field."""
    body = f'{{"period": "2026-01-31", "rows": [{{"fruit": "fig", "price": {number}, "is_market": false}}]}}'
    answer = shadowed.ask("POST", "/v1/decide", body.encode())
    assert (answer.status, answer.fields()) == (422, ["rows[0].price"])


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"period": "\\ud800"}', b"[" * 100_000, b'{"a": NaN'])
def test_what_is_no_json_is_refused(shadowed: Server, body: bytes) -> None:
    """Broken JSON, broken text and endless nesting are the caller's fault, not a crash."""
    answer = shadowed.ask("POST", "/v1/decide", body)
    assert (answer.status, answer.headers["content-type"]) == (400, PROBLEM_JSON)


def test_lists_at_most_twenty_errors(shadowed: Server) -> None:
    """A request that is wrong all over gets the first twenty places."""
    assert len(shadowed.decide(rows=[{"fruit": 1}] * 30).fields()) == 20


def test_too_many_rows_are_refused(shadowed: Server) -> None:
    """A hundred thousand rows are told how many may come."""
    answer = shadowed.decide(rows=[{}] * 100_000)
    assert (answer.status, answer.fields()) == (413, ["rows"])


def test_a_body_that_is_too_long_is_refused_unread(shadowed: Server) -> None:
    """A hundred megabytes, announced or sent in chunks, are refused long before they are all sent."""
    connection = http.client.HTTPConnection("127.0.0.1", shadowed.port, timeout=30)
    connection.putrequest("POST", "/v1/decide")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(100 * 2**20))
    connection.endheaders()
    announced = connection.getresponse().status
    connection.close()
    connection = http.client.HTTPConnection("127.0.0.1", shadowed.port, timeout=30)
    connection.putrequest("POST", "/v1/decide")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    chunk = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
    sent = 0
    try:
        while sent < 100:
            connection.send(chunk)
            sent += 1
    except OSError:
        pass
    connection.close()
    assert announced == 413
    assert 16 <= sent < 50


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/v1/decide", 405), ("POST", "/v1/health", 405), ("GET", "/v1/../etc", 404)],
)
def test_other_doors_are_refused_in_the_same_shape(shadowed: Server, method: str, path: str, status: int) -> None:
    """An unknown path or method is a problem document too."""
    answer = shadowed.ask(method, path)
    assert (answer.status, answer.headers["content-type"], answer.body["status"]) == (status, PROBLEM_JSON, status)


def test_only_json_is_read(shadowed: Server) -> None:
    """A body that is not sent as JSON, as a foreign web page could send it, is refused."""
    assert shadowed.ask("POST", "/v1/decide", b"{}", Content_Type="text/plain").status == 415


def test_a_repeated_key_gets_the_same_answer_from_any_worker(shadowed: Server) -> None:
    """A request repeated under its key, by turns and all at once, is decided and logged once."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shadowed.decide(Idempotency_Key="order 17"), range(24)))
    assert {answer.status for answer in answers} == {200}
    assert len({str(answer.body) for answer in answers}) == 1
    assert answers[0].body["id"] == "order 17"
    lines = [line for path in shadowed.folder.glob("decisions-*") for line in path.read_text().splitlines()]
    assert len([line for line in lines if '"order 17"' in line]) == 1
    assert sum(answer.headers.get("idempotency-replayed") == "true" for answer in answers) == 23


def test_a_key_belongs_to_one_request(shadowed: Server) -> None:
    """The same key with another body is refused, and says what differs."""
    assert shadowed.decide(Idempotency_Key="order 18").status == 200
    answer = shadowed.decide(rows=stall_rows(price=9), Idempotency_Key="order 18")
    assert (answer.status, answer.fields()) == (422, ["Idempotency-Key"])
    assert "other rows" in answer.body["detail"]


def test_outcomes_are_known_to_every_worker_at_once(stall: Stall, serve: Serve) -> None:
    """Once outcomes are acknowledged, every worker's policies look back on them; a later one corrects an earlier one."""
    stall.move("mean_of_three_days")
    server = serve()
    server.wait_for_all_workers()
    for sold, wanted in ((90, 30.0), (30, 10.0)):
        for day in ("2026-01-31", "2026-02-01", "2026-02-02"):
            assert server.decide(day).status == 200
            count = sold if day == "2026-02-02" else 0
            posted = [{"day": day, "fruit": fruit, "sold": count} for fruit in ("apple", "fig", "plum")]
            assert server.ask("POST", "/v1/outcomes", {"rows": posted}).body == {"accepted": 3}
        answers = [server.decide("2026-02-03").body["decisions"] for _ in range(12)]
        assert {row["laid_in"] for decisions in answers for row in decisions} == {wanted}


def test_outcomes_correct_what_a_release_remembers(stall: Stall, serve: Serve) -> None:
    """An outcome of a day before the release was built replaces the one it was built with."""
    stall.move("mean_of_three_days")
    server = serve(workers=1)
    before = server.decide("2026-01-31").body["decisions"][1]["laid_in"]
    server.ask("POST", "/v1/outcomes", {"rows": [{"day": "2026-01-30", "fruit": "fig", "sold": 108, "weather": 1.5}]})
    after = server.decide("2026-01-31").body["decisions"][1]["laid_in"]
    assert after == pytest.approx(before + 100 / 3)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"day": "2026-01-31", "fruit": "fig"}, "rows[0].sold"),
        ({"day": "2026-01-31", "fruit": "fig", "sold": 1.5}, "rows[0].sold"),
        ({"day": "yesterday", "fruit": "fig", "sold": 1}, "rows[0].day"),
        ({"day": "2026-01-31", "fruit": "kiwi", "sold": 1}, "rows[0].fruit"),
        ({"day": "2026-01-31", "fruit": "fig", "sold": 1, "price": 2.0}, "rows[0].price"),
    ],
)
def test_wrong_outcomes_are_refused(shadowed: Server, row: dict[str, Any], field: str) -> None:
    """Outcomes are looked at as strictly as rows to decide."""
    answer = shadowed.ask("POST", "/v1/outcomes", {"rows": [row]})
    assert (answer.status, answer.fields()) == (422, [field])


def test_the_rollout_changes_without_a_restart(stall: Stall, serve: Serve) -> None:
    """Nothing is decided before the first move; every move is followed by every worker while it runs."""
    server = serve()
    assert server.ask("GET", "/v1/health").status == 503
    refused = server.decide()
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert "shipworthy ship" in refused.body["detail"]

    stall.move("mean_of_three_days")
    server.wait_for(lambda: {server.decide().status for _ in range(8)} == {200})
    stall.move("mean_of_three_days", "one_more", phase=Phase.CANARY, share=1.0)
    server.wait_for(lambda: {server.decide().body.get("arm") for _ in range(8)} == {"challenger"})
    assert server.decide().body["release"] == stall.releases["one_more"]


def test_a_silent_record_store_does_not_stop_decisions(stall: Stall, serve: Serve) -> None:
    """While the record store does not answer, the last known rollout goes on, and health says so."""
    stall.move("mean_of_three_days")
    server = serve()
    server.wait_for_all_workers()
    records = stall.project.root / ".shipworthy" / "records.db"
    stall.project.records.close()
    for path in records.parent.glob("records.db*"):
        path.write_bytes(b"no database any more" * 200)
    server.wait_for(lambda: server.ask("GET", "/v1/health").body["record_store_answers"] is False)
    assert server.decide().status == 200
    assert server.ask("GET", "/v1/health").status == 200


def test_a_broken_challenger_does_not_stop_the_champion(stall: Stall, serve: Serve) -> None:
    """A challenger that raises, or decides what is not allowed, or whose release was changed, leaves the answer alone."""
    stall.move("mean_of_three_days", "broken", phase=Phase.SHADOW)
    server = serve()
    assert server.decide(rows=stall_rows(is_market=True)).body["arm"] == "champion"
    [shadow] = server.shadows()
    assert shadow["answer"]["rung"] == "fallback"
    assert "no idea" in shadow["answer"]["falls"][0]

    manifest = stall.project.records.get("release", stall.releases["one_more"])
    assert manifest is not None
    (stall.project.root / ".shipworthy" / "objects" / manifest.body["manifest"]).write_text("{}")
    stall.move("mean_of_three_days", "one_more", phase=Phase.CANARY, share=1.0)
    server.wait_for(lambda: "changed" in (server.ask("GET", "/v1/health").body["trouble"] or ""))
    assert server.decide().body["arm"] == "champion"


def test_metrics_add_up_over_the_workers(stall: Stall, serve: Serve) -> None:
    """Whichever worker is asked, it counts what all of them did, and the shadow too."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    server = serve()
    for _ in range(20):
        assert server.decide().status == 200
    assert server.decide(rows=[]).status == 422
    server.shadows()
    lines = set(server.ask("GET", "/metrics").body.splitlines())
    assert 'shipworthy_decisions_total{arm="champion",rung="policy"} 20.0' in lines
    assert 'shipworthy_decisions_total{arm="challenger",rung="policy"} 20.0' in lines
    assert 'shipworthy_requests_total{path="/v1/decide",status="422"} 1.0' in lines


def test_describes_itself_with_the_columns_of_the_problem(shadowed: Server) -> None:
    """The OpenAPI document names each column with its type, and each door."""
    described = shadowed.ask("GET", "/openapi.json").body
    assert described["openapi"] == "3.1.0"
    doors = {"/v1/decide", "/v1/outcomes", "/v1/overrides", "/v1/health", "/v1/alive", "/metrics", "/openapi.json"}
    assert described["paths"].keys() == doors
    body = described["paths"]["/v1/decide"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    row = body["properties"]["rows"]["items"]
    assert row["required"] == ["fruit", "price", "is_market"]
    assert row["properties"]["fruit"] == {"enum": ["apple", "fig", "plum"]}


def test_answers_what_was_begun_before_it_ends(stall: Stall, serve: Serve) -> None:
    """SIGTERM to the service ends all its workers, but a decision that takes its time is answered, and logged, first."""
    stall.move("slow")
    server = serve()
    with ThreadPoolExecutor(3) as pool:
        begun = [pool.submit(server.decide) for _ in range(3)]
        time.sleep(0.5)
        server.process.terminate()
        answers = [answer.result() for answer in begun]
    assert [answer.status for answer in answers] == [200, 200, 200]
    server.process.wait(30)
    assert {entry["id"] for entry in read_log(server.folder, "decisions")} == {answer.body["id"] for answer in answers}
    with pytest.raises(OSError, match="refused"):
        server.decide()


def test_a_time_limit_is_kept(stall: Stall, serve: Serve) -> None:
    """A policy that takes longer than the caller can wait falls to the next rung, and the answer says which."""
    stall.move("slow")
    server = serve(workers=1)
    body = {"period": "2026-01-31", "rows": stall_rows(), "time_limit": 0.8}
    answer = server.ask("POST", "/v1/decide", body)
    assert (answer.status, answer.body["rung"]) == (200, "fallback")


def test_where_nothing_decides_it_says_why(stall: Stall, serve: Serve) -> None:
    """A policy and a fallback that both take too long leave no decision: 503 with the reasons, and an entry in the log."""
    stall.move("slow", "broken", phase=Phase.SHADOW)
    server = serve(workers=1)
    body = {"period": "2026-01-31", "rows": stall_rows(), "time_limit": 0.0001}
    answer = server.ask("POST", "/v1/decide", body, Idempotency_Key="order 19")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert len(answer.body["reasons"]) == 2
    [entry] = list(read_log(server.folder, "decisions"))
    assert entry["id"] == answer.body["id"] != "order 19"
    assert entry["answers"]["champion"]["rung"] == "none"
    assert server.decide(Idempotency_Key="order 19").body["id"] == "order 19"
