"""The shadow off the path of requests: what it decides, what it survives, and what a release in it may not do."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shipworthy.errors import UnavailableError
from shipworthy.live.decision_log import SegmentLog
from shipworthy.live.shadow import walls
from shipworthy.live.shadow.guarded import GuardedChild, carry
from shipworthy.live.shadow.shadow import Shadow, run_shadow
from shipworthy.log import read_decisions
from shipworthy.project.clock import now
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import Phase, read_rollout
from shipworthy.ship.spare_server import spare_server
from shipworthy.store import read_log
from tests.live.stall import HERE, Server, Stall, open_copy, stall_rows
from tests.walks.examples import full

UNGUARDED = """
import sys, json
from pathlib import Path
from shipworthy.live.arms import answer_of
from shipworthy.live.outcomes import LivePast
from shipworthy.live.serving import Served
from shipworthy.project import open_project
from shipworthy.ship.release import open_release
served = Served(open_release(open_project(Path(sys.argv[1])), sys.argv[2]))
request = served.contract.read_logged(json.loads(sys.argv[3]))
answer = answer_of(served, LivePast(Path(sys.argv[4]), key=served.release.problem.key), request, 20.0)
print(json.dumps(answer["falls"]))
"""


def _attack_names() -> list[str]:
    text = (HERE / "project" / "attacks.py").read_text()
    return [line[4:].partition("(")[0] for line in text.splitlines() if line.startswith("def ") and line[4] != "_"]


NAMES = _attack_names()
WORLD = NAMES[: NAMES.index("leave")]


@dataclass
class World:
    """A folder with a victim, and a port that somebody listens on: what an attack may reach."""

    folder: Path
    port: int
    listener: socket.socket

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was written, removed or changed, and nobody connected."""
        files = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        is_as_it_was = files == {"victim": b"whole"} and len(list(self.folder.iterdir())) == 1
        return is_as_it_was and (self.folder / "victim").stat().st_mode & 0o111 == 0 and not self._was_called()

    def restore(self) -> None:
        """Makes it as it was."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "victim").write_bytes(b"whole")

    def _was_called(self) -> bool:
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def world() -> Iterator[World]:
    """A world of the test's own."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    made = World(Path(f"/tmp/shipworthy-attacked-{port}"), port, listener)
    made.restore()
    yield made
    listener.close()
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def attacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stall]:
    """A stall whose challenger attacks."""
    stall = open_copy(built, tmp_path_factory.mktemp("attacked") / "stall")
    stall.move("mean_of_three_days", "attacker", phase=Phase.SHADOW)
    yield stall
    stall.project.records.close()


@pytest.fixture(scope="module")
def child(attacked: Stall) -> Iterator[GuardedChild]:
    """The attacking release behind its guard."""
    folder = attacked.project.log_folder / "stock"
    folder.mkdir(parents=True, exist_ok=True)
    made = GuardedChild(attacked.project, carry(attacked.project, attacked.releases["attacker"], folder))
    yield made
    made.end()


def _entry(stall: Stall, attack: str | None = None, port: int = 9000, **changes: Any) -> dict[str, Any]:
    """An entry of the decision log as the service writes it; its prices choose an attack."""
    rows = stall_rows()
    if attack is not None:
        rows[0]["price"], rows[1]["price"] = 50.0 + NAMES.index(attack), port / 1000
    rollout = read_rollout(stall.project, "stock")
    decisions = [{"fruit": row["fruit"], "laid_in": 1.0} for row in rows]
    answer = {
        "release": rollout.champion,
        "rung": "policy",
        "status": "decided",
        "falls": [],
        "seconds": 0.1,
        "decisions": decisions,
    }
    time.sleep(0.000002)  # so that no two have the same instant
    return {
        "id": uuid4().hex,
        "at": now().isoformat(timespec="microseconds"),
        "problem": "stock",
        "period": "2026-01-31",
        "arm": "champion",
        "rows": rows,
        "state": {},
        "time_limit": 20.0,
        "releases": {"champion": rollout.champion, "challenger": rollout.challenger},
        "answers": {"champion": answer},
        **changes,
    }


def _log(stall: Stall, *entries: dict[str, Any]) -> Path:
    folder: Path = stall.project.log_folder / "stock"
    log = SegmentLog(folder)
    for entry in entries:
        log.append(msgspec.json.encode(entry))
    log.close()
    return folder


