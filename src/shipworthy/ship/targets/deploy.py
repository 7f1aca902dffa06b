"""The verb behind `shipworthy deploy`: writes the files with which a target runs what is rolled out."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from shipworthy.errors import AlreadyExistsError, NotFoundError
from shipworthy.ideas.register import find_idea
from shipworthy.project import Project
from shipworthy.ship.rollout import Rollout, read_rollout
from shipworthy.ship.targets.aws import aws_files
from shipworthy.ship.targets.deployment import STATE_FOLDER, Deployment, State, Target
from shipworthy.ship.targets.docker import write_context
from shipworthy.ship.targets.kubernetes import kubernetes_files
from shipworthy.ship.targets.packed import manifest_of, pack
from shipworthy.ship.targets.requirements import locked, needed
from shipworthy.ship.targets.stores import stores_for
from shipworthy.variable import variable_in

_MARK = "deployment.json"
_LOCK = "requirements.lock"
_FILES: Mapping[Target, Callable[[Deployment], Mapping[str, str]]] = {
    "kubernetes": kubernetes_files,
    "aws": aws_files,
}
"""What a target has beside the image."""

_EXTRAS: Mapping[State, tuple[str, ...]] = {
    "image": ("serve",),
    "volume": ("serve", "sql", "delta"),
    "stores": ("serve", "sql", "delta", "postgres", "bucket"),
}
"""What is installed beside what the releases need; where the rollout moves there are refits, and they read rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What was written.

    Attributes:
        deployment: The facts it was written from.
        folders: The folders that were written, each as a whole.
        commands: What to run now, line by line.
    """

    deployment: Deployment
    folders: tuple[Path, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be said about a deployment; see `Deployment` for their meaning."""

    image: str = ""
    namespace: str = "shipworthy"
    replicas: int = 2
    state: State = "image"
    lock: Path | None = None


def deploy(project: Project, problem: str, target: Target, out: Path, options: Options | None = None) -> Deployed:
    """Writes what a target needs into folders of `out`, one for the image and one for the target.

    A folder is replaced as a whole, and only where it was written by this before. Nothing is built or sent anywhere.

    Raises:
        NotFoundError: nothing is rolled out for the problem.
        InvalidInputError: a name is none that a cluster takes, the lock is about other versions than those installed, or the
            project's stores are not where the state is to be.
        AlreadyExistsError: one of the folders has something else in it.
    """
    options = options or Options()
    deployment = describe(project, problem, options)
    if target == "local":
        return Deployed(deployment=deployment, folders=(), commands=(f"shipworthy serve {problem}",))
    image = out / "image"
    _replace(image, deployment, lambda folder: _write_image(project, deployment, options, folder))
    folders = [image]
    if target in _FILES:
        folders.append(out / target)
        _replace(out / target, deployment, lambda folder: _write(_FILES[target](deployment), folder))
    return Deployed(deployment=deployment, folders=tuple(folders), commands=_commands(deployment, target, out))


def describe(project: Project, problem: str, options: Options) -> Deployment:
    """The facts of what is rolled out now."""
    stores = stores_for(project, options.state)
    rollout = read_rollout(project, problem)
    if rollout is None:
        known = [record.key for record in project.records.find("rollout")]
        raise NotFoundError.among("rollout of problem", problem, known, "Ship an idea first, with `shipworthy ship`.")
    manifest = manifest_of(project, rollout.champion)
    return Deployment(
        problem=problem,
        releases=(rollout.champion, *([rollout.challenger] if rollout.challenger else [])),
        rollout=rollout.version,
        phase=str(rollout.phase),
        title=_title(project, rollout, str(manifest["policy"])),
        python=str(manifest["python"]),
        image=options.image,
        namespace=options.namespace,
        replicas=options.replicas,
        state=options.state,
        secrets=tuple(filter(None, map(variable_in, stores.values()))),
    )


def _title(project: Project, rollout: Rollout, policy: str) -> str:
    if rollout.idea is None:
        return policy
    try:
        return find_idea(project, int(rollout.idea)).title
    except NotFoundError:  # its file is gone; what is rolled out is not
        return f"Idea {int(rollout.idea)}"


def _write_image(project: Project, deployment: Deployment, options: Options, folder: Path) -> None:
    packed = pack(project, deployment, folder / "project")
    beside = project.root / _LOCK
    lock = options.lock or (beside if beside.is_file() else None)
    write_context(deployment, locked(needed(packed.files, packed.types, _EXTRAS[deployment.state]), lock), folder)


def _write(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _replace(folder: Path, deployment: Deployment, write: Callable[[Path], None]) -> None:
    """Writes a folder beside its place, and puts it there only when it is complete."""
    if folder.exists() and not (folder / _MARK).is_file():
        raise AlreadyExistsError(
            f"{folder} is there, and not by `shipworthy deploy`. Choose another --out, or move it."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".deploy-", dir=folder.parent) as beside:
        fresh, old = Path(beside) / "fresh", Path(beside) / "old"
        fresh.mkdir()
        write(fresh)
        (fresh / _MARK).write_text(json.dumps(asdict(deployment), indent=2) + "\n", encoding="utf-8")
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # the user in the container is neither owner nor group
        if folder.exists():
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _commands(deployment: Deployment, target: Target, out: Path) -> tuple[str, ...]:
    build = f"docker build --tag {deployment.image} {out / 'image'}"
    push = f"docker push {deployment.image}"
    stack = f"aws cloudformation deploy --stack-name {deployment.name} --template-file {out / 'aws' / 'template.yaml'}"
    names = "".join(f" --env {name}" for name in deployment.secrets)
    state = {
        "image": "",
        "volume": f" --volume $PWD/.shipworthy:{STATE_FOLDER}",
        "stores": f" --tmpfs {STATE_FOLDER}:mode=1777{names}",
    }[deployment.state]
    following = {
        "docker": (
            f"docker run --detach --name {deployment.name} --read-only --tmpfs /tmp --cap-drop ALL --publish 127.0.0.1:8000:8000 "
            f"--volume {deployment.name}-log:/log{state} {deployment.image}",
        ),
        "kubernetes": (push, f"kubectl apply --kustomize {out / 'kubernetes' / 'service'}"),
        "aws": (
            push,
            f"{stack} --capabilities CAPABILITY_IAM --parameter-overrides Vpc=... SubnetA=... SubnetB=... Callers=...",
        ),
    }
    return (build, *following[target])
