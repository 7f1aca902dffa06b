"""Objects in a bucket: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

An object is one request, whole or not at all, and it is made on the condition that nobody has the name: so of two writers one
is told. A server that takes no notice of the condition would let both win, so the first put of a process makes sure.
Where it answers and with which credentials stands in the environment, in the variables that every tool of that cloud reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache, cached_property
from threading import Lock
from typing import Any

from shipworthy.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    ShipworthyError,
    UnavailableError,
)
from shipworthy.library import library
from shipworthy.store.objects import About, ObjectStore, refuse_bad_name

SCHEMES = ("s3", "gs", "az")
"""How the address of a bucket begins."""

_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)})://([A-Za-z0-9][A-Za-z0-9._-]*)((?:/[A-Za-z0-9._-]+)*)/?")
_ENDPOINTS: Mapping[str, Sequence[str]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""The variables that say where a server of one's own answers."""

_MARKER = ".conditional-writes"
_PART = 16 * 2**20
"""Bytes that are asked for, or sent, at once under the short timeout."""

_AT_ONCE = 4
_TRIES = 3
_PAGE = 1000
_SHORT, _LONG = timedelta(seconds=30), timedelta(hours=1)
_RETRIES: Mapping[str, Any] = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist", re.IGNORECASE)
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3} [\w ]+)")
_HTTP = re.compile(r"HTTP error: ([\w ]+)")
_LONGEST = 120

_GONE = "There is no object {name!r} in {place}. If it was lost, restore it from a backup, or repeat the stage that made it: "
_GONE += "data makes snapshots, research evidence, ship releases."
_TAKEN = "There is already an object {name!r} in {place}; objects never change."
_REFUSED = (
    "{where} refuses what was asked about {name!r}: {why}. Check the credentials in the environment, and that they may "
)
_REFUSED += "read, write, list and delete there."
_SILENT = "{where} does not answer for {name!r}: {why}. Check the address and the endpoint, and that the server runs and can be "
_SILENT += "reached from here; nothing was half written."
_WRONG = "{where} cannot be opened: {why}. Correct the setting, or the variable in the environment."

CAUSES: Mapping[str, tuple[type[ShipworthyError], str]] = {
    "NotFoundError": (NotFoundError, _GONE),
    "AlreadyExistsError": (AlreadyExistsError, _TAKEN),
    "PreconditionError": (AlreadyExistsError, _TAKEN),
    "PermissionDeniedError": (UnavailableError, _REFUSED),
    "UnauthenticatedError": (UnavailableError, _REFUSED),
    "GenericError": (UnavailableError, _SILENT),
    "JoinError": (UnavailableError, _SILENT),
    "NotModifiedError": (UnavailableError, _SILENT),
    "NotSupportedError": (UnavailableError, _SILENT),
    "InvalidPathError": (InvalidInputError, _WRONG),
    "UnknownConfigurationKeyError": (InvalidInputError, _WRONG),
}
"""What each error of the library means here, and how it is told; the test compares this with the errors that there are."""


