"""The Python client: a method for each endpoint, made from the server's own description, raising the library's own errors.

It needs nothing but Python, and fits whichever version the server has.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

from shipworthy import errors
from shipworthy.errors import InvalidInputError, NotFoundError, ShipworthyError, UnavailableError

_PART = re.compile(r"\{(\w+)\}")
_WAIT_S = 30
_BY_STATUS: Mapping[int, type[ShipworthyError]] = {
    401: errors.SignInError,
    403: errors.DeniedError,
    404: errors.NotFoundError,
    409: errors.GateClosedError,
    412: errors.PreconditionError,
    429: errors.UnavailableError,
    503: errors.UnavailableError,
}


class Client:
    """A project on a server: `client.ideas(stage="research")`, `client.research(7)`.

    Every endpoint is a method of the name that `/api/openapi.json` gives it; `dir(client)` lists them. What stands in the path
    can be given in order, everything else by name. A verb waits until its job is over, and gives what it answered. What the
    library would raise is raised.
    """

    def __init__(self, url: str, token: str = "", *, project: str = "", timeout: float = 120.0) -> None:
        """Reads the server's description.

        Args:
            url: Where the server is, such as "https://squad.example.com".
            token: What `shipworthy token make` printed; empty on one's own machine.
            project: The project that is meant; where the server has only one, that one.
            timeout: Seconds to wait for an answer.

        Raises:
            UnavailableError: the server does not answer.
            SignInError: the token is none, or over.
            InvalidInputError: there are several projects, and none was named.
        """
        self._where = urlsplit(url)
        if self._where.scheme not in ("http", "https") or not self._where.hostname:
            raise InvalidInputError(f"{url!r} is no address of a server. Write it like 'http://127.0.0.1:8600'.")
        self._token, self._timeout, self.project = token, timeout, project
        described = self._ask("GET", "/api/openapi.json")[1]
        self._operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
        }
        if not project:
            self.project = self._only_project()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The method of an endpoint."""
        if name.startswith("_") or name not in self._operations:
            raise AttributeError(str(NotFoundError.among("endpoint", name, self._operations)))
        method, path, operation = self._operations[name]

        def ask(*places: Any, **given: Any) -> Any:
            return self._called(method, path, operation, places, given)

        ask.__name__ = name
        ask.__doc__ = operation["summary"]
        return ask

    def __dir__(self) -> list[str]:
        """What it can be asked."""
        return sorted({*super().__dir__(), *self._operations})

    def each(self, name: str, *places: Any, **given: Any) -> Iterator[Any]:
        """Everything of a list, over all of its pages."""
        page = getattr(self, name)(*places, **given)
        yield from page["items"]
        while page.get("next"):
            page = getattr(self, name)(*places, **given, cursor=page["next"])
            yield from page["items"]

    def _called(
        self, method: str, path: str, operation: Mapping[str, Any], places: tuple[Any, ...], given: dict[str, Any]
    ) -> Any:
        given = {name.rstrip("_"): value for name, value in given.items()}
        needed = [name for name in _PART.findall(path) if name != "project"] or _arguments(operation)
        given |= dict(zip(needed, places, strict=False))
        named = {"project": self.project, **given}
        absent = [name for name in _PART.findall(path) if name not in named]
        if absent or len(places) > len(needed):
            raise InvalidInputError(f"{operation['operationId']} needs {', '.join(needed)}, in this order.")
        address = _PART.sub(lambda part: quote(str(named[part[1]]), safe=""), path)
        left = {name: value for name, value in given.items() if f"{{{name}}}" not in path}
        headers: dict[str, str] = {}
        known = {one["name"] for one in operation["parameters"]}
        if "If-Match" in known:
            headers["If-Match"] = left.pop("seen", None) or self._ask("GET", address)[2]["etag"]
        query = {name: value for name, value in left.items() if name in known and value is not None}
        body = None if "requestBody" not in operation else {name: v for name, v in left.items() if name not in query}
        unknown = set(left) - set(query) if body is None else set()
        if unknown:
            raise InvalidInputError(f"{operation['operationId']} has no {', '.join(sorted(unknown))}.")
        if "Prefer" in known:
            return self._job(address, body or {})
        return self._ask(method, f"{address}?{urlencode(query)}" if query else address, body, headers)[1]

    def _job(self, address: str, body: Mapping[str, Any]) -> Any:
        """Starts a job and waits for it, however long that takes; asked again by mistake, it is started once."""
        headers = {"Prefer": f"wait={_WAIT_S}", "Idempotency-Key": uuid4().hex}
        _, job, said = self._ask("POST", address, body, headers)
        while job["state"] in ("queued", "running"):
            time.sleep(1.0)
            job = self._ask("GET", said["location"])[1]
        if job["error"] is not None:
            raise _error(job["error"])
        return job["answer"]

    def _only_project(self) -> str:
        names = [one["name"] for one in self.projects()["items"]]
        if len(names) != 1:
            raise InvalidInputError(
                f"Say which project is meant: {', '.join(names) or 'there is none that you may read'}."
            )
        return str(names[0])

    def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        make = HTTPSConnection if self._where.scheme == "https" else HTTPConnection
        connection = make(str(self._where.hostname), self._where.port, timeout=self._timeout)
        sent = {"Accept": "application/json", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body, default=str).encode(), "application/json"
        try:
            connection.request(method, self._where.path.rstrip("/") + path, content, sent)
            response = connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            raise UnavailableError(f"The server at {self._where.netloc} does not answer: {error}.") from error
        finally:
            connection.close()
        kind = response.headers.get_content_type()
        answer = _read(kind, text)
        if response.status >= 400:
            raise _error(answer if isinstance(answer, dict) else {"status": response.status, "detail": answer})
        return response.status, answer, {name.lower(): value for name, value in response.headers.items()}


def _read(kind: str, content: bytes) -> Any:
    """An answer: what its JSON says, its text, or its bytes where it is a file."""
    if kind.endswith("json") and content:
        return json.loads(content)
    return content.decode(errors="replace") if not content or kind.startswith("text/") else content


def _arguments(operation: Mapping[str, Any]) -> list[str]:
    """What a verb takes in order: the arguments of its command."""
    return list(operation.get("x-arguments", ()))


def _error(document: Mapping[str, Any]) -> ShipworthyError:
    """The error that a refusal stands for."""
    named = getattr(errors, str(document.get("error", "")), None)
    kind = named if isinstance(named, type) and issubclass(named, ShipworthyError) else None
    status = int(document.get("status", 500))
    fallback = _BY_STATUS.get(status, InvalidInputError if status < 500 else ShipworthyError)
    return (kind or fallback)(str(document.get("detail", "")))