TOLD = {
    "open_a_file": "open for writing {}/written",
    "open_a_descriptor": "open for writing {}/written",
    "write_a_path": "open for writing {}/written",
    "save_an_array": "open for writing {}/written.npy",
    "write_a_database": "sqlite3.connect {}/written",
    "append": "open for writing {}/victim",
    "remove": "os.remove {}/victim",
    "call_the_c_library": "ctypes.dlopen None",
    "call_python_itself": "ctypes.dlsym unlink",
    "rename": "os.rename {}/victim",
    "cut": "os.truncate {}/victim",
    "change_the_mode": "os.chmod {}/victim",
    "move": "shutil.move {}/victim",
    "make_a_folder": "os.mkdir {}/made",
    "link": "os.symlink /",
    "run_a_program": "subprocess.Popen touch",
    "run_a_shell": "os.system touch {}/written",
    "fork": "os.fork",
    "connect": "socket.",
    "ask_over_http": "urllib.Request http://127.0.0.1",
    "write_and_say_nothing": "open for writing {}/written",
    "signal_the_parent": "os.kill",
}
"""What is told of an attack that goes through Python's own doors."""

NEEDS = {
    "write_natively": walls.NO_WRITES,
    "sink_natively": walls.NO_WRITES,
    "cut_natively": walls.NO_WRITES,
    "remove_natively": walls.NO_WRITES,
    "make_a_pipe": walls.NO_WRITES,
    "run_past_the_hook": walls.NO_PROGRAMS,
    "connect_natively": walls.NO_NETWORK,
}
"""Attacks that only the kernel stops, and the wall that does."""


@pytest.mark.parametrize("attack", WORLD)
def test_a_side_effect_is_denied(attack: str, attacked: Stall, child: GuardedChild, world: World) -> None:
    """What a release attempts on files, processes and the network has no effect, is told, and costs it the rung."""
    if attack in NEEDS and NEEDS[attack] not in child.walls:
        pytest.skip(f"this kernel has no wall for it: {', '.join(child.walls)}")
    said = child.ask(msgspec.json.encode(_entry(attacked, attack, world.port)), 20.0)
    assert world.is_untouched
    told = TOLD.get(attack)
    assert any(denied.startswith(told.format(world.folder)) for denied in said.denied) if told else said.denied == []
    if attack == "write_and_say_nothing":
        assert said.answer["rung"] == "policy"
    else:
        assert said.answer["rung"] == "fallback"
        assert said.answer["falls"]
    assert not said.last


@full
@pytest.mark.parametrize("attack", WORLD)
def test_without_the_guard_it_happens(attack: str, attacked: Stall, world: World, tmp_path: Path) -> None:
    """The same attack by the same release, decided outside of the guard, has its effect."""
    entry = msgspec.json.encode(_entry(attacked, attack, world.port)).decode()
    root, release = str(attacked.project.root), attacked.releases["attacker"]
    subprocess.run([sys.executable, "-c", UNGUARDED, root, release, entry, str(tmp_path)], check=True, timeout=60)
    assert not world.is_untouched


