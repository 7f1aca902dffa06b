"""The signature of a release: who vouches for its manifest, and so for every byte that the manifest names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.errors import TamperedError
from shipworthy.library import library
from shipworthy.project import Project
from shipworthy.ship.keys import PublicKey, public_keys, signing_key
from shipworthy.store import digest

_WHAT = b"shipworthy release manifest\n"
"""Put before what is signed, so that a signature of something else is none of a release."""


def sign(project: Project, manifest: bytes) -> Mapping[str, str]:
    """Signs a manifest with this workspace's key: the key's id and the signature in hexadecimal.

    Raises:
        ShipworthyError: see `signing_key`.
    """
    private, key = signing_key(project)
    return {"key": key.id, "signature": private.sign(_WHAT + manifest).hex()}


def require_signature(project: Project, release_id: str, manifest: bytes, signature: Any) -> PublicKey | None:
    """Who signed a manifest; None where it is unsigned and allowed by its digest.

    The whole digest is asked for: of the id, which is its beginning, another manifest can be found by search.

    Raises:
        TamperedError: nobody signed it whom the project trusts, and it is not allowed by its digest.
    """
    whole = digest(manifest)
    if whole in project.settings["release"]["allow_unsigned"]:
        return None
    allow = f'or, if you know where it comes from, write allow_unsigned = ["{whole}"] under [release]'
    remedy = f"It is not used, and nothing of it was run. Ship the idea again, {allow} in shipworthy.toml."
    if not isinstance(signature, Mapping):
        raise TamperedError(f"Release {release_id} is not signed. {remedy}")
    named = [key for key in public_keys(project) if key.id == signature.get("key")]
    if not named:
        raise TamperedError(
            f"Release {release_id} was signed by the key {signature.get('key')}, which this project does not trust. {remedy} "
            "If its owner should be trusted, take the public key in with `shipworthy keys trust FILE`."
        )
    if any(key.is_revoked for key in named):
        raise TamperedError(
            f"Release {release_id} was signed by the key of {named[0].name}, which is revoked. {remedy}"
        )
    if not _verifies(named[0], manifest, signature.get("signature")):
        raise TamperedError(f"The signature of release {release_id} is not that of {named[0].name}. {remedy}")
    return named[0]


def is_signed(project: Project, manifest: bytes, signature: Any) -> bool:
    """Whether a manifest is signed by a key that the project trusts."""
    if not isinstance(signature, Mapping):
        return False
    trusted = [key for key in public_keys(project) if key.id == signature.get("key") and not key.is_revoked]
    return any(_verifies(key, manifest, signature.get("signature")) for key in trusted)


def _verifies(key: PublicKey, manifest: bytes, signature: Any) -> bool:
    ed25519 = library("cryptography.hazmat.primitives.asymmetric.ed25519", "serve")
    invalid = library("cryptography.exceptions", "serve").InvalidSignature
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key.content).verify(bytes.fromhex(signature), _WHAT + manifest)
    except (invalid, ValueError, TypeError):
        return False
    return True
