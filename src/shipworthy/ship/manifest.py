"""The manifest of a release: what is in it, of which kind, size and digest, and where it comes from."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.errors import InvalidInputError, TamperedError
from shipworthy.project import Project
from shipworthy.store import ObjectStore, canonical, digest, get_content

FORMAT = 2
LARGEST_MANIFEST = 10_000_000
"""Bytes; what is larger is not read."""

_GIT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """A file of a release.

    Attributes:
        kind: "code", "fitted", "fallback", "memory", "golden", "contract" or "lock".
        object: The object that holds its bytes, named by their digest.
        bytes: How many there are; None in a manifest of the first format, which did not say.
        types: The full names of what opening a fitted state makes.
    """

    kind: str
    object: str
    bytes: int | None
    types: Sequence[str] = ()


def entry_of(kind: str, stored: str, content: bytes, types: Sequence[str]) -> dict[str, Any]:
    """What a manifest says of a file."""
    about = {"kind": kind, "object": stored, "bytes": len(content)}
    return about | ({"types": list(types)} if types else {})


def parse_manifest(content: bytes, release_id: str) -> Mapping[str, Any]:
    """What a manifest says.

    Raises:
        InvalidInputError: it is of a format that this version does not know.
    """
    manifest: Mapping[str, Any] = json.loads(content)
    if manifest.get("format") not in (1, FORMAT):
        raise InvalidInputError(
            f"Release {release_id} is of format {manifest.get('format')!r}; this version opens 1 and {FORMAT}. Use the version "
            "of shipworthy that built it, or ship the idea again."
        )
    return manifest


def files_of(manifest: Mapping[str, Any]) -> dict[str, PackedFile]:
    """The files of a release, by name; those of the first format are told by their names."""
    if manifest["format"] == 1:
        return {
            name: PackedFile(kind=name.partition("/" if "/" in name else ".")[0], object=stored, bytes=None)
            for name, stored in manifest["files"].items()
        }
    return {name: PackedFile(**entry) for name, entry in manifest["files"].items()}


def read_file(objects: ObjectStore, file: PackedFile) -> bytes:
    """The bytes of a file, whose size is asked for before they are read, and their digest before they are used.

    Raises:
        TamperedError: they are not those that the manifest names.
    """
    if file.bytes is not None and (size := objects.about(file.object).size) != file.bytes:
        raise TamperedError(
            f"Object {file.object!r} does not have the content its name promises: the manifest says {file.bytes:,} bytes, and "
            f"there are {size:,}. It is not used. Restore it from a backup."
        )
    return get_content(objects, file.object)


def lineage(project: Project, idea: str | None, snapshot: str) -> dict[str, Any]:
    """Where a release comes from: the locked idea, the rows, the evidence and the verdict, and the commit of the code."""
    found = {kind: project.records.get(kind, idea) if idea else None for kind in ("idea", "research", "verdict")}
    locked, research, verdict = (record.body if record else {} for record in found.values())
    return {
        "idea": idea,
        "locked": (locked.get("lock") or {}).get("digest"),
        "snapshot": snapshot,
        "evidence": research.get("evidence"),
        "verdict": digest(canonical(verdict)) if verdict else None,
        "decision": (verdict.get("verdict") or {}).get("decision"),
        "commit": _commit(project.root),
    }


def _commit(root: Path) -> str | None:
    """The commit of the repository, with "+" where files that it keeps were changed since; None where there is none."""
    git = shutil.which("git")
    if git is None:
        return None

    def said(*words: str) -> str | None:
        command = [git, "-C", str(root), *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = said("rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("+" if said("status", "--porcelain", "--untracked-files=no", "--", ".") else "")
