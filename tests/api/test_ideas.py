"""Ideas over HTTP: lists, pages, editions and refusals; and the feed of what was recorded."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.request import urlopen

import pytest

from shipworthy.api.client import Client
from shipworthy.errors import GateClosedError, InvalidInputError, NotFoundError
from tests.api.serving import Server, wait_for


def test_pages_of_a_list_follow_one_another(laptop: Server) -> None:
    """The pages of a list hold each of its ideas once, in their order, and Link leads from one to the next."""
    client = Client(laptop.url)
    for title in ("Cinnamon buns", "An earlier oven", "Butter"):
        client.create_idea(title=title, problem="kiosk", owner="ben")
    path = laptop.project("/ideas?limit=2&sort=-title&owner=ben")
    seen = []
    while path:
        got = laptop.ask("GET", path)
        seen += [card["title"] for card in got.body["items"]]
        path = got.headers["link"].partition(">")[0].lstrip("<") if "link" in got.headers else ""
    assert seen == sorted(seen, reverse=True)
    assert {"Cinnamon buns", "An earlier oven", "Butter"} <= {*seen}
    assert client.ideas(q="cinnamon BEN")["total"] == 1
    assert [card["title"] for card in client.each("ideas", limit=1, q="butter")] == ["Butter"]


def test_a_cursor_of_another_list_is_refused(laptop: Server) -> None:
    """A cursor counts for the filters and order that it was given with; anything else in its place is refused."""
    client = Client(laptop.url)
    cursor = client.ideas(limit=1)["next"]
    for wrong in ({"cursor": cursor, "sort": "title"}, {"cursor": "nonsense"}, {"cursor": "W10"}):
        with pytest.raises(InvalidInputError, match="cursor"):
            client.ideas(limit=1, **wrong)


def test_an_edit_names_what_it_has_seen(laptop: Server) -> None:
    """An unchanged idea is not sent again; an edit without its edition, or of an older one, changes nothing."""
    number = Client(laptop.url).create_idea(title="Rye at noon", problem="kiosk")["number"]
    path = laptop.project(f"/ideas/{number}")
    first = laptop.ask("GET", path)
    assert laptop.ask("GET", path, If_None_Match=first.headers["etag"]).status == 304
    assert laptop.ask("PATCH", path, {"owner": "ann"}).status == 428
    changed = laptop.ask("PATCH", path, {"owner": "ann"}, If_Match=first.headers["etag"])
    assert (changed.status, changed.body["idea"]["owner"]) == (200, "ann")
    assert laptop.ask("PATCH", path, {"owner": "ben"}, If_Match=first.headers["etag"]).status == 412
    again = laptop.ask("GET", path, If_None_Match=first.headers["etag"])
    assert (again.status, again.body["idea"]["owner"]) == (200, "ann")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "says"),
    [
        ("GET", "/api/v1/nowhere", None, {}, 404, "openapi.json"),
        ("DELETE", "/api/v1/me", None, {}, 405, "GET"),
        ("GET", "/api/v1/projects/none/ideas", None, {}, 404, "kiosk"),
        ("GET", "/api/v1/projects/kiosk/ideas/99", None, {}, 404, "idea 99"),
        ("GET", "/api/v1/projects/kiosk/ideas/" + "9" * 5000, None, {}, 404, "number"),
        ("GET", "/api/v1/projects/kiosk/ideas?stag=ship", None, {}, 422, "stag"),
        ("GET", "/api/v1/audit?since=0001-01-01T00:00:00%2B14:00", None, {}, 422, "since"),
        ("GET", "/api/v1/projects/kiosk/ideas?limit=1&limit=2", None, {}, 422, "limit"),
        ("POST", "/api/v1/projects/kiosk/ideas", {"title": "x", "ownr": "ann"}, {}, 422, "ownr"),
        ("POST", "/api/v1/projects/kiosk/ideas", b"{", {}, 400, "JSON"),
        ("POST", "/api/v1/projects/kiosk/ideas", b"title=x", {"Content_Type": "text/plain"}, 415, "JSON"),
        ("GET", "/api/v1/me", None, {"Accept": "image/png"}, 406, "application/json"),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_refused_as_a_document(
    laptop: Server, method: str, path: str, body: object, headers: dict[str, str], status: int, says: str
) -> None:
    """Each refusal is a problem document that names what was wrong, under the request's own id."""
    got = laptop.ask(method, path, body, **headers, X_Request_Id="mine-7")
    assert (got.status, got.headers["content-type"]) == (status, "application/problem+json")
    assert (got.body["status"], says in got.body["detail"]) == (status, True)
    assert got.headers["x-request-id"] == "mine-7"


def test_what_came_of_a_stage_is_told(laptop: Server) -> None:
    """Gates, locked criteria, evidence, verdict and report of an idea that was judged; of another one nothing yet."""
    client = Client(laptop.url)
    assert [gate["open"] for gate in client.gates(1)["items"]] == [True] * 4
    assert client.criteria(1)["criteria"]["smallest_gain"] == 2.0
    assert client.evidence(1)["says"]["evidence"] == client.verdict(1)["says"]["evidence"]
    assert client.verdict(1)["says"]["decision"] == "ship"
    assert "<html" in client.report(1)
    for absent in (client.criteria, client.evidence, client.verdict, client.report):
        with pytest.raises(NotFoundError):
            absent(2)


