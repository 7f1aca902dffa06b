"""The image, built and run for real: read-only, without root, with a limit of memory, drained when it is told to end."""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shipworthy.ship.rollout import Phase
from shipworthy.ship.targets.deploy import Options, deploy
from tests.live.stall import Answer, Server, build_stall, stall_rows

ROOT = Path(__file__).parents[2]
BASE = f"docker.io/library/python:{platform.python_version()}-slim"
NAME = "shipworthy-test"
LOCKED_DOWN = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=1g")


class Podman:
    """Podman as this machine can run it: within the limits that this process has, and without a daemon."""

    def __init__(self, folder: Path) -> None:
        files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
        limits = [f"nofile={min(files, 20_000)}:{min(files, 20_000)}"]
        if processes != resource.RLIM_INFINITY:
            limits.append(f"nproc={min(processes, 32_768)}:{min(processes, 32_768)}")
        runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
        (folder / "containers.conf").write_text(
            f"[containers]\ndefault_ulimits = {json.dumps(limits)}\n[engine]\n{runtime}"
            'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n[network]\nnetwork_backend = "netavark"\n'
        )
        self.environment = os.environ | {"CONTAINERS_CONF": str(folder / "containers.conf")}

    def __call__(self, *words: str, fails: bool = False) -> str:
        """Runs it, and gives what it printed."""
        ran = subprocess.run(
            ["podman", *words], env=self.environment, capture_output=True, text=True, check=False, timeout=280
        )
        assert fails or ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
        return ran.stdout.strip()


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Podman:
    """Podman, where it and a base image are on this machine; nothing is pulled."""
    if not shutil.which("podman"):
        pytest.skip("podman is not installed on this machine")
    asked = Podman(tmp_path_factory.mktemp("podman"))
    if BASE not in asked("images", "--format", "{{.Repository}}:{{.Tag}}"):
        pytest.skip(f"podman has no image {BASE} on this machine")
    return asked


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of a stall that is served by a policy that takes a second."""
    folder = tmp_path_factory.mktemp("image")
    stall = build_stall(folder / "stall")
    stall.move("slow", "one_more", phase=Phase.SHADOW)
    options = Options(lock=ROOT / "requirements.lock", image="localhost/shipworthy-test:1")
    deployed = deploy(stall.project, "stock", "docker", folder / "out", options)
    context = deployed.folders[0]
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps")
    got = subprocess.run(
        [*download, "--only-binary", ":all:", "-r", str(context / "requirements.txt"), "-d", str(folder / "wheels")],
        capture_output=True,
        text=True,
        check=False,
    )
    if got.returncode:
        pytest.skip(f"the libraries cannot be fetched here: {got.stderr[-200:]}")
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    mounted = (f"--volume={folder}/wheels:/wheels:ro", f"--volume={folder}/pip.conf:/etc/pip.conf:ro")
    built = ("build", "--quiet", "--pull=never", "--format=docker", "--network=none", f"--build-arg=PYTHON={BASE}")
    podman(*built, *mounted, f"--tag={options.image}", str(context))
    stall.project.records.close()
    yield options.image
    podman("rmi", "--force", options.image, fails=True)


@pytest.fixture
def running(podman: Podman, image: str, tmp_path: Path) -> Iterator[Server]:
    """The container, locked down, as soon as it is ready."""
    log = tmp_path / "log"
    log.mkdir(mode=0o777)
    log.chmod(0o777)
    podman("rm", "--force", NAME, fails=True)
    podman(
        "run", "--detach", f"--name={NAME}", *LOCKED_DOWN, "--publish=127.0.0.1::8000", f"--volume={log}:/log", image
    )
    try:
        port = int(re.findall(r":(\d+)$", podman("port", NAME))[0])
        server = Server(port, None, log / "stock")
        until = time.monotonic() + 90
        while _status(server) != 200:
            assert time.monotonic() < until, podman("logs", NAME)
            time.sleep(0.1)
        yield server
    finally:
        podman("rm", "--force", "--time=0", NAME, fails=True)


def _status(server: Server) -> int:
    try:
        return server.ask("GET", "/v1/health").status
    except OSError:
        return 0


def test_it_answers_without_root_and_writes_nothing_but_its_log(podman: Podman, running: Server):
    """Locked down it is healthy and decides, logs that before it answers, as its shadow does, and writes nothing else."""
    assert podman("exec", NAME, "id", "-u") == "10001"
    podman("healthcheck", "run", NAME)
    answer = running.decide()
    assert (answer.status, answer.body["arm"], answer.body["rung"]) == (200, "champion", "policy")
    [line] = [json.loads(line) for path in running.folder.glob("decisions-*") for line in path.read_text().splitlines()]
    assert line["id"] == answer.body["id"]
    running.wait_for(lambda: any(running.folder.glob("shadows-*")))
    [shadow] = [json.loads(line) for path in running.folder.glob("shadows-*") for line in path.read_text().splitlines()]
    assert (shadow["id"], shadow["arm"], shadow["answer"]["rung"]) == (line["id"], "challenger", "policy")
    for place in ("/project/x", "/opt/packages/x", "/x"):
        podman("exec", NAME, "sh", "-c", f"! touch {place} 2>/dev/null")


def test_it_answers_what_it_has_begun_when_it_is_told_to_end(podman: Podman, running: Server):
    """On SIGTERM a decision that takes a second is still answered and logged, and the container ends with code 0."""
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(_decide, running)
        time.sleep(0.4)
        podman("kill", "--signal=TERM", NAME)
        answer = begun.result(timeout=60)
    assert answer.status == 200
    assert podman("wait", NAME) == "0"
    logged = "".join(path.read_text() for path in running.folder.glob("decisions-*"))
    assert answer.body["id"] in logged


def _decide(server: Server) -> Answer:
    body: dict[str, Any] = {"period": "2026-01-31", "rows": stall_rows()}
    return server.ask("POST", "/v1/decide", body)
