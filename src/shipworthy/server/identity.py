"""From a request to who asks: a token, a session, or, on a laptop without accounts, the one user of the machine.

Nobody passes without being known, except to what everybody may see. What a cookie or a token proves is looked up for every
request, so whoever is disabled, signs out or has a token taken back is out with the next one; a stream is looked at again while
it goes on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shipworthy.errors import DeniedError, InvalidInputError, ShipworthyError, SignInError, UnavailableError
from shipworthy.project.project import user_of_the_machine
from shipworthy.server.caller import Caller
from shipworthy.server.refusal import refusal, sign_in_first, unavailable, wait
from shipworthy.server.security import PROBES
from shipworthy.store import RecordStore
from shipworthy.web.limit import Limit
from shipworthy.workspace.account import list_accounts
from shipworthy.workspace.audit_log import AuditLog, Event
from shipworthy.workspace.principal import Principal, local
from shipworthy.workspace.session import session_account
from shipworthy.workspace.settings import is_loopback
from shipworthy.workspace.token import find_token, token_principal
from shipworthy.workspace.workspace import Workspace

NOBODY = Principal(name="")
"""Who asks for what everybody may see."""

_FOR_EVERYBODY = ("/sign-in/", "/sign-out/", "/static/", *(f"{probe}/" for probe in PROBES))
_LOOK_AGAIN_S = 15.0
_TOO_MANY = "Too many requests. Ask again a little later."
_STREAMS = "streams"

MOST_STREAMS = 100
"""How many streams one account may follow at once in one process; each open page of the board follows one."""

_TOO_MANY_STREAMS = "This account follows as many streams as it may. Close some of them."


def cookie_name(*, is_https: bool) -> str:
    """The session's cookie; over https its name binds it to this very host, so that no neighbour can set it."""
    return "__Host-shipworthy" if is_https else "shipworthy"


def require_accounts(workspace: Workspace, host: str) -> None:
    """Refuses to listen where others can reach, before anybody has an account.

    Raises:
        InvalidInputError: the host is not this machine alone, and there is nobody who could sign in.
    """
    if not is_loopback(host) and not needs_sign_in(workspace):
        raise InvalidInputError(
            f"On {host} others can reach this server, and there is no account yet. Add one on this machine, "
            "`shipworthy account add LOGIN`, or name a provider in [sign_in.oidc] of workspace.toml, and start it again."
        )


