"""A Ray cluster of three machines, as processes on loopback addresses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).parents[2]
QUIET = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_timeout_ms": "1000",
}
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])  # sessions side by side have a cluster each


class Cluster:
    """A head and two more machines of one core each; the first is 11, the others 12 and 13.

    Raises:
        RuntimeError: a machine did not come up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 26390 + NUMBER
        self.address = f"{self._ip(11)}:{self._port}"
        self.machines: dict[int, subprocess.Popen[bytes]] = {}
        self._start(11, "--head", f"--port={self._port}", "--include-dashboard=false", f"--temp-dir={folder}",
                    f"--dashboard-port={28265 + NUMBER}")  # fmt: skip
        for name in (12, 13):
            self._start(name, f"--address={self.address}")

    def kill(self, name: int) -> None:
        """kill -9 of everything that runs on one machine."""
        machine = self.machines.pop(name)
        os.killpg(machine.pid, signal.SIGKILL)
        machine.wait()

    def stop(self) -> None:
        """Kills what is left, the head last."""
        for name in sorted(self.machines, reverse=True):
            self.kill(name)

    def _ip(self, name: int) -> str:
        return f"127.0.{NUMBER}.{name}"

    def _start(self, name: int, *options: str) -> None:
        ports = 30000 + 400 * (3 * NUMBER + name - 11)
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--node-ip-address={self._ip(name)}",
                   f"--min-worker-port={ports}", f"--max-worker-port={ports + 399}", "--num-cpus=1",
                   "--object-store-memory=100000000", *options]  # fmt: skip
        path = os.pathsep.join([str(SOURCE / "src"), str(SOURCE)])
        log = self._folder / f"{name}.log"
        with log.open("wb") as out:
            self.machines[name] = subprocess.Popen(
                command, env={**os.environ, **QUIET, "PYTHONPATH": path}, stdout=out, stderr=out, start_new_session=True
            )
        until = time.monotonic() + 60
        while b"Ray runtime started" not in log.read_bytes():
            if self.machines[name].poll() is not None or time.monotonic() > until:
                text = log.read_text(encoding="utf-8", errors="replace")
                self.stop()
                raise RuntimeError(f"machine {name} did not come up: {text}")
            time.sleep(0.05)