def test_the_walls_that_stand_are_told(child: GuardedChild) -> None:
    """A child tells which walls stand around it, as the kernel says of its process."""
    assert walls.NO_BYTES in child.walls
    if sys.platform == "linux":
        place = Path(f"/proc/{child.process_id}")
        assert (walls.NO_PRIVILEGES in child.walls) == ("NoNewPrivs:\t1" in (place / "status").read_text())
        assert (walls.NO_NETWORK in child.walls) == (
            (place / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()
        )
        limits = (place / "limits").read_text().splitlines()
        assert next(line for line in limits if line.startswith("Max file size")).split()[3:5] == ["0", "0"]


def test_secrets_of_the_environment_do_not_reach_it(child: GuardedChild, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a child has what a program needs to run, and nothing else of its parent's."""
    environment = dict(
        part.partition("=")[::2]
        for part in Path(f"/proc/{child.process_id}/environ").read_bytes().decode().split("\0")
        if part
    )
    assert "PATH" in environment
    assert set(environment) - {"PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TMPDIR"} <= {
        name for name in environment if name.startswith(("PYTHON", "LC_")) or name.endswith("_THREADS")
    }
    assert {os.path.realpath(f"/proc/{child.process_id}/cwd")} == {environment["TMPDIR"]}


@pytest.mark.parametrize(
    ("attack", "rung", "reason"),
    [
        ("leave", "fallback", "SystemExit"),
        ("end_the_process", "none", "exit code 3"),
        ("sleep_for_ever", "fallback", "no decisions within"),
        ("hold_everything_up", "none", "no answer within"),
        ("take_all_memory", "fallback", "MemoryError"),
        ("take_all_memory_natively", None, ""),
        ("change_the_input", "policy", ""),
    ],
)
def test_what_a_release_does_to_itself_stays_with_it(attack: str, rung: str | None, reason: str, stall: Stall) -> None:
    """A release that ends, hangs, or eats memory is recorded with the reason, and the next decision is decided."""
    stall.move("mean_of_three_days", "attacker", phase=Phase.SHADOW)
    limit = 0.5 if rung == "none" or attack == "sleep_for_ever" else 20.0
    attempt, after = _entry(stall, attack, time_limit=limit), _entry(stall)
    folder = _log(stall, attempt, after)
    run_shadow(stall.project, "stock", folder, once=True)
    first, second = read_log(folder, "shadows")
    assert (first["id"], second["id"]) == (attempt["id"], after["id"])
    if rung is None:
        assert first["answer"]["rung"] in {"none", "fallback"}
    else:
        assert first["answer"]["rung"] == rung
    assert reason in " ".join(first["answer"]["falls"])
    assert [row["fruit"] for row in first["answer"]["decisions"]] == ["apple", "fig", "plum"]
    assert (second["answer"]["rung"], second["denied"]) == ("policy", [])
    assert not list(folder.glob(".guarded-*"))


def test_the_answers_are_unaffected(stall: Stall, serve: Any, world: World) -> None:
    """While the challenger attacks in the shadow, the service answers with the champion; evidence has both arms."""
    stall.move("mean_of_three_days", "attacker", phase=Phase.SHADOW)
    server: Server = serve()
    attacks = ["write_a_path", "end_the_process", "connect"]
    for attack in attacks:
        entry = _entry(stall, attack, world.port)
        answer = server.decide(rows=entry["rows"])
        assert (answer.status, answer.body["arm"], answer.body["rung"]) == (200, "champion", "policy")
    shadows = server.shadows()
    assert [shadow["answer"]["rung"] for shadow in shadows] == ["fallback", "none", "fallback"]
    assert shadows[0]["denied"] == [f"open for writing {world.folder}/written"]
    assert world.is_untouched
    assert [set(entry["answers"]) for entry in read_decisions(stall.project, "stock")] == [
        {"champion", "challenger"}
    ] * 3
    lines = server.ask("GET", "/metrics").body.splitlines()
    assert "shipworthy_shadow_denied_total 2.0" in lines


def test_it_decides_what_the_release_would_have_decided(stall: Stall, serve: Any) -> None:
    """Worked off days later, the shadow decides as the release does when it answers: what came meanwhile is not known to it."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.CANARY, share=1.0)
    server: Server = serve(workers=1)
    answered = []
    for day in ("2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"):
        answered.append(server.decide(day).body)
        posted = [{"day": day, "fruit": fruit, "sold": 50} for fruit in ("apple", "fig", "plum")]
        assert server.ask("POST", "/v1/outcomes", {"rows": posted}).status == 200
    server.ask("POST", "/v1/outcomes", {"rows": [{"day": "2026-01-30", "fruit": "fig", "sold": 108}]})
    server.end(signal.SIGKILL)
    folder = stall.project.log_folder / "stock"
    for path in folder.glob("shadows-*"):  # as if no shadow had run
        path.unlink()
    assert run_shadow(stall.project, "stock", folder, once=True) == 0
    decided = [shadow["answer"]["decisions"] for shadow in read_log(folder, "shadows")]
    one_less = [[{**row, "laid_in": row["laid_in"] - 1} for row in made["decisions"]] for made in answered]
    assert decided == one_less


def test_killed_again_and_again_it_decides_each_once(stall: Stall) -> None:
    """After every kill -9 it goes on from the log: each decision is decided once, in order, and none is left out."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    entries = [_entry(stall) for _ in range(400)]
    folder = _log(stall, *entries)
    command = [sys.executable, "-m", "shipworthy", "shadow", "stock"]
    ids: list[str] = []
    for kill in range(5):
        process = subprocess.Popen(command, cwd=stall.project.root, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while len(ids) == len(ids := [entry["id"] for entry in read_log(folder, "shadows")]):
            assert time.monotonic() < until
            time.sleep(0.01 * kill)
        process.kill()
        process.wait()
    ended = subprocess.run([*command, "--once"], cwd=stall.project.root, capture_output=True, text=True, check=True)
    assert ended.stdout == "0 decisions wait for the shadow.\n"
    lines = [line for path in folder.glob("shadows-*") for line in path.read_bytes().split(b"\n")[:-1]]
    assert sorted(msgspec.json.decode(line)["id"] for line in lines) == sorted(entry["id"] for entry in entries)
    assert [entry["id"] for entry in read_log(folder, "shadows")] == [entry["id"] for entry in entries]


def test_one_shadow_at_a_time(stall: Stall) -> None:
    """While one shadow is at work in a log, another one waits for its turn, and `--once` says so."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    folder = _log(stall, _entry(stall))
    first, second = (Shadow(stall.project, "stock", folder) for _ in range(2))
    assert first.take_turn()
    assert not second.take_turn()
    with pytest.raises(UnavailableError, match="Another shadow is at work"):
        run_shadow(stall.project, "stock", folder, once=True)
    first.close()
    assert second.take_turn()
    second.close()


def test_decisions_of_other_rollouts_are_passed_over(stall: Stall) -> None:
    """What waits for a release that is no longer served is not decided; entries that have both arms are not decided again."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    old, both, without = _entry(stall), _entry(stall), _entry(stall)
    both["answers"]["challenger"] = both["answers"]["champion"]
    del without["releases"]
    stall.move("mean_of_three_days", "broken", phase=Phase.SHADOW)
    current = _entry(stall)
    folder = _log(stall, old, both, without, current)
    assert run_shadow(stall.project, "stock", folder, once=True) == 0
    assert [entry["id"] for entry in read_log(folder, "shadows")] == [current["id"]]


def test_a_release_that_cannot_be_opened_is_recorded(stall: Stall) -> None:
    """A challenger whose bytes were changed decides nothing in the shadow, and why is in the log."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    folder = _log(stall, _entry(stall), _entry(stall))
    manifest = stall.project.records.get("release", stall.releases["one_more"]).body["manifest"]
    (stall.project.root / ".shipworthy" / "objects" / manifest).write_text("{}")
    run_shadow(stall.project, "stock", folder, once=True)
    assert [entry["answer"]["rung"] for entry in read_log(folder, "shadows")] == ["none", "none"]
    assert all("it was changed or damaged" in entry["answer"]["falls"][0] for entry in read_log(folder, "shadows"))


def test_a_fixed_release_has_no_shadow(stall: Stall) -> None:
    """A service of one release alone, as parity uses it, starts no shadow."""
    release = open_release(stall.project, stall.releases["one_more"])
    with spare_server(stall.project, "stock", "--release", release.id) as server:
        status, _ = server.post("/v1/decide", {"period": "2026-01-31", "rows": stall_rows()})
        assert status == 200
        assert server.get("/v1/health")[1]["shadow"] == 0
    folder = stall.project.log_folder / "stock"
    assert not (folder / ".shadow.lock").exists()


def test_it_ends_with_its_service(stall: Stall, serve: Any) -> None:
    """Told to end, the service ends its shadow in order, what still waits is for later; killed, it leaves no process behind."""
    stall.move("mean_of_three_days", "one_more", phase=Phase.SHADOW)
    folder = stall.project.log_folder / "stock"
    server: Server = serve()
    made = [server.decide().body["id"] for _ in range(30)]
    server.process.terminate()
    server.process.wait(30)
    decided = [entry["id"] for entry in read_log(folder, "shadows")]
    assert decided == made[: len(decided)]
    assert not list(folder.glob(".guarded-*"))
    run_shadow(stall.project, "stock", folder, once=True)
    assert [entry["id"] for entry in read_log(folder, "shadows")] == made

    server = serve(workers=1)
    server.decide()
    server.shadows()
    server.process.kill()
    server.process.wait(30)
    until = time.monotonic() + 15
    while _processes_at(stall.project.root):
        assert time.monotonic() < until, "something is left behind"
        time.sleep(0.1)


def _processes_at(root: Path) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(root) in command and str(os.getpid()) != place.parent.name:
                found.append(command)
    return found
