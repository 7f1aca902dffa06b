"""Notices: real receivers are told each message at least once, in order and signed, whatever they do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

import shipworthy.live.sender
from shipworthy.errors import InvalidInputError
from shipworthy.live.sender import SIGNATURE, TIMESTAMP, is_signed, sign
from shipworthy.programme.notices import begin, follow, tell
from shipworthy.project import Project, open_project
from shipworthy.ship.rollout import Move, Phase, make_move, read_rollout
from shipworthy.store import Change
from tests.cli.typed import typed

SECRET = "a secret of both"


@dataclass
class Receiver:
    """A real HTTP server that keeps what it gets, and answers what it is told to."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids of what it got."""
        return [headers["Idempotency-Key"] for headers, _ in self.got]

    @property
    def bodies(self) -> list[Any]:
        """What it got."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that takes everything, unless its answers say otherwise; whoever sends does not wait long."""
    monkeypatch.setattr(shipworthy.live.sender, "PAUSES_S", (0.01, 0.01))
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = kept.answers.pop(0) if kept.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{kept.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def telling(walked: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The kiosk with a signed webhook, which has begun to tell."""
    monkeypatch.setenv("NOTICES_SECRET", SECRET)
    project = configured(walked.root, f'webhook = "http://127.0.0.1:{receiver.port}/hook"\nsecret = "$NOTICES_SECRET"')
    begin(project)
    yield project
    project.records.close()


def configured(folder: Path, lines: str) -> Project:
    """The project with a section of notices."""
    file = folder / "shipworthy.toml"
    file.write_text(file.read_text().partition("[notices]")[0] + f"[notices]\n{lines}\n")
    return open_project(folder)


def roll_back(project: Project) -> None:
    """A trial that is rolled back: two moves."""
    made = make_move(
        project,
        "kiosk",
        None,
        Move(phase=Phase.SHADOW, champion="a" * 64, challenger="b" * 64, idea="0001", why="Try."),
    )
    make_move(
        project, "kiosk", made, Move(phase=Phase.ROLLED_BACK, champion="a" * 64, idea="0001", why="It <lost> & failed.")
    )


def test_what_happens_after_it_began_is_told_once_in_order_and_signed(telling: Project, receiver: Receiver):
    """What was there before is not told; each message has an id, a kind, a sentence, and a signature that holds."""
    assert tell(telling) == ()
    assert receiver.got == []
    roll_back(telling)
    assert tell(telling) == tell(telling) == ()
    assert [body["kind"] for body in receiver.bodies] == ["rollout", "rollback"]
    assert receiver.ids == [body["id"] for body in receiver.bodies]
    for headers, body in receiver.got:
        assert is_signed(SECRET, headers, body)
        assert not is_signed("another", headers, body)
        assert not is_signed(SECRET, headers, body + b" ")
        assert not is_signed(SECRET, {**headers, TIMESTAMP: str(int(headers[TIMESTAMP]) + 1)}, body)
        assert not is_signed(SECRET, headers, body, at=time.time() + 301)
        assert not is_signed(SECRET, {TIMESTAMP: headers[TIMESTAMP]}, body)


def test_the_signature_is_that_of_rfc_2104():
    """It is HMAC-SHA256 over the second, a dot and the body: the same that a program without us computes."""
    script = "import hmac,sys;print('v1='+hmac.digest(b'k',b'1798300000.{\"a\": 1}','sha256').hex())"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert sign("k", 1798300000, b'{"a": 1}') == other
    assert is_signed("k", {TIMESTAMP: "1798300000", SIGNATURE: other}, b'{"a": 1}', at=1798300100)
    assert not is_signed("k", {TIMESTAMP: "\N{SUPERSCRIPT TWO}" * 10, SIGNATURE: other}, b"{}")


def test_a_receiver_that_fails_gets_the_same_message_again(telling: Project, receiver: Receiver):
    """Within a try, and at the next call; nothing overtakes it, and only what it refuses for itself is given up."""
    roll_back(telling)
    receiver.answers = [500, 503, 200]
    assert tell(telling) == ()
    assert receiver.ids[0] == receiver.ids[1] == receiver.ids[2] != receiver.ids[3]
    receiver.got.clear()
    telling.records.add(
        Change(kind="override", key="0001", body={"to": "stop", "instead_of": "ship", "why": "x", "seconds": None}),
        by="ann",
    )
    receiver.answers = [500, 500, 500]
    [trouble] = tell(telling)
    assert "answered 500" in trouble
    assert str(receiver.port) not in trouble
    assert tell(telling) == ()
    assert len(set(receiver.ids)) == 1
    move = Move(phase=Phase.LIVE, champion="a" * 64, idea=None, why="Again.")
    make_move(telling, "kiosk", read_rollout(telling, "kiosk"), move)
    receiver.answers = [422]
    assert tell(telling) == tell(telling) == ()
    assert len(set(receiver.ids)) == 2


def test_no_redirect_is_followed_and_no_other_scheme_is_posted_to(
    telling: Project, receiver: Receiver, walked: Project, monkeypatch: pytest.MonkeyPatch
):
    """A message goes to the address that the project names; anything but http and https is refused with its setting's name."""
    roll_back(telling)
    receiver.answers = [302] * 9
    assert "answered 302" in tell(telling)[0]
    assert {headers["Idempotency-Key"] for headers, _ in receiver.got} == {receiver.ids[0]}
    for address in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1"):
        with pytest.raises(InvalidInputError, match=r"notices\.webhook"):
            configured(walked.root, f'webhook = "{address}"')
    monkeypatch.setenv("NOTICES_ADDRESS", "file:///etc/passwd")
    project = configured(walked.root, 'webhook = "$NOTICES_ADDRESS"')
    assert "does not hold an address" in tell(project)[0]
    with pytest.raises(InvalidInputError, match=r"notices\.secret"):
        configured(walked.root, 'secret = "in the open"')
    with pytest.raises(InvalidInputError, match="Did you mean 'verdict'"):
        tell(configured(walked.root, 'on = ["verdicts"]'))
    project.records.close()


def test_only_what_is_asked_for_is_told_and_slack_gets_text(walked: Project, receiver: Receiver):
    """`on` chooses the kinds, a gate counts whatever opened it, and Slack's text is escaped."""
    address = f"http://127.0.0.1:{receiver.port}"
    project = configured(walked.root, f'slack = "{address}/s"\nwebhook = "{address}/w"\non = ["rollback", "gate"]')
    begin(project)
    roll_back(project)
    verdict = project.records.get("verdict", "0001")
    project.records.add(Change(kind="verdict", key="0001", body=dict(verdict.body)), by="ann")
    assert tell(project) == ()
    texts = [body["text"] for body in receiver.bodies if "text" in body]
    kinds = [body["kind"] for body in receiver.bodies if "kind" in body]
    assert kinds == ["rollback", "verdict"]
    assert "It &lt;lost&gt; &amp; failed." in texts[0]
    assert all(SIGNATURE not in headers for headers, _ in receiver.got)
    project.records.close()


def test_a_teller_that_is_killed_tells_the_rest_when_it_comes_back(telling: Project, receiver: Receiver):
    """Killed in the midst of many messages, the next one goes on: each is told at least once, and few twice."""
    for number in range(60):
        body = {"to": "stop", "instead_of": "ship", "why": f"Reason {number}", "seconds": None}
        telling.records.add(Change(kind="override", key="0001", body=body), by="ann")
    command = [sys.executable, "-m", "shipworthy", "notices", "--follow"]
    with subprocess.Popen(command, cwd=telling.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while len(receiver.got) < 25 and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    told = len(receiver.got)
    assert told >= 25
    assert typed(telling.root, "notices", "--once").code == 0
    assert len(dict.fromkeys(receiver.ids)) == 60
    assert list(dict.fromkeys(receiver.ids)) == sorted(set(receiver.ids), key=lambda name: int(name.rpartition("/")[2]))
    assert len(receiver.ids) <= 60 + 20


def test_following_tells_what_comes_until_it_is_stopped(telling: Project, receiver: Receiver):
    """In the background of a server: what is written is told soon, a receiver that fails does not end it, stopping does."""
    stop = Event()
    receiver.answers = [500, 500, 500]
    thread = Thread(target=follow, args=(telling, stop, 0.01))
    thread.start()
    roll_back(telling)
    until = time.monotonic() + 30
    while len(set(receiver.ids)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(set(receiver.ids)) == 2


def test_a_receiver_that_is_gone_is_told_of(telling: Project, walked: Project):
    """`shipworthy notices` ends with 6 and does not show the address, which may be a secret."""
    configured(walked.root, 'webhook = "http://127.0.0.1:9/hidden-token"')
    roll_back(telling)
    said = typed(walked.root, "notices")
    assert said.code == 6
    assert "hidden-token" not in said.out + said.err
    assert typed(walked.root, "notices", "--once", "--follow").code == 2