def test_people_talk_and_sign_in_their_own_name(squad: tuple[Server, dict[str, str]]) -> None:
    """Comments and sign-offs carry who made them; nobody signs in a role of somebody else."""
    server, tokens = squad
    client = Client(server.url, tokens["analyst"], project="kiosk")
    said = client.comment(1, text="Why on Sundays?")
    assert (said["by"], said["text"]) == ("analyst", "Why on Sundays?")
    signed = client.sign(1, gate="research", role="analyst")
    assert (signed["by"], signed["proved"]) == ("analyst", True)
    with pytest.raises(Exception, match="is no product manager here"):
        client.sign(1, gate="research", role="product manager")
    client.withdraw(1, gate="research", role="analyst")
    assert client.signoffs(1)["items"] == []
    engineer = Client(server.url, tokens["ml engineer"], project="kiosk")
    with pytest.raises(Exception, match="analyst's to correct"):
        engineer.correct_comment(1, said["id"], text="otherwise")
    assert engineer.idea(1)["card"]["stage"] == "ship"
    with pytest.raises(GateClosedError):
        engineer.sign(1, gate="live", role="ml engineer")


def test_the_feed_goes_on_where_somebody_left_off(laptop: Server) -> None:
    """The feed lists every record after a place, without its content; as a stream it begins after Last-Event-ID."""
    client = Client(laptop.url)
    whole = client.feed(limit=1000)
    assert [event["seq"] for event in whole["items"]] == [*range(1, whole["head"] + 1)]
    assert "body" not in whole["items"][0]
    connection = http.client.HTTPConnection("127.0.0.1", laptop.port, timeout=30)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(whole["head"])}
    connection.request("GET", laptop.project("/feed"), headers=headers)
    response = connection.getresponse()
    assert response.headers.get_content_type() == "text/event-stream"
    client.comment(2, text="Is anybody listening?")
    lines = [response.readline().decode().strip() for _ in range(6)]
    connection.close()
    assert f"id: {whole['head'] + 1}" in lines
    [told] = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert (told["kind"], told["key"], told["by"]) == ("comment", "0002", "ann")


def test_questions_are_answered_and_only_read(laptop: Server) -> None:
    """A question in SQL gives rows; what would write is refused, and a saved one can be asked again."""
    client = Client(laptop.url)
    client.save_query(name="how-many", sql="select count(*) as n from ideas", why="how many ideas")
    assert client.ask(saved="how-many")["rows"][0][0] >= 2
    with pytest.raises(InvalidInputError):
        client.ask("drop table ideas")
    assert {"moved", "waits", "at_risk"} <= client.standup().keys()
    assert client.backlog()["total"] >= 1
    assert client.programme()["ideas"] >= 2


def test_one_account_asks_one_question_at_a_time(laptop: Server) -> None:
    """While a question is answered, another one of the same account is refused at either door, to be asked again."""
    slow = {"sql": "select sum(a.range * b.range % 7) from range(10000000) a, range(10000000) b", "seconds": 5}

    def asked() -> int:
        while (got := laptop.ask("POST", laptop.project("/ask"), slow).status) == 503:  # the board's came first
            pass
        return got

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked)
        wait_for(lambda: laptop.ask("GET", "/projects/kiosk/ask?sql=select+1").status == 503)
        assert first.result() == 422
    assert laptop.ask("POST", laptop.project("/ask"), {"sql": "select 1"}).status == 200


def test_a_long_talk_is_read_page_by_page(laptop: Server) -> None:
    """Comments come in pages, and the page of the idea shows the last fifty, with a link to those before."""
    client = Client(laptop.url)
    number = client.create_idea(title="Much talk", problem="kiosk")["number"]
    for i in range(53):
        client.comment(number, text=f"word-{i}.")
    assert [one["text"] for one in client.each("comments", number)] == [f"word-{i}." for i in range(53)]
    assert len(client.comments(number, limit=20)["items"]) == 20
    page, whole = (laptop.ask("GET", f"/projects/kiosk/ideas/{number}{more}").body for more in ("", "?comments=all"))
    assert ("3 earlier" in page, "word-2." in page, "word-3." in page, "word-52." in page) == (True, False, True, True)
    assert ("earlier" in whole, "word-0." in whole) == (False, True)


def test_the_last_admin_cannot_be_locked_out(squad: tuple[Server, dict[str, str]]) -> None:
    """Nobody gives their own admin role up over REST, and no role of a squad that there is not is given."""
    server, tokens = squad
    admin = replace(server, token=tokens["admin"])
    for path, edit in (
        ("/api/v1/accounts/admin", {"roles": {}}),
        ("/api/v1/accounts/admin", {"disabled": True}),
        ("/api/v1/accounts/analyst", {"roles": {"sea": ["analyst"]}}),
    ):
        before = admin.ask("GET", path)
        refused = admin.ask("PATCH", path, edit, If_Match=before.headers["etag"])
        assert refused.status == 422, refused.body
        assert admin.ask("GET", path).body == before.body


def test_figures_over_all_ideas_come_with_their_age(laptop: Server) -> None:
    """What is reckoned over all ideas may be older than the newest record by so many seconds as its header Age says."""
    for figure in ("standup", "backlog", "programme"):
        with urlopen(f"{laptop.url}/api/v1/projects/kiosk/{figure}") as response:
            assert int(response.headers["age"]) < 600
