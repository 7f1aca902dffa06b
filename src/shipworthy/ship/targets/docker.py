"""The image: a small Dockerfile and its build context, the same for every place that runs containers.

What is in the context decides: the packed project, the shipworthy that packed it, and the exact libraries that the releases
need. The container writes to `/log` and `/tmp` alone, so its root file system can be read-only.
"""

from __future__ import annotations

import json
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shipworthy.ship.targets.deployment import FOLDER, HEALTH, LOG_FOLDER, PORT, USER, Deployment
from shipworthy.ship.targets.requirements import is_hashed

WORKERS = 2
_SYSTEM = {"lightgbm": "libgomp1"}
"""What a library's wheel expects of the system that a slim image lacks."""

_DOCKERFILE = """\
# Written by `shipworthy deploy`: change the options, not this file.
# To pin what it stands on by digest: --build-arg PYTHON=docker.io/library/python@sha256:...
ARG PYTHON=docker.io/library/python:{python}-slim

FROM ${{PYTHON}} AS packages
COPY requirements.txt /tmp/requirements.txt
RUN python3 -m venv /tmp/pip \\
 && /tmp/pip/bin/pip install --disable-pip-version-check --no-cache-dir --no-deps --only-binary :all: {hashes}\\
      --target /opt/packages -r /tmp/requirements.txt
COPY shipworthy /opt/packages/
RUN python3 -m compileall -q -j 0 /opt/packages/shipworthy

FROM ${{PYTHON}}
{system}COPY --from=packages /opt/packages /opt/packages
COPY project {folder}
RUN mkdir {log} && chown {user}:{user} {log}
ENV PYTHONPATH=/opt/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp SHIPWORTHY_USER=container
LABEL {labels}
WORKDIR {folder}
USER {user}:{user}
VOLUME {volumes}
EXPOSE {port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD {health}
ENTRYPOINT ["python3", "-m", "shipworthy"]
CMD {command}
"""

_METADATA = "Metadata-Version: 2.1\nName: shipworthy\nVersion: {version}\n"


def write_context(deployment: Deployment, requirements: str, folder: Path) -> None:
    """Writes the Dockerfile and its context beside the packed project, which is there already as `project`."""
    (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
    (folder / "Dockerfile").write_text(dockerfile(deployment, requirements), encoding="utf-8")
    ignored = ["*", "!requirements.txt", "!shipworthy", "!project", "**/__pycache__", "**/*.db-wal", "**/*.db-shm"]
    (folder / ".dockerignore").write_text("\n".join(ignored) + "\n", encoding="utf-8")
    _copy_shipworthy(folder / "shipworthy")


def dockerfile(deployment: Deployment, requirements: str) -> str:
    """The text of the Dockerfile."""
    system = sorted({package for name, package in _SYSTEM.items() if f"\n{name}==" in f"\n{requirements}"})
    return _DOCKERFILE.format(
        python=deployment.python,
        hashes="--require-hashes " if is_hashed(requirements) else "",
        system=_install(system) if system else "",
        folder=FOLDER,
        log=LOG_FOLDER,
        user=USER,
        labels=" \\\n      ".join(f"{name}={_quoted(value)}" for name, value in labels(deployment).items()),
        volumes=json.dumps([LOG_FOLDER, "/tmp"]),  # noqa: S108  (the container's)
        port=PORT,
        health=json.dumps(["python3", "-c", health_check()]),
        command=json.dumps(serve_command(deployment)),
    )


def labels(deployment: Deployment) -> dict[str, str]:
    """What the image says of itself, by the names of the Open Container Initiative where it has one."""
    return {
        "org.opencontainers.image.title": deployment.name,
        "org.opencontainers.image.description": deployment.title,
        "org.opencontainers.image.version": f"{deployment.releases[-1]}-{deployment.rollout}",
        "io.shipworthy.problem": deployment.problem,
        "io.shipworthy.releases": " ".join(deployment.releases),
        "io.shipworthy.rollout": str(deployment.rollout),
        "io.shipworthy.phase": deployment.phase,
    }


def serve_command(deployment: Deployment) -> list[str]:
    """What a container does, without the entry point."""
    return ["serve", deployment.problem, "--host", "0.0.0.0", "--port", str(PORT), "--workers", str(WORKERS)]  # noqa: S104


def health_check() -> str:
    """A line of Python that ends well where the service answers that it is ready: the image needs no curl."""
    return f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}{HEALTH}', timeout=4)"


def wait_to_end(seconds: int) -> list[str]:
    """A command that waits, for the time in which balancers hear that a container ends."""
    return ["python3", "-c", f"import time; time.sleep({seconds})"]


def _install(packages: list[str]) -> str:
    return (
        f"RUN apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)} "
        "&& rm -rf /var/lib/apt/lists/*\n"
    )


def _quoted(text: str) -> str:
    """A value as a Dockerfile has it, on one line, with nothing to expand."""
    line = " ".join(text.split())
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def _copy_shipworthy(folder: Path) -> None:
    """Copies this very shipworthy, so that what opens the releases is what packed them."""
    package = Path(__file__).parents[2]
    shutil.copytree(package, folder / "shipworthy", ignore=shutil.ignore_patterns("__pycache__", "examples", "starter"))
    try:
        known = version("shipworthy")
    except PackageNotFoundError:
        return
    about = folder / f"shipworthy-{known}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(_METADATA.format(version=known), encoding="utf-8")
