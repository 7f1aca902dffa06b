"""A release outside its project's stores: one file to send, or a folder to serve from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError, TamperedError
from shipworthy.project import CONFIG_NAME, Project, open_project
from shipworthy.ship.fitted.parts import pack_parts, read_parts
from shipworthy.ship.keys import public_keys
from shipworthy.ship.manifest import PackedFile, files_of, parse_manifest, read_file
from shipworthy.ship.release import id_of, read_manifest, record_release
from shipworthy.ship.signature import require_signature
from shipworthy.store import digest, put_content

_MANIFEST, _SIGNATURE, _OBJECTS = "manifest.json", "signature.json", "objects/"
_LARGEST = 4_000_000_000
"""Bytes of a file; what is larger is not read."""


def export_file(project: Project, release_id: str, file: Path) -> None:
    """Writes a release into one file, without anything in it being run; `import_release` takes it in elsewhere.

    Raises:
        NotFoundError: there is no such release, or no such folder.
        TamperedError: it was changed, or is not signed by anybody trusted.
        AlreadyExistsError: the file is there already.
    """
    _refuse_present(file)
    content, _ = read_manifest(project, release_id)
    parts = {_MANIFEST: content, _SIGNATURE: json.dumps(_signature(project, release_id)).encode()}
    for packed in files_of(parse_manifest(content, release_id)).values():
        parts[_part(packed)] = read_file(project.objects, packed)
    file.write_bytes(pack_parts(parts))


def import_release(project: Project, file: Path) -> str:
    """Takes a release into the project's stores and gives its id; nothing of it is run.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is no file of `export_file`.
        TamperedError: a byte of it was changed, or nobody signed it whom the project trusts.
    """
    if not file.is_file():
        raise NotFoundError(f"There is no file {file}. `shipworthy release export ID FILE` writes one.")
    if file.stat().st_size > _LARGEST:
        raise InvalidInputError(f"{file} is larger than any release. It is not used.")
    parts = read_parts(file.read_bytes(), str(file))
    content, release_id = parts.get(_MANIFEST, b""), id_of(digest(parts.get(_MANIFEST, b"")))
    try:
        signature = json.loads(parts[_SIGNATURE])
    except (KeyError, ValueError) as error:
        raise InvalidInputError(f"{file} holds no release: it has no {_MANIFEST} with its {_SIGNATURE}.") from error
    require_signature(project, release_id, content, signature)
    manifest = parse_manifest(content, release_id)
    packed_files = files_of(manifest)
    for name, packed in packed_files.items():
        if digest(parts.get(_part(packed), b"")) != packed.object.rpartition("/")[2]:
            raise TamperedError(f"{file} does not hold {name} as the manifest names it. It is not used.")
    for packed in packed_files.values():
        put_content(project.objects, packed.object.rpartition("/")[0], parts[_part(packed)])
    return record_release(project, content, manifest, signature)


def export_folder(project: Project, release_id: str, folder: Path) -> None:
    """Lays a project that holds this release alone, with the keys that are trusted here: what a container serves from.

    `shipworthy serve PROBLEM --release ID` in that folder needs neither the project's code nor its stores.

    Raises:
        ShipworthyError: see `export_file`.
        AlreadyExistsError: the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise AlreadyExistsError(f"{folder} holds something already. Name a folder that is new or empty.")
    content, signer = read_manifest(project, release_id)
    keys = folder / "keys"
    keys.mkdir(parents=True)
    for key in public_keys(project):
        name = f"{key.name}{'.revoked' if key.is_revoked else '.pub'}"
        (keys / name).write_bytes((project.root / "keys" / name).read_bytes())
    allowed = "" if signer else f'[release]\nallow_unsigned = ["{digest(content)}"]\n'
    (folder / CONFIG_NAME).write_text(f"[project]\nproblems = []\n{allowed}", encoding="utf-8")
    laid = open_project(folder)
    manifest = parse_manifest(content, release_id)
    for packed in files_of(manifest).values():
        put_content(laid.objects, packed.object.rpartition("/")[0], read_file(project.objects, packed))
    record_release(laid, content, manifest, _signature(project, release_id))
    laid.records.close()


def _signature(project: Project, release_id: str) -> Any:
    record = project.records.get("release", release_id)
    return record.body.get("signature") if record else None


def _part(packed: PackedFile) -> str:
    return f"{_OBJECTS}{packed.object.rpartition('/')[2]}"


def _refuse_present(file: Path) -> None:
    if file.exists():
        raise AlreadyExistsError(f"There is {file} already. Name another file.")
    if not file.parent.is_dir():
        raise NotFoundError(f"There is no folder {file.parent}. Make it first.")
