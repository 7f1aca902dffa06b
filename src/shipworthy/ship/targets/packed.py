"""A project packed for a container: the rollout of one problem, the releases it names, and nothing else of the stores."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from shutil import rmtree
from types import MappingProxyType
from typing import Any, NamedTuple

from shipworthy.project import CONFIG_NAME, Project, open_project
from shipworthy.project.code import load_problem
from shipworthy.ship.manifest import files_of, parse_manifest, read_file
from shipworthy.ship.release import id_of, open_release, read_manifest
from shipworthy.ship.targets.deployment import LOG_FOLDER, Deployment
from shipworthy.ship.targets.stores import stores_for
from shipworthy.store import Change, Record, SqliteRecordStore, put_content
from shipworthy.variable import variable_in

_ADDRESSES = ("webhook", "slack")
_MANIFESTS = "releases"
_TEXTS = ("ideas/*.toml", "contracts/*.toml", "keys/*.pub", "keys/*.revoked")


class Packed(NamedTuple):
    """What is in packed releases.

    Attributes:
        files: The files, by name.
        types: The full names of what opening their fitted states makes.
    """

    files: dict[str, bytes]
    types: frozenset[str]


def pack(project: Project, deployment: Deployment, folder: Path) -> Packed:
    """Lays a project in a folder that serves the deployment's releases as they are; gives what is in them.

    Records keep their numbers, instants and authors, and objects their names. Each release is opened from the folder once,
    so that what is packed is known to open; its code is laid out by that, and needs no writable folder later.
    """
    folder.mkdir(parents=True)
    (folder / CONFIG_NAME).write_text(_settings(project, deployment), encoding="utf-8")
    for path in _sources(project, deployment.problem):
        place = folder / path.relative_to(project.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    records = folder / ".shipworthy" / "records.db"
    _copy_records(list(_records(project, deployment)), records)
    packed = open_project(folder)
    found = {release: _copy_objects(project, packed, release) for release in deployment.releases}
    for release in deployment.releases:
        open_release(packed, release)
    packed.records.close()
    _unwrite(records)
    if stores := stores_for(project, deployment.state):
        rmtree(folder / ".shipworthy")  # it was for opening the releases once
        (folder / CONFIG_NAME).write_text(_settings(project, deployment, stores), encoding="utf-8")
    files = {f"{release}/{name}": content for release, one in found.items() for name, content in one.files.items()}
    return Packed(files, frozenset(kind for one in found.values() for kind in one.types))


def manifest_of(project: Project, release: str) -> Mapping[str, Any]:
    """What a release's manifest says; its bytes and its signature were checked."""
    return parse_manifest(read_manifest(project, release)[0], release)


def _settings(project: Project, deployment: Deployment, stores: Mapping[str, str] = MappingProxyType({})) -> str:
    """The configuration of the packed project; JSON's texts, numbers and lists are TOML too."""
    place = {"name": project.name, "squad": project.squad} if stores else {}
    live = {**project.settings["live"], "log": LOG_FOLDER}
    reference = manifest_of(project, deployment.releases[0])["reference"]
    allowed = project.settings["release"]["allow_unsigned"]
    unsigned = sorted(whole for whole in allowed if id_of(str(whole)) in deployment.releases)
    rules = project.settings["rollout"]
    own = rules.get(deployment.problem)
    sections: dict[str, Mapping[str, Any]] = {
        "project": {"problems": [reference], **place},
        "store": stores,
        "research": {"seed": project.seed},
        "live": live,
        "release": {"allow_unsigned": unsigned},
        "watch": {name: value for name, value in project.settings["watch"].items() if not _is_secret(name, value)},
        "rollout": {name: value for name, value in rules.items() if not isinstance(value, dict)},
        f"rollout.{deployment.problem}": own if isinstance(own, dict) else {},
    }
    return "\n".join(
        f"[{section}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        for section, settings in sections.items()
        if settings
    )


def _is_secret(name: str, value: Any) -> bool:
    """Whether it is an address that lets whoever knows it write there; the name of a variable is none."""
    return name in _ADDRESSES and bool(value) and not variable_in(str(value))


def _sources(project: Project, problem_name: str) -> list[Path]:
    """The code behind the problem, ideas, contracts, trusted keys: texts that are reviewed, so no rows and no secrets."""
    code, problem = load_problem(project, problem_name)
    functions = [*problem.policies.values(), problem.value_of, *(rule.holds for rule in problem.constraints)]
    texts = [path for pattern in _TEXTS for path in project.root.glob(pattern)]
    return sorted({*code.files_behind(*(one for one in functions if one)), *texts})


def _records(project: Project, deployment: Deployment) -> Iterator[Record]:
    for release in deployment.releases:
        for kind in ("release", "parity"):
            yield from project.records.history(kind, release)
    yield from project.records.history("rollout", deployment.problem)


def _copy_records(records: list[Record], path: Path) -> None:
    """Writes them as they were, by a store whose clock shows the instant of each."""
    instants = iter([record.at for record in records])
    store = SqliteRecordStore(path, clock=lambda: next(instants))
    for record in records:
        store.add(Change(kind=record.kind, key=record.key, body=record.body), by=record.by)
    store.close()


def _copy_objects(project: Project, packed: Project, release: str) -> Packed:
    content, _ = read_manifest(project, release)
    put_content(packed.objects, _MANIFESTS, content)
    found = files_of(parse_manifest(content, release))
    files = {name: read_file(project.objects, file) for name, file in found.items()}
    for name, file in found.items():
        put_content(packed.objects, file.object.rpartition("/")[0], files[name])
    return Packed(files, frozenset(kind for file in found.values() for kind in file.types))


def _unwrite(path: Path) -> None:
    """Takes the file out of WAL, which has to write beside it even to read."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
