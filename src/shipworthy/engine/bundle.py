"""What travels to a worker that does not see the project's folder: code, settings and one snapshot."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.errors import TamperedError, UnavailableError
from shipworthy.project import CONFIG_NAME, open_project
from shipworthy.store import digest

_TRAVELLING = ("project", "research")
_OBJECTS = ".shipworthy/objects"
_UNUSED_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a project that replay needs, by their path in its folder.

    Attributes:
        files: The Python files, `shipworthy.toml` without what only this machine needs, and the snapshot.
    """

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The digest of every name and content."""
        return digest("\n".join(f"{name}\0{digest(self.files[name])}" for name in sorted(self.files)).encode())


def pack(root: Path, snapshot: str) -> Bundle:
    """Takes a project's code, its settings and a snapshot.

    Settings of stores do not travel, for they may hold a password, and a worker has no need of them.
    """
    project = open_project(root)
    settings = {section: project.settings[section] for section in _TRAVELLING}
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in _code(root)}
    return Bundle(
        files | {CONFIG_NAME: _toml(settings).encode(), f"{_OBJECTS}/{snapshot}": project.objects.get(snapshot)}
    )


def lay(bundle: Bundle, name: str) -> Path:
    """Lays a bundle into a folder of this machine's temporary files that is named by its digest, once; gives the folder.

    Raises:
        TamperedError: the bundle, or what lies in the folder, does not have that digest.
        UnavailableError: there is no room, or the place belongs to somebody else.
    """
    if bundle.digest != name:
        raise TamperedError(f"The project did not arrive as it was sent: its digest is not {name}. Run it again.")
    place = _place() / name
    try:
        if not place.exists():
            _clear(place.parent)
            _write(bundle, place)
        found = Bundle({path: (place / path).read_bytes() for path in bundle.files})
        os.utime(place)
    except OSError as error:
        raise UnavailableError(f"The project could not be laid into {place}: {error}. Make room there.") from error
    if found.digest != name or any(path.relative_to(place).as_posix() not in bundle.files for path in _code(place)):
        raise TamperedError(f"{place} was changed since it was laid. Delete it, and run the same command again.")
    return place


def _write(bundle: Bundle, place: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=place.parent))
    try:
        for name, content in bundle.files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)
        with suppress(OSError):  # another worker of this machine was first
            partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _place() -> Path:
    """The folder for bundles: this user's own, so that nobody else can put code there."""
    place = Path(tempfile.gettempdir()) / f"shipworthy-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or place.is_symlink():
        raise UnavailableError(f"{place} belongs to somebody else, or others may write there. Remove it.")
    return place


def _clear(place: Path) -> None:
    """Removes what no run has used for a week."""
    for old in place.iterdir():
        if old.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _code(root: Path) -> Iterator[Path]:
    """The Python files of a folder, but no hidden ones and none of an environment in it."""
    environments = {Path(sys.prefix), Path(sys.base_prefix)}
    for folder, below, names in os.walk(root):
        here = Path(folder)
        below[:] = [
            name
            for name in sorted(below)
            if not name.startswith((".", "__pycache__"))
            and here / name not in environments
            and not (here / name / "pyvenv.cfg").exists()
        ]
        yield from (here / name for name in sorted(names) if name.endswith(".py"))


def _toml(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Settings as TOML: texts, numbers and lists of texts are written there as in JSON.

    >>> print(_toml({"research": {"seed": 1, "engine": "ray"}}))
    [research]
    seed = 1
    engine = "ray"
    """
    lines = []
    for section, values in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(lines)
