"""Addresses outside the project's folder, and the secrets in them, which no error, label or record may repeat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from shipworthy.variable import held

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
"""How an address begins; whatever begins otherwise is a path."""

StorageOptions = Mapping[str, str | int]
"""What an object store has to be told, such as its endpoint and keys, by the names that Polars gives them."""

_PLAIN = ("endpoint", "region", "allow_http", "retries", "timeout", "bucket")
_USER = re.compile(r"(?<=://)([^/?#@:]*):(.*)@", re.DOTALL)
_PASSWORD = re.compile(r"\b(?:password|sslpassword|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&#]+)", re.IGNORECASE)
_QUERY = re.compile(r"^[a-z][a-z0-9+.-]*://[^?]*\?(.+)", re.IGNORECASE | re.DOTALL)
_PARTS = re.compile(r"[/?#:@&=\s]")  # where a library cuts an address in which these are not escaped
_SHORT = 2
_LONGEST = 400


def told_to_store(options: StorageOptions | None) -> dict[str, str | int]:
    """The options, each that is named as `$NAME` with what that variable holds."""
    given = (options or {}).items()
    return {
        name: held(value, f"The storage option {name}") if isinstance(value, str) else value for name, value in given
    }


def secrets_of(address: str, options: StorageOptions | None = None) -> list[str]:
    """Whatever in an address and its options may be secret: passwords, signatures, keys and tokens.

    >>> secrets_of("postgresql://ada:p%40ss@db/sales")
    ['p%40ss', 'p@ss']
    >>> secrets_of("s3://bucket/x.csv", {"aws_secret_access_key": "abc", "aws_region": "eu-west-1"})
    ['abc']
    """
    found = [match[2] for match in _USER.finditer(address)]
    found += [match[1].strip("'") for pattern in (_PASSWORD, _QUERY) for match in pattern.finditer(address)]
    found += [str(value) for name, value in (options or {}).items() if not any(word in name.lower() for word in _PLAIN)]
    found += [part for secret in found for part in _PARTS.split(secret) if len(part) > _SHORT]
    return list(dict.fromkeys(form for secret in found for form in (secret, unquote(secret)) if form))


def without(text: object, secrets: Iterable[str]) -> str:
    """A text on one line, each secret in it replaced, and cut where it goes on and on.

    >>> without("no such user ada:p@ss", ["p@ss"])
    'no such user ada:***'
    """
    told = str(text)
    for secret in sorted(secrets, key=len, reverse=True):
        told = told.replace(secret, "***")
    told = " ".join(told.split())
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]} ..."