class BucketObjectStore:
    """An object store in a bucket, under a prefix of it.

    >>> BucketObjectStore("s3://shop/models?key=hush")
    Traceback (most recent call last):
    ...
    shipworthy.errors.InvalidInputError: That is no address of a bucket. Write s3://bucket/prefix, gs://bucket/prefix or ...
    """

    def __init__(self, address: str, *, space: str = "") -> None:
        """Takes the address of the bucket and, where several projects share it, whose objects these are.

        Raises:
            InvalidInputError: the address is none.
            UnavailableError: the library is not installed.
        """
        found = _ADDRESS.fullmatch(address)
        if not found:  # whatever it is, it may hold a secret
            raise InvalidInputError(
                "That is no address of a bucket. Write s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; "
                "endpoint and credentials belong into the environment, as docs/buckets.md says."
            )
        if space:
            refuse_bad_name(space)
        self._address = "/".join(part for part in (address.rstrip("/"), space) if part)
        self._obstore = library("obstore", "bucket")
        self._library = library("obstore.store", "bucket")
        self._client = cache(self._opened)
        self._proving = Lock()
        self._is_proved = False

    def put(self, name: str, content: bytes) -> None:
        """See `ObjectStore.put`."""
        refuse_bad_name(name)
        self._prove()
        for _ in range(_TRIES):
            try:
                self._create(name, content)
            except AlreadyExistsError:  # or it was deleted at that moment: whoever is told so must find it there
                with suppress(NotFoundError):
                    self.about(name)
                    raise
            else:
                return
        raise UnavailableError(
            f"{self._where} says that {name!r} is there, and that it is not. Somebody deletes it meanwhile: repeat."
        )

    def get(self, name: str) -> bytes:
        """See `ObjectStore.get`."""
        refuse_bad_name(name)
        client = self._client(_SHORT)
        with self._translated(name):
            found = self._obstore.get(client, name)
            size = int(found.meta["size"])
            if size <= _PART:
                return bytes(found.bytes())
        return b"".join(self._parts(name, size))

    def about(self, name: str) -> About:
        """See `ObjectStore.about`."""
        refuse_bad_name(name)
        with self._translated(name):
            try:
                found = self._obstore.head(self._client(_SHORT), name)
            except FileNotFoundError:  # the answer to such a question has no text; that to a get says what is missing
                found = self._obstore.get(self._client(_SHORT), name).meta
        return About(size=int(found["size"]), at=found["last_modified"])

    def list(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore.list`."""
        folder = prefix.rpartition("/")[0]
        with self._translated(prefix):
            pages = self._obstore.list(self._client(_SHORT), folder or None, chunk_size=_PAGE)
            for page in pages:
                names = (str(about["path"]) for about in page)
                yield from (name for name in names if name.startswith(prefix) and name != _MARKER)

    def delete(self, name: str) -> None:
        """See `ObjectStore.delete`."""
        refuse_bad_name(name)
        with suppress(NotFoundError), self._translated(name):
            self._obstore.delete(self._client(_SHORT), name)

    def _create(self, name: str, content: bytes) -> None:
        """Puts in one request: parts would be joined without the condition, and the library sends them slowly."""
        client = self._client(_SHORT if len(content) <= _PART else _LONG)
        with self._translated(name, putting=True):
            self._obstore.put(client, name, content, mode="create", use_multipart=False)

    def _parts(self, name: str, size: int) -> Iterator[bytes]:
        client = self._client(_SHORT)

        def part(start: int) -> bytes:
            with self._translated(name):
                return bytes(self._obstore.get_range(client, name, start=start, end=min(start + _PART, size)))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(part, range(0, size, _PART))

    def _prove(self) -> None:
        """Makes sure, once, that the server refuses a name that is taken."""
        with self._proving:
            if self._is_proved:
                return
            for _ in range(2):  # at the first put of all the marker is made, and only the second one has to fail
                try:
                    self._create(_MARKER, b"")
                except AlreadyExistsError:
                    self._is_proved = True
                    return
            raise UnavailableError(
                f"{self._where} takes no notice of `If-None-Match`: it let the same object be made twice, and so two writers "
                "would both win. Nothing was put. Use a server that honours conditional writes; docs/buckets.md names some."
            )

    def _opened(self, timeout: timedelta) -> Any:
        options: dict[str, Any] = {"timeout": timeout, "connect_timeout": timedelta(seconds=5)}
        if self._endpoint.startswith("http://"):
            options["allow_http"] = True  # whoever writes http:// means it
        with self._translated(""):
            return self._library.from_url(self._address, client_options=options, retry_config=_RETRIES)

    @property
    def _endpoint(self) -> str:
        """Where a server of one's own answers; empty where the address says it all."""
        variables = _ENDPOINTS[self._address.partition(":")[0]]
        return next((os.environ[name] for name in variables if os.environ.get(name)), "")

    @cached_property
    def _where(self) -> str:
        endpoint = re.sub(r"//[^/@]*@", "//", self._endpoint)
        return f"The bucket {self._address}" + (f" at {endpoint}" if endpoint else "")

    @contextmanager
    def _translated(self, name: str, *, putting: bool = False) -> Iterator[None]:
        try:
            yield
        except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
            cause = "NotFoundError" if isinstance(error, FileNotFoundError) else type(error).__name__
            if cause == "NotFoundError" and (putting or _NO_BUCKET.search(str(error))):
                raise UnavailableError(
                    f"{self._where} does not exist. Make the bucket, or correct the address."
                ) from None
            kind, message = CAUSES.get(cause, (UnavailableError, _SILENT))
            raise kind(
                message.format(
                    name=name, where=self._where, place=self._where.replace("The", "the", 1), why=_why(error)
                )
            ) from None


def _why(error: Exception) -> str:
    """What went wrong, in a few words; never the server's whole answer, in which what was signed may stand.

    >>> _why(OSError("Server returned non-2xx status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>hush"))
    '403 Forbidden, SignatureDoesNotMatch'
    """
    text = str(error).partition("\n")[0]
    found = [match[1].strip() for pattern in (_STATUS, _CODE, _HTTP) if (match := pattern.search(text))]
    return ", ".join(found) or (text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ...")


def _fits(store: BucketObjectStore) -> ObjectStore:
    return store
