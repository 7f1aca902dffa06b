"""docs/team.md does what it says: every command of it typed, on a real PostgreSQL, a bucket, Ray and a provider."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server.test_command import free_port
from tests.walks.examples import REPOSITORY, full

PAGE = REPOSITORY / "docs" / "team.md"
SERVERS = Path("/usr/lib/postgresql")
needs_servers = pytest.mark.skipif(
    not SERVERS.is_dir() or os.getuid() != 0, reason="needs Debian's postgresql, and root to start it as another user"
)


@contextmanager
def postgres(folder: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL that listens on a port, with the environment of whoever owns it."""
    port, programs = free_port(), sorted(SERVERS.glob("*/bin"))[-1]
    shutil.chown(folder, "postgres", "postgres")
    as_owner: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": folder}
    make = [str(programs / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, **as_owner)
    run = [
        str(programs / "postgres"),
        "-D",
        str(folder / "data"),
        "-p",
        str(port),
        "-k",
        str(folder),
        "-c",
        "listen_addresses=127.0.0.1",
    ]
    server = subprocess.Popen(run, stderr=subprocess.DEVNULL, **as_owner)
    environment = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres"}
    wait = f"until pg_isready -q -h 127.0.0.1 -p {port}; do sleep 0.1; done"
    subprocess.run(["timeout", "60", "bash", "-c", wait], check=True)
    try:
        yield environment
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


@contextmanager
def provider() -> Iterator[str]:
    """A provider of OpenID Connect, as a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@full
@needs_servers
@pytest.mark.timeout(600)
def test_a_platform_engineer_types_the_page(object_store: str):
    """From nothing to a verdict through the server, with roles, sign-in, replays on Ray, a backup and a verified audit."""
    folder = Path(tempfile.mkdtemp(prefix="town"))  # pytest's own folders are closed to the database's user
    folder.chmod(0o755)
    (folder / "database").mkdir()
    (folder / "backups").mkdir()
    subprocess.run(["curl", "-fsS", "-X", "PUT", f"{object_store}/town"], check=True, capture_output=True)
    port = free_port()
    script = "set -euo pipefail\n" + "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.M | re.S))
    with postgres(folder / "database") as database, provider() as issuer:
        environment = {
            **os.environ,
            **database,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_PASSWORD": "not-to-be-told",
            "AWS_ENDPOINT_URL": object_store,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "not-to-be-told-either",
            "BUCKET": "town",
            "RAY_HOST": "127.0.0.11",
            "RAY_PORT": str(free_port()),
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "ADMIN_PASSWORD": "correct horse battery",
            "OTHER_PASSWORD": "a staple of another kind",
            "OIDC_ISSUER": issuer,
            "OIDC_SECRET": "of-the-client",
            "SERVER_HOST": "127.0.0.1",
            "SERVER_PORT": str(port),
            "SERVER_ADDRESS": f"http://127.0.0.1:{port}",
            "BACKUPS": str(folder / "backups"),
        }
        environment.pop("SHIPWORTHY_USER", None)
        said = folder / "said"
        with said.open("w") as file:
            typed = subprocess.Popen(
                ["bash", "-c", script],
                cwd=folder,
                env=environment,
                stdout=file,  # no pipe: the server that the script leaves running would hold it open
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                typed.wait(500)
            finally:
                os.killpg(typed.pid, signal.SIGTERM)
                subprocess.run(["pkill", "-f", environment["RAY_PORT"]], check=False)
    told = said.read_text()
    assert typed.returncode == 0, told
    assert re.search(r'"decision": ?"ship"', told), told
    assert "product manager has not signed" in told, told
    assert len(list((folder / "backups").glob("*.gz"))) == 1
    shutil.rmtree(folder, ignore_errors=True)
