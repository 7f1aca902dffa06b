"""The keys that releases are signed with: a private one per workspace, and the public ones that the repository trusts.

The private key lies in `.shipworthy/keys/`, or where SHIPWORTHY_SIGNING_KEY says. Whom the project trusts is a folder of the
repository, `keys/`: one public key per file, so that a pull request shows who is taken in, and who is put out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from shipworthy.library import library
from shipworthy.project import Project
from shipworthy.store import digest

KEY_VARIABLE = "SHIPWORTHY_SIGNING_KEY"
_TRUSTED, _REVOKED = ".pub", ".revoked"
_READ_BY_OTHERS = 0o037
"""A group may read it, as a mounted secret is; nobody else may, and nobody but its owner may write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key of the repository.

    Attributes:
        name: Whose it is: the name of its file.
        content: Its 32 bytes.
        is_revoked: Whether it was put out again.
    """

    name: str
    content: bytes
    is_revoked: bool

    @property
    def id(self) -> str:
        """The beginning of its digest, by which signatures name it."""
        return digest(self.content)[:16]


def public_keys(project: Project) -> Sequence[PublicKey]:
    """Every key of the repository, trusted or revoked, by name.

    Raises:
        InvalidInputError: a file there is no public key.
    """
    files = sorted(path for path in _folder(project).glob("*") if path.suffix in {_TRUSTED, _REVOKED})
    return [PublicKey(name=path.stem, content=_read_public(path), is_revoked=path.suffix == _REVOKED) for path in files]


def make_key(project: Project, name: str | None = None) -> PublicKey:
    """Makes this workspace's pair of keys, and puts the public one among those that are trusted.

    Raises:
        AlreadyExistsError: the workspace, or the repository under that name, has one already.
    """
    name = _checked_name(name or re.sub(r"[^A-Za-z0-9._-]+", "-", project.who).strip(".-") or "workspace")
    place, public = _private(project), _folder(project) / f"{name}{_TRUSTED}"
    for path in (place, public, public.with_suffix(_REVOKED)):
        if path.exists():
            raise AlreadyExistsError(f"There is {path} already. Choose another name, or go on with that key.")
    ed25519, serialization = _ed25519(), _serialization()
    key = ed25519.Ed25519PrivateKey.generate()
    place.parent.mkdir(parents=True, exist_ok=True)
    (place.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write(key.private_bytes(serialization.Encoding.PEM, *plain))
    return _trusted(project, name, key.public_key())


def trust_key(project: Project, file: Path) -> PublicKey:
    """Takes a public key in PEM into those that the repository trusts, under the name of its file.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is no public key of Ed25519, or one that was revoked here.
        AlreadyExistsError: there is another one of that name.
    """
    if not file.is_file():
        raise NotFoundError(f"There is no file {file}. Give one that `shipworthy keys new` wrote: keys/<name>.pub.")
    content, name = _read_public(file), _checked_name(file.stem)
    for known in public_keys(project):
        if known.content == content:
            if known.is_revoked:
                raise InvalidInputError(f"The key of {file} was revoked here, as {known.name}. Make a new one.")
            return known
        if known.name == name:
            raise AlreadyExistsError(f"There is another key of the name {name!r}. Rename {file}, and repeat.")
    return _trusted(project, name, _ed25519().Ed25519PublicKey.from_public_bytes(content))


def revoke_key(project: Project, name: str) -> PublicKey:
    """Puts a key out: what it signed is refused from now on.

    Raises:
        NotFoundError: no trusted key has that name.
    """
    trusted = [key for key in public_keys(project) if not key.is_revoked]
    if name not in [key.name for key in trusted]:
        raise NotFoundError.among("trusted key", name, [key.name for key in trusted])
    path = _folder(project) / f"{name}{_TRUSTED}"
    path.rename(path.with_suffix(_REVOKED))
    return next(key for key in public_keys(project) if key.name == name)


def signing_key(project: Project) -> tuple[Any, PublicKey]:
    """This workspace's private key, with its public half; made and trusted now where the project trusts nobody yet.

    Raises:
        NotFoundError: there is none here, though the project trusts others.
        InvalidInputError: it cannot be read, others may read it, or the project does not trust it.
    """
    place = _private(project)
    if not place.exists():
        known = public_keys(project)
        if known or os.environ.get(KEY_VARIABLE):
            names = ", ".join(key.name for key in known if not key.is_revoked) or "nobody any more"
            raise NotFoundError(
                f"This workspace has no key to sign with: there is no {place}. The project trusts {names}. Make one with "
                "`shipworthy keys new`, and have the file that it puts into keys/ reviewed."
            )
        make_key(project)
    private = _read_private(place)
    content = private.public_key().public_bytes_raw()
    for key in public_keys(project):
        if key.content == content and not key.is_revoked:
            return private, key
    raise InvalidInputError(
        f"The key {place} is not one that this project trusts, so nobody could open what it signs. Make a new one with "
        f"`shipworthy keys new` (after removing that file), or put its public half into {_folder(project)}."
    )


def _trusted(project: Project, name: str, public: Any) -> PublicKey:
    serialization = _serialization()
    path = _folder(project) / f"{name}{_TRUSTED}"
    path.parent.mkdir(exist_ok=True)
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(public.public_bytes(*form))
    return PublicKey(name=name, content=public.public_bytes_raw(), is_revoked=False)


def _read_public(path: Path) -> bytes:
    try:
        key = _serialization().load_pem_public_key(path.read_bytes())
    except (ValueError, OSError) as error:
        raise InvalidInputError(f"{path} is no public key in PEM: {error}. Put it right, or remove it.") from error
    if not isinstance(key, _ed25519().Ed25519PublicKey):
        raise InvalidInputError(f"{path} is a public key of another kind. Only Ed25519 signs releases.")
    content: bytes = key.public_bytes_raw()
    return content


def _read_private(place: Path) -> Any:
    mode = place.stat().st_mode & 0o777
    if mode & _READ_BY_OTHERS:
        raise InvalidInputError(
            f"The private key {place} may be read or changed by others (mode {mode:04o}). Take that away with "
            f"`chmod 600 {place}`; if others had access to this machine, revoke it and make a new one."
        )
    try:
        key = _serialization().load_pem_private_key(place.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise InvalidInputError(f"{place} is no private key in PEM without a password: {error}.") from error
    if not isinstance(key, _ed25519().Ed25519PrivateKey):
        raise InvalidInputError(f"{place} is a private key of another kind. Only Ed25519 signs releases.")
    return key


def _private(project: Project) -> Path:
    given = os.environ.get(KEY_VARIABLE)
    return Path(given) if given else project.root / ".shipworthy" / "keys" / "signing.pem"


def _folder(project: Project) -> Path:
    return project.root / "keys"


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        raise InvalidInputError(f"{name!r} is no name of a key. Use letters, digits, '.', '_' and '-'.")
    return name


def _ed25519() -> Any:
    return library("cryptography.hazmat.primitives.asymmetric.ed25519", "serve")


def _serialization() -> Any:
    return library("cryptography.hazmat.primitives.serialization", "serve")