def needs_sign_in(workspace: Workspace) -> bool:
    """Whether somebody has to be known to come in: as soon as there is one account, or a provider."""
    return workspace.settings.oidc is not None or bool(list_accounts(workspace.records))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a request shows of who sent it."""

    caller: Caller
    authorization: str | None
    session: str


class Identity:
    """Puts `principal` into the state of every request, or refuses it."""

    def __init__(self, app: ASGIApp, workspace: Workspace, audit: AuditLog) -> None:
        """Stands before an application, behind `Security`."""
        self._app = app
        self._workspace = workspace
        self._audit = audit
        self._limit = Limit(workspace.settings.requests_per_minute, 60.0)
        self._needs_sign_in = False
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on what somebody known asks, or what everybody may see."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown, is_open = _shown(scope), f"{scope['path']}/".startswith(_FOR_EVERYBODY)
        try:
            principal = NOBODY if is_open else await run_in_threadpool(self._known, shown)
        except ShipworthyError as error:
            left = self._limit.take(shown.caller.neighbourhood) if isinstance(error, SignInError) else 0.0
            await _refused(Request(scope), error, left)(scope, receive, send)
            return
        left = self._take(scope["path"], principal, shown.caller)
        if left > 0.0:
            await self._note(Event.LIMITED, principal, shown.caller, scope)
            await refusal(429, _TOO_MANY, wait(left))(scope, receive, send)
            return
        scope["state"]["principal"] = principal
        try:
            await self._app(scope, receive, self._watched(send, principal, shown, scope))
        finally:
            self._streams[principal.name] -= scope["state"].get(_STREAMS, 0)

    def _known(self, shown: _Shown) -> Principal:
        records = self._workspace.records
        if shown.authorization is not None:
            return self._by_token(records, shown)
        account = session_account(records, shown.session) if shown.session else None
        if account is not None:
            return account.principal
        self._needs_sign_in = self._needs_sign_in or needs_sign_in(self._workspace)
        if self._needs_sign_in:
            raise SignInError("Nobody knows who you are. Sign in, or send a token: 'Authorization: Bearer sw_...'.")
        if not shown.caller.is_here:
            raise DeniedError(
                "Without accounts this server answers only programs of its own machine that ask it as localhost or 127.0.0.1, "
                "with nobody between. Add an account with `shipworthy account add LOGIN`."
            )
        return local(user_of_the_machine())

    def _by_token(self, records: RecordStore, shown: _Shown) -> Principal:
        scheme, _, value = (shown.authorization or "").partition(" ")
        token = find_token(records, value.strip()) if scheme.lower() == "bearer" else None
        principal = None if token is None else token_principal(records, token)
        if token is None or principal is None:
            who = "" if token is None else token.login
            why = "an unknown token" if token is None else f"the token {token.id}"
            self._audit.refused(Event.REFUSED, who, address=shown.caller.address, detail=why)
            raise SignInError(
                "The token is unknown, over, or its account is disabled. `shipworthy token make` makes one."
            )
        self._audit.used(token, shown.caller.address)
        return principal

    def _take(self, path: str, principal: Principal, caller: Caller) -> float:
        if path.startswith("/static/") or path in PROBES or (principal.name and not principal.proved):
            return 0.0
        return self._limit.take(principal.name or caller.neighbourhood)

    def _watched(self, send: Send, principal: Principal, shown: _Shown, scope: Scope) -> Send:
        """Notes what was denied, and ends a stream whose reader may not come in any more."""
        looked_at, is_stream, is_over = monotonic(), False, False

        async def watched(message: Message) -> None:
            nonlocal looked_at, is_stream, is_over
            if message["type"] == "http.response.start":
                is_stream = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
                is_over = is_stream and self._streams[principal.name] >= MOST_STREAMS
                if is_over:
                    await refusal(429, _TOO_MANY_STREAMS, wait(60.0))(scope, _nothing, send)
                elif is_stream:
                    self._streams[principal.name] += 1
                    scope["state"][_STREAMS] = 1
                if message["status"] == 403:
                    await self._note(Event.DENIED, principal, shown.caller, scope)
            elif is_stream and not is_over and monotonic() - looked_at > _LOOK_AGAIN_S:
                looked_at = monotonic()
                is_over = not await self._is_still(principal, shown)
                if is_over:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            if not is_over:
                await send(message)

        return watched

    async def _is_still(self, principal: Principal, shown: _Shown) -> bool:
        try:
            return await run_in_threadpool(self._known, shown) == principal
        except UnavailableError:  # a store that is silent for a moment takes nobody's rights
            return True
        except ShipworthyError:
            return False

    async def _note(self, event: Event, principal: Principal, caller: Caller, scope: Scope) -> None:
        detail = f"{scope['method']} {scope['path']}"
        await run_in_threadpool(self._audit.refused, event, principal.name, address=caller.address, detail=detail)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _shown(scope: Scope) -> _Shown:
    headers, caller = Headers(scope=scope), scope["state"]["caller"]
    return _Shown(caller, headers.get("authorization"), session_cookie(headers, caller))


def session_cookie(headers: Headers, caller: Caller) -> str:
    """What a request's cookie of the session holds; empty where it has none."""
    return cookie_parser(headers.get("cookie", "")).get(cookie_name(is_https=caller.is_https), "")


def _refused(request: Request, error: ShipworthyError, left: float) -> Response:
    if left > 0.0:
        return refusal(429, _TOO_MANY, wait(left))
    if isinstance(error, SignInError):
        return sign_in_first(request, str(error))
    if isinstance(error, UnavailableError):
        return unavailable(request, error)
    return refusal(403, str(error))
