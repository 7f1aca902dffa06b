"""What the watch tells: to real receivers, each message at least once with the same id, whatever they do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from threading import Thread
from typing import Any

import pytest

from shipworthy.live.watch.book import open_alerts
from shipworthy.live.watch.watch import Watched, watch
from shipworthy.project import Project, open_project
from tests.live import cafe
from tests.live.stall import free_port


@dataclass
class Receiver:
    """A real HTTP server that keeps what it gets, and answers what it is told to."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, str, Any]] = field(default_factory=list)

    def address(self, path: str = "/hook") -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        """The ids of what it got."""
        return [name for _, name, _ in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything, unless its answers say otherwise."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.got.append((self.path, self.headers["Idempotency-Key"], body))
            status = kept.answers.pop(0) if kept.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", kept.address("/elsewhere"))
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


@pytest.fixture(scope="module")
def built_cafe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kiosk with its weather, live; built once."""
    return cafe.build(tmp_path_factory.mktemp("cafe") / "kiosk")


@pytest.fixture
def folder(built_cafe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kiosk of the test's own, which nobody has asked for two days after two weeks."""
    laid = Path(copytree(built_cafe, tmp_path / "kiosk"))
    monkeypatch.setenv("SHIPWORTHY_CLOCK", str(laid / "clock"))
    project = open_project(laid)
    cafe.live(project, range(14))
    project.records.close()
    return laid


def opened(folder: Path, **channels: str) -> Project:
    """The project, with channels."""
    lines = "".join(f'{name} = "{address}"\n' for name, address in channels.items())
    file = folder / "shipworthy.toml"
    file.write_text(file.read_text() + f"[watch]\n{lines}")
    return open_project(folder)


def look(project: Project, i: int, hour: float = 8.0) -> Watched:
    """Looks on a live day."""
    (project.root / "clock").write_text(cafe.instant(i, hour).isoformat())
    return watch(project, "kiosk")


def test_a_receiver_that_fails_twice_is_told_at_the_same_look(folder: Path, receiver: Receiver):
    """It gets the same message with the same id three times; that it is open still is told nobody."""
    receiver.answers = [500, 503]
    project = opened(folder, webhook=receiver.address())
    assert look(project, 16).untold == ()
    assert look(project, 16, 9.0).untold == ()
    assert receiver.ids == ["kiosk/alert/1"] * 3
    [(_, _, body)] = {(path, name, json.dumps(body)) for path, name, body in receiver.got}
    told = json.loads(body)
    assert [alert["kind"] for alert in told["opened"]] == ["missing-periods"]
    assert told["opened"][0]["money_at_risk"] > 0

    cafe.live(project, range(14, 17))
    look(project, 17, 5.0)
    project.records.close()
    assert receiver.ids[3:] == ["kiosk/alert/2"]
    assert receiver.got[-1][2]["closed"] == ["missing-periods"]


def test_what_a_dead_receiver_missed_is_told_later(folder: Path, receiver: Receiver):
    """While nobody listens the watch goes on; the next look tells what was missed, in order, and then no more."""
    project = opened(folder, webhook=receiver.address())
    receiver.answers = [500] * 6
    assert "webhook was not told: it answered 500" in look(project, 16).untold[0]
    cafe.live(project, range(14, 17))
    assert look(project, 17, 5.0).untold
    receiver.got.clear()
    assert look(project, 17, 5.5).untold == ()
    assert look(project, 17, 5.6).untold == ()
    project.records.close()
    assert receiver.ids == ["kiosk/alert/1", "kiosk/alert/2"]


def test_a_move_is_told_to_slack_in_words(folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    """Slack gets a text with its signs made safe, at the address that a variable holds; the first look tells no old moves."""
    monkeypatch.setenv("KIOSK_SLACK", receiver.address("/services/secret"))
    project = opened(folder, slack="$KIOSK_SLACK")
    look(project, 14, 5.0)
    assert receiver.got == []
    cafe.live(project, range(14, 60), gain=-30.0)
    assert look(project, 59).moved is not None
    project.records.close()
    texts = {name: body["text"] for _, name, body in receiver.got}
    assert "rolled back, idea 1" in texts["kiosk/rollout/4"]
    assert all(set(body) == {"text"} for _, _, body in receiver.got)
    assert not any(sign in text for text in texts.values() for sign in "<>")


def test_a_move_of_the_first_look_is_told(folder: Path, receiver: Receiver):
    """What was before a channel is old news to it; what its first look does is not."""
    project = opened(folder, webhook=receiver.address())
    cafe.live(project, range(14, 60), gain=-30.0)
    moved = look(project, 59).moved
    project.records.close()
    assert [name for name in receiver.ids if "rollout" in name] == [f"kiosk/rollout/{moved.version}"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_is_refused_keeps_no_other_back(
    folder: Path, receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
):
    """A receiver that cannot read one message gets the next ones; that it was not told stands in the log."""
    project = opened(folder, webhook=receiver.address())
    receiver.answers = [status]
    assert look(project, 16).untold == ()
    cafe.live(project, range(14, 17))
    assert look(project, 17, 5.0).untold == ()
    project.records.close()
    assert receiver.ids == ["kiosk/alert/1", "kiosk/alert/2"]
    assert f"webhook refused kiosk/alert/1: it answered {status}" in caplog.text


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429])
def test_a_channel_that_refuses_whatever_it_gets_is_told_later(folder: Path, receiver: Receiver, status: int):
    """A wrong secret or an address that is gone is no word on a message: it waits until somebody has put it right."""
    project = opened(folder, webhook=receiver.address())
    receiver.answers = [status] * (3 if status == 429 else 1)
    assert f"it answered {status}" in look(project, 16).untold[0]
    assert look(project, 16, 9.0).untold == ()
    project.records.close()
    assert set(receiver.ids) == {"kiosk/alert/1"}


def test_an_address_is_never_said_and_never_left(folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    """A receiver cannot send the watch elsewhere; what goes wrong is said without the address, which may be a secret."""
    monkeypatch.setenv("KIOSK_SLACK", f"http://127.0.0.1:{free_port()}/services/secret")
    project = opened(folder, webhook=receiver.address("/hush"), slack="$KIOSK_SLACK")
    receiver.answers = [302]
    untold = look(project, 16).untold
    monkeypatch.delenv("KIOSK_SLACK")
    unset = look(project, 16, 9.0).untold
    project.records.close()
    assert [path for path, _, _ in receiver.got] == ["/hush", "/hush"]
    assert len(untold) == 2
    assert not any(word in sentence for sentence in untold for word in ("hush", "secret", "127.0.0.1"))
    assert "KIOSK_SLACK" in unset[0]


def test_the_watch_beside_a_service_looks_and_ends_with_it(folder: Path, receiver: Receiver):
    """`serve --watch` keeps a watch beside the service, with its log; both are gone when the service ends, however it ends."""
    project = opened(folder, webhook=receiver.address())
    (folder / "clock").write_text(cafe.instant(16).isoformat())
    command = [
        sys.executable,
        "-m",
        "shipworthy",
        "serve",
        "kiosk",
        "--port",
        str(free_port()),
        "--workers",
        "1",
        "--watch",
    ]
    process = subprocess.Popen(command, cwd=folder, env=dict(os.environ), start_new_session=True)
    try:
        _wait(lambda: bool(receiver.got))
        assert [alert.kind for alert in open_alerts(project, "kiosk")] == ["missing-periods"]
        children = _watches(process.pid)
        assert len(children) == 1
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        _wait(lambda: not any(map(_command, children)))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        project.records.close()


def _watches(parent: int) -> list[int]:
    """The processes under another one that watch."""
    children = [child for task in Path(f"/proc/{parent}/task").glob("*/children") for child in task.read_text().split()]
    return [int(child) for child in children if b"live.watch.loop" in _command(int(child))]


def _command(process: int) -> bytes:
    """The command line of a process; empty once it is gone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _wait(holds: Any) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.1)
