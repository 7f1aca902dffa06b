"""A real PostgreSQL passes the conformance suite, keeps projects apart, and is clear about what is wrong with it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from shipworthy.errors import InvalidInputError, UnavailableError
from shipworthy.store import Change, SqliteRecordStore, feed, postgres_connections
from shipworthy.store.address import open_records
from shipworthy.store.backup import read_backup
from shipworthy.store.chain import checked
from shipworthy.store.conformance import RecordStoreConformance
from shipworthy.store.postgres import PostgresRecordStore
from shipworthy.store.postgres_connections import Connection, Connections
from shipworthy.store.postgres_schema import MIGRATIONS

Open = Callable[..., PostgresRecordStore]


@pytest.fixture
def open_store(empty_database: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the same database each time, in the space of the squad's kitchen unless another is named."""
    opened = []

    def open_(space: str = "food/kitchen") -> PostgresRecordStore:
        opened.append(PostgresRecordStore(empty_database, space=space, backups=tmp_path / "backups"))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


class TestPostgres(RecordStoreConformance):
    """PostgreSQL passes the suite."""


def test_projects_that_share_a_database_do_not_see_one_another(open_store: Open):
    """Each space has its own versions, places and chain, and one whose name begins like another's is another."""
    kitchen, energy, cellar = open_store("food/kitchen"), open_store("energy"), open_store("food/kitchen-2")
    for n in range(3):
        kitchen.add(Change(kind="idea", key="0001", body={"n": n}), by="me")
    [first] = energy.add(Change(kind="idea", key="0001", body={"n": 9}, expect=0), by="me")
    assert (first.seq, first.version) == (1, 1)
    assert [record.body["n"] for record in energy.find("idea")] == [9]
    assert [record.body["n"] for record in checked(feed(kitchen))] == [0, 1, 2]
    assert (cellar.head().seq, cellar.get("idea", "0001"), list(cellar.since(0))) == (0, None, [])


