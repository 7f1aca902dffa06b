"""A real Ceph object gateway of one's own: one monitor, one daemon that keeps objects in memory, and the gateway.

It needs Debian's packages ceph-mon, ceph-osd, radosgw and ceph-common, and somebody who may run them: root.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "ceph", "ceph-authtool", "monmaptool", "radosgw-admin")
_CONF = """\
[global]
fsid = {fsid}
mon host = 127.0.0.1:{mon_port}
mon initial members = a
public addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$cluster-$name.asok
log file = {folder}/$name.log
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data = {folder}/mon
osd data = {folder}/osd
ms bind msgr2 = false
ms bind ipv6 = false
rgw frontends = beast endpoint=127.0.0.1:{rgw_port} tcp_nodelay=1
rgw enable usage log = false
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where it answers, and with which keys."""

    address: str
    access_key: str
    secret_key: str


def is_installed() -> bool:
    """Whether this machine can run one."""
    return os.geteuid() == 0 and all(shutil.which(program) for program in PROGRAMS)


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Starts all three, and ends them."""
    folder = Path(tempfile.mkdtemp(prefix="ceph-"))
    running: list[subprocess.Popen[bytes]] = []
    try:
        yield _started(folder, running)
    finally:
        for process in reversed(running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, running: list[subprocess.Popen[bytes]]) -> Gateway:
    mon_port, rgw_port = _free_port(), _free_port()
    fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
    conf, ring = folder / "ceph.conf", folder / "keyring"
    conf.write_text(_CONF.format(fsid=fsid, folder=folder, mon_port=mon_port, rgw_port=rgw_port))
    for name in ("mon", "osd"):
        (folder / name).mkdir()

    def run(*words: str) -> str:
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout

    def start(*words: str) -> None:
        with (folder / f"{words[0]}.out").open("wb") as out:
            running.append(subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True))

    allow = [word for part in ("mon", "osd", "mds", "mgr") for word in ("--cap", part, "allow *")]
    run("ceph-authtool", "--create-keyring", str(ring), "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    for name in ("client.admin", "osd.0", "client.rgw"):
        run("ceph-authtool", str(ring), "--gen-key", "-n", name, *allow)
    monmap = str(folder / "monmap")
    run("monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{mon_port}]", "--fsid", fsid, monmap)
    known = ("-c", str(conf))
    run("ceph-mon", *known, "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", str(ring))
    start("ceph-mon", *known, "-i", "a", "-f")
    run("ceph", *known, "-n", "client.admin", "osd", "new", osd)
    run("ceph", *known, "osd", "crush", "add", "osd.0", "1", "root=default")
    run("ceph-osd", *known, "-i", "0", "--mkfs", "--osd-uuid", osd, "--keyring", str(ring))
    start("ceph-osd", *known, "-i", "0", "-f", "--keyring", str(ring))
    _wait(lambda: json.loads(run("ceph", *known, "osd", "stat", "-f", "json"))["num_up_osds"] == 1, "an OSD")
    start("radosgw", *known, "-n", "client.rgw", "--keyring", str(ring), "-f")
    address = f"http://127.0.0.1:{rgw_port}"
    _wait(lambda: _answers(address), "the gateway")
    user = ("user", "create", "--uid", "tester", "--display-name", "tester")
    made = json.loads(run("radosgw-admin", *known, "-n", "client.rgw", *user))
    [key] = made["keys"]
    return Gateway(address, key["access_key"], key["secret_key"])


def _wait(is_there, what: str) -> None:
    until = time.monotonic() + 120
    while not is_there():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not come up in two minutes")
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        urlopen(address, timeout=2).close()
    except HTTPError:
        return True
    except (URLError, OSError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
