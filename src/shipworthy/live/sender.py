"""The sender: posts a message to a webhook or to Slack, signed, again where the receiver fails, and nowhere else.

A message is signed with HMAC-SHA256 (RFC 2104) over the second it is sent in, a dot, and its body, so that a receiver can tell
that it comes from us and is not one that somebody kept: `Shipworthy-Timestamp: 1798300000`, `Shipworthy-Signature: v1=<hex>`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shipworthy.errors import InvalidInputError
from shipworthy.variable import held, variable_in

CHANNELS = ("webhook", "slack")
TIMEOUT_S = 5.0
PAUSES_S = (0.5, 1.0)
"""How long it waits before it tries again."""

TIMESTAMP, SIGNATURE = "Shipworthy-Timestamp", "Shipworthy-Signature"
REPLAY_WINDOW_S = 300.0
"""A message that was signed longer ago, or later than now, is no message of now."""

FAILURES = (OSError, HTTPException, ValueError, InvalidInputError)
"""What sending may end with: the message is to be told again."""

_VERSION = "v1"
_OF_THE_CHANNEL = frozenset({401, 403, 404, 408, 410, 429})
"""Refusals that would meet any message, or this one only now; with any other one it is the message that is refused."""
_LOG = logging.getLogger("shipworthy.live")


def address_of(setting: str, where: str) -> str:
    """The address of a channel.

    Raises:
        InvalidInputError: it is none of http or https.
    """
    address = held(setting, where)
    if not address.startswith(("https://", "http://")):
        named = f"The variable {variable_in(setting)}, which {where} names," if variable_in(setting) else where
        raise InvalidInputError(f"{named} does not hold an address")
    return address


def content_of(channel: str, body: Mapping[str, Any], text: str) -> bytes:
    """A message as a channel wants it: for Slack the text, for a webhook the body."""
    if channel == "slack":
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return json.dumps({"text": escaped}).encode()
    return json.dumps(body).encode()


def send(address: str, channel: str, content: bytes, name: str, secret: str = "") -> None:
    """Sends a message; one that the receiver refuses for itself is given up, so that it does not keep back those after it.

    Args:
        address: Where to.
        channel: One of `CHANNELS`.
        content: The message.
        name: Its id, the same at every try.
        secret: What it is signed with; empty leaves it unsigned.

    Raises:
        OSError: the receiver fails, or does not take messages now; also `HTTPException` and `ValueError` of what it answers.
    """
    try:
        _post(address, content, name, secret)
    except HTTPError as error:
        if not 400 <= error.code < 500 or error.code in _OF_THE_CHANNEL:
            raise
        _LOG.error("%s refused %s: it answered %d. It is not told again; go on by hand.", channel, name, error.code)


def sign(secret: str, timestamp: int, content: bytes) -> str:
    """The signature of a message.

    >>> sign("key", 1, b"{}")[:15]
    'v1=1ba6b8171186'
    """
    said = f"{timestamp}.".encode() + content
    return f"{_VERSION}={hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()}"


def is_signed(secret: str, headers: Mapping[str, str], content: bytes, *, at: float | None = None) -> bool:
    """Whether a message is ours and of now: what a receiver asks before it believes one.

    Args:
        secret: The secret that both know.
        headers: The message's headers.
        content: Its body, byte for byte.
        at: The time in seconds since 1970; now, if not given.
    """
    said, signature = headers.get(TIMESTAMP) or "", headers.get(SIGNATURE) or ""
    if not (said.isascii() and said.isdigit()) or len(said) > 12:
        return False
    is_new = abs((time.time() if at is None else at) - int(said)) <= REPLAY_WINDOW_S
    return is_new and hmac.compare_digest(sign(secret, int(said), content).encode(), signature.encode())


def without_address(error: Exception) -> str:
    """What went wrong, without the address, which may be a secret."""
    if isinstance(error, HTTPError):
        return f"it answered {error.code}"
    if isinstance(error, InvalidInputError):
        return str(error)
    return type(getattr(error, "reason", error)).__name__


def _post(address: str, content: bytes, name: str, secret: str) -> None:
    """Posts it, and again after a pause where the receiver fails; what it refuses is not repeated at once."""
    for pause in (*PAUSES_S, None):
        headers = {"Content-Type": "application/json", "Idempotency-Key": name, "User-Agent": "shipworthy"}
        if secret:
            now = int(time.time())
            headers |= {TIMESTAMP: str(now), SIGNATURE: sign(secret, now, content)}
        try:
            request = Request(address, content, headers, method="POST")  # noqa: S310  (http or https, checked before)
            with _OPENER.open(request, timeout=TIMEOUT_S):
                return
        except HTTPError as error:
            error.close()
            if pause is None or (error.code < 500 and error.code != 429):
                raise
        except OSError:
            if pause is None:
                raise
        time.sleep(pause)


class _NowhereElse(HTTPRedirectHandler):
    """Follows no redirect: what is told goes to the address that the project names, and nowhere it points to."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = build_opener(_NowhereElse)