def test_two_spaces_are_written_at_the_same_time(open_store: Open):
    """Who writes to one space does not wait for who writes to another."""
    kitchen, energy = open_store("kitchen"), open_store("energy")
    with kitchen._writing():
        assert energy.add(Change(kind="idea", key="1", body={}), by="me")[0].seq == 1


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:se/cret@127.0.0.1:1/shop",
        "postgresql://ann:se@cret@127.0.0.1:1/shop",
        "postgresql://ann:se:cret%@127.0.0.1:1/shop",
        "postgresql://ann:secret@127.0.0.1:1x/shop",
        "postgresql://ann:secret@127.0.0.1:1/shop?colour=secret",
    ],
)
def test_an_address_that_cannot_be_read_is_never_repeated(tmp_path: Path, address: str):
    """It may hold a password: what is said is how to write one."""
    with pytest.raises(InvalidInputError, match="cannot be read") as said:
        open_records(address, root=tmp_path, space="shop", clock=now)
    assert "cret" not in str(said.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid:5432"])
def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path, host: str):
    """The host is in the message, and the reason; the password is not, in any of the errors behind it either."""
    with pytest.raises(UnavailableError, match=host.partition(":")[0]) as said:
        open_records(f"postgresql://ann:secret@{host}/shop", root=tmp_path, space="shop", clock=now)
    error: BaseException | None = said.value
    while error:
        assert "secret" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def test_an_address_in_an_environment_variable_keeps_the_password_out_of_the_repository(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """`$NAME` stands for what the variable holds."""
    monkeypatch.setenv("SHOP_RECORDS", empty_database)
    store = open_records("$SHOP_RECORDS", root=tmp_path, space="shop", clock=now)
    assert isinstance(store, PostgresRecordStore)
    assert store.head().seq == 0
    store.close()


def test_who_may_not_make_tables_is_told(empty_database: str, tmp_path: Path):
    """An account without rights gets the server's own reason."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS looker")
        connection.execute("CREATE ROLE looker LOGIN")
    with pytest.raises(UnavailableError, match=r"permission denied for database.*may connect and write"):
        PostgresRecordStore(empty_database.replace("postgres:", "looker:"), space="shop", backups=tmp_path)


def test_after_the_server_was_gone_the_store_goes_on(open_store: Open, empty_database: str, database: str):
    """While nobody may connect, every question says so; afterwards the same store answers again, from every thread."""
    store, name = open_store(), psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
    store.add(Change(kind="idea", key="1", body={}), by="me")
    with psycopg.connect(database, autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
        for ask in (store.head, lambda: store.add(Change(kind="idea", key="2", body={}), by="me")):
            with pytest.raises(UnavailableError, match="not currently accepting connections"):
                ask()
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    with ThreadPoolExecutor(8) as pool:
        assert {head.seq for head in pool.map(lambda _: store.head(), range(32))} == {1}
    assert store.add(Change(kind="idea", key="2", body={}), by="me")[0].seq == 2


def test_a_server_that_hangs_is_given_up(open_store: Open, empty_database: str, monkeypatch: pytest.MonkeyPatch):
    """A server that stops in the middle keeps nobody for ever: it is said, at once to whoever comes next, until it answers."""
    monkeypatch.setattr(postgres_connections, "_SILENT_S", 0.5)
    store, name = open_store(), psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
    store.close()
    monkeypatch.setattr(Connection, "patience_s", 0.3)
    assert store.head().seq == 0
    with psycopg.connect(empty_database, autocommit=True) as other:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() AND client_port IS NOT NULL"
        pids = [pid for (pid,) in other.execute(query, (name,))]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(UnavailableError, match=r"said nothing for 0\.3 seconds"):
            store.add(Change(kind="idea", key="1", body={}), by="me")
        with pytest.raises(UnavailableError, match="said nothing lately"):
            store.head()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    time.sleep(0.6)
    assert store.head().seq == 0
    assert store.add(Change(kind="idea", key="1", body={}), by="me")[0].seq == 1


def test_while_a_server_hangs_one_alone_waits_for_it(empty_database: str, monkeypatch: pytest.MonkeyPatch):
    """Of those who come once it may have come back, one asks, and nobody else waits until that one has heard."""
    monkeypatch.setattr(postgres_connections, "_SILENT_S", 0.1)
    monkeypatch.setattr(Connection, "patience_s", 0.4)
    connections = Connections(empty_database)

    def ask(seconds: float) -> str:
        try:
            with connections.connection() as connection:
                connection.execute("SELECT pg_sleep(%s)", (seconds,))
        except (UnavailableError, psycopg.OperationalError) as error:
            return str(error)
        return "answered"

    assert ask(0) == "answered"
    assert "for 0.4 seconds" in ask(5)
    time.sleep(0.2)
    with ThreadPoolExecutor(5) as askers:
        first = askers.submit(ask, 5)
        time.sleep(0.1)
        assert all("said nothing lately" in said for said in askers.map(ask, [0] * 4))
        assert "for 0.4 seconds" in first.result()
    time.sleep(0.2)
    assert [ask(0), ask(0)] == ["answered", "answered"]
    connections.close()


def test_a_server_that_is_busy_does_not_hang(empty_database: str, monkeypatch: pytest.MonkeyPatch):
    """Who waits for a connection goes on waiting while others are answered; it is refused once nobody is."""
    monkeypatch.setattr(postgres_connections, "_SILENT_S", 0.2)
    monkeypatch.setattr(postgres_connections, "_MOST", 1)
    connections = Connections(empty_database)

    def ask() -> str:
        try:
            with connections.connection() as connection:
                return str(connection.execute("SELECT 'answered'").fetchone())
        except UnavailableError as error:
            return str(error)

    with ThreadPoolExecutor(1) as other:
        for _ in range(3):
            waiting = other.submit(ask)
            for _ in range(6):
                with connections.connection() as connection:
                    connection.execute("SELECT pg_sleep(0.08)")
            assert "answered" in waiting.result()
        with connections.connection():
            time.sleep(0.25)
            assert "in use" in other.submit(ask).result()
    connections.close()


class Cut:
    """A way to the server that is cut once, right after a transaction was committed, so that nobody hears of it."""

    def __init__(self, address: str) -> None:
        said = psycopg.conninfo.conninfo_to_dict(address)
        self._socket = f"{said['host']}/.s.PGSQL.{said.get('port', 5432)}"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"postgresql://postgres@127.0.0.1:{self._listening.getsockname()[1]}/{said['dbname']}"
        self.is_armed = False
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._listening.accept()[0], socket.socket(socket.AF_UNIX)
                far.connect(self._socket)
                Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    if not (said := ready.recv(65536)):
                        return
                    (far if ready is near else near).sendall(said)
                    if self.is_armed and ready is near and b"COMMIT\0" in said:
                        self.is_armed = False
                        assert far.recv(65536)
                        return

    def close(self) -> None:
        """Nobody comes in any more."""
        self._listening.close()


@pytest.fixture
def cut(empty_database: str) -> Iterator[Cut]:
    """Such a way."""
    way = Cut(empty_database)
    yield way
    way.close()


def test_what_was_committed_when_the_line_was_cut_is_not_said_to_have_failed(cut: Cut, tmp_path: Path):
    """The chain tells whether the last word got through: nobody repeats what was done."""
    store = PostgresRecordStore(cut.address, space="shop", backups=tmp_path)
    cut.is_armed = True
    [first, second] = store.add(*(Change(kind="idea", key=key, body={}) for key in "ab"), by="me")
    assert not cut.is_armed
    assert list(feed(store)) == [first, second]
    store.close()


FORK = """
import os, sys
from pathlib import Path
from shipworthy.store import Change
from shipworthy.store.postgres import PostgresRecordStore
from shipworthy.store.postgres_connections import Connection, Connections
from shipworthy.store.postgres_schema import MIGRATIONS
store = PostgresRecordStore(sys.argv[1], space="shop", backups=Path("."))
children = []
for n in range(4):
    child = os.fork()
    if not child:
        for _ in range(5):
            store.add(Change(kind="note", key="1", body={"n": n}), by="me")
        sys.exit(0)
    store.add(Change(kind="note", key="1", body={"n": "parent"}), by="me")
    children.append(child)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
print(store.head().seq)
store.close()
"""


def test_a_store_is_safe_in_a_process_that_forks(empty_database: str):
    """Children have connections of their own, and end without those of their parent."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, empty_database],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "24\n", "")


# Migrations


def _m0002_colour(connection: Connection) -> None:
    connection.execute("ALTER TABLE shipworthy.record ADD COLUMN colour text")


def _m0003_never(connection: Connection) -> None:
    connection.execute("ALTER TABLE shipworthy.record ADD COLUMN shape text")
    connection.execute("SELECT 1 / 0")


def test_many_processes_make_the_tables_once(open_store: Open):
    """Sixteen that start at the same time in an empty database all find the tables."""
    with ThreadPoolExecutor(16) as pool:
        assert {store.head().seq for store in pool.map(lambda _: open_store(), range(16))} == {0}


def test_all_that_is_there_is_backed_up_before_a_migration(
    open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One file for each project of the database, which any store takes back; each migration is done once or not at all."""
    heads = {}
    for space in ("food/kitchen", "energy"):
        store = open_store(space)
        store.add(*(Change(kind="idea", key=str(n), body={"in": space}) for n in range(1500)), by="me")
        heads[space] = store.head()
    monkeypatch.setattr("shipworthy.store.postgres_schema.MIGRATIONS", (*MIGRATIONS, _m0002_colour, _m0003_never))
    with pytest.raises(UnavailableError, match="division by zero"):
        open_store()
    monkeypatch.setattr("shipworthy.store.postgres_schema.MIGRATIONS", (*MIGRATIONS, _m0002_colour))
    store = open_store()
    with store._connected() as connection:
        names = connection.execute("SELECT name FROM shipworthy.migration ORDER BY name").fetchall()
        columns = connection.execute("SELECT * FROM shipworthy.record LIMIT 0").description
    assert names == [("m0001_records",), ("m0002_colour",)]
    assert [column.name for column in columns][-1] == "colour"
    for space, head in heads.items():
        name = f"{space.replace('/', '-')}.before-m0002_colour.*.jsonl.gz"
        [backup] = (tmp_path / "backups").glob(name)
        restored = SqliteRecordStore(tmp_path / f"{head.chain}.db")
        assert restored.restore(read_backup(backup)) == head
        restored.close()


def test_tables_of_a_newer_version_are_refused(open_store: Open):
    """What a newer shipworthy made is not touched."""
    with open_store()._connected() as connection:
        connection.execute("INSERT INTO shipworthy.migration VALUES ('m0009_wings', now())")
    with pytest.raises(UnavailableError, match=r"newer shipworthy \(m0009_wings\)"):
        open_store()


MIGRATE = """
import sys
from pathlib import Path
from shipworthy.store import postgres, postgres_schema
def _m0002_slow(connection):
    connection.execute("ALTER TABLE shipworthy.record ADD COLUMN colour text")
    print("now", flush=True)
    while True:
        connection.execute("SELECT pg_sleep(0.01)")
postgres_schema.MIGRATIONS += (_m0002_slow,)
postgres.PostgresRecordStore(sys.argv[1], space="shop", backups=Path(sys.argv[2]))
"""


def test_a_migration_that_is_killed_leaves_all_as_it_was(open_store: Open, empty_database: str, tmp_path: Path):
    """The tables are those of before, nothing is missing, and the next one to start goes on at once."""
    open_store().add(Change(kind="idea", key="1", body={}), by="me")
    process = subprocess.Popen(
        [sys.executable, "-c", MIGRATE, empty_database, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "now\n"
    process.kill()
    process.communicate()
    store = open_store()
    assert [record.key for record in checked(feed(store))] == ["1"]
    assert store.add(Change(kind="idea", key="1", body={}), by="me")[0].seq == 2


def now() -> datetime:
    """The instant."""
    return datetime.now(UTC)
