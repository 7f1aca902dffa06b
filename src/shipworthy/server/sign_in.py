"""The sign-in: its page, and the routes that begin and end a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shipworthy.errors import ShipworthyError, SignInError, UnavailableError
from shipworthy.server.caller import Caller
from shipworthy.server.identity import cookie_name, needs_sign_in, session_cookie
from shipworthy.server.oidc import Flow, Provider
from shipworthy.server.refusal import refusal, unavailable, wait
from shipworthy.web.limit import Limit
from shipworthy.web.own_path import own_path
from shipworthy.web.status import status_of
from shipworthy.workspace.account import Account
from shipworthy.workspace.audit_log import AuditLog, Event
from shipworthy.workspace.password import account_of
from shipworthy.workspace.session import LIFE, begin_session, end_session
from shipworthy.workspace.vouched import vouched_account
from shipworthy.workspace.workspace import Workspace

Endpoint = Callable[[Request], Awaitable[Response]]

_FOLDER = Path(__file__).with_name("templates")
_STYLE = (_FOLDER / "sign_in.css").read_bytes()
_BACK = "/sign-in/oidc/back"
_FLOW_S = 600
_WRONG = "Login or password is wrong."
_TRIES_S = 300.0
TRIES_PER_LOGIN = 10
TRIES_PER_ADDRESS = 30
"""How many tries one login, and one address, has within five minutes; a login's count only where they failed."""


class SignIn:
    """What begins and ends sessions."""

    def __init__(self, workspace: Workspace, audit: AuditLog) -> None:
        """Lets people into a workspace; what it refuses is noted."""
        self._workspace = workspace
        self._settings = workspace.settings
        self._audit = audit
        self._by_login = Limit(TRIES_PER_LOGIN, _TRIES_S)
        self._by_address = Limit(TRIES_PER_ADDRESS, _TRIES_S)
        oidc = self._settings.oidc
        self._provider = None if oidc is None else Provider(oidc, self._settings.address + _BACK)

    def routes(self) -> list[Route]:
        """Its addresses; they have to be reached by who is not signed in."""
        return [
            Route("/sign-in", _answered(self._page), methods=["GET"]),
            Route("/sign-in", _answered(self._sign_in), methods=["POST"]),
            Route("/sign-in/sign_in.css", _style, methods=["GET"]),
            Route("/sign-in/oidc", _answered(self._leave), methods=["GET"]),
            Route(_BACK, _answered(self._come_back), methods=["GET"]),
            Route("/sign-out", _answered(self._sign_out), methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        return await self._rendered(request, own_path(request.query_params.get("next")))

    async def _sign_in(self, request: Request) -> Response:
        async with request.form(max_files=0, max_fields=10) as form:
            login, password, next_ = (str(form.get(name) or "") for name in ("login", "password", "next"))
        login, caller = login.strip().lower()[:100], _caller(request)
        left = max(self._by_address.take(caller.neighbourhood), self._by_login.take(login))
        if left > 0.0 or not self._settings.passwords:
            why = (
                "Too many tries. Wait a few minutes, then try again." if left > 0.0 else "Passwords are not taken here."
            )
            await self._refused(login, caller, why)
            status, headers = (429, wait(left)) if left > 0.0 else (401, {})
            return await self._rendered(request, next_, why, status, headers)
        account = await run_in_threadpool(account_of, self._workspace.records, login, password)
        if account is None:
            await self._refused(login, caller, _WRONG)
            return await self._rendered(request, next_, _WRONG, 401, login=login)
        self._by_login.give_back(login)
        return await self._let_in(request, account, "password", next_)

    async def _leave(self, request: Request) -> Response:
        """Sends the browser to the provider, with what it has to bring back."""
        if self._provider is None:
            return RedirectResponse("/sign-in", 303)
        try:
            url, flow = await self._provider.begin(own_path(request.query_params.get("next")))
        except ShipworthyError as error:
            return await self._rendered(request, "/", str(error), status_of(error))
        response = RedirectResponse(url, 303)
        self._set(request, response, "-flow", flow.to_text(), _FLOW_S)
        return response

    async def _come_back(self, request: Request) -> Response:
        """Lets in whom the provider vouches for."""
        caller, oidc = _caller(request), self._settings.oidc
        if self._provider is None or oidc is None:
            return RedirectResponse("/sign-in", 303)
        try:
            if self._by_address.take(caller.neighbourhood) > 0.0:
                raise SignInError("Too many tries. Wait a few minutes, then try again.")
            flow = Flow.from_text(request.cookies.get(_flow_name(caller), ""))
            claims = await self._provider.finish(flow, request.query_params)
            account = await run_in_threadpool(vouched_account, self._workspace.records, oidc, claims)
        except ShipworthyError as error:
            await self._refused("", caller, str(error))
            response = await self._rendered(request, "/", str(error), status_of(error))
        else:
            response = await self._let_in(request, account, oidc.issuer, flow.next)
        self._delete(request, response, "-flow")
        return response

    async def _sign_out(self, request: Request) -> Response:
        value = session_cookie(request.headers, _caller(request))
        await run_in_threadpool(end_session, self._workspace.records, value)
        response = RedirectResponse("/sign-in", 303)
        self._delete(request, response, "")
        return response

    async def _let_in(self, request: Request, account: Account, via: str, next_: str) -> Response:
        """Begins a session of a fresh value, whatever the browser brought; the one that it brought is over."""
        caller = _caller(request)

        def begun() -> str:
            end_session(self._workspace.records, session_cookie(request.headers, caller))
            return begin_session(self._workspace.records, account, address=caller.address, via=via)

        response = RedirectResponse(own_path(next_), 303)
        self._set(request, response, "", await run_in_threadpool(begun), int(LIFE.total_seconds()))
        return response

    async def _refused(self, login: str, caller: Caller, why: str) -> None:
        await run_in_threadpool(self._audit.refused, Event.REFUSED, login, address=caller.address, detail=why)

    async def _rendered(
        self, request: Request, next_: str, why: str = "", status: int = 200, headers: Any = None, login: str = ""
    ) -> Response:
        has_accounts = await run_in_threadpool(needs_sign_in, self._workspace)
        oidc = self._settings.oidc
        page = (
            _environment()
            .get_template("sign_in.html.jinja")
            .render(
                workspace=self._workspace.name,
                next=own_path(next_),
                why=why,
                login=login,
                look=request.cookies.get("look", ""),
                has_accounts=has_accounts,
                passwords=self._settings.passwords,
                provider=oidc.name or urlsplit(oidc.issuer).hostname if oidc else "",
            )
        )
        return HTMLResponse(page, status, headers)

    def _set(self, request: Request, response: Response, suffix: str, value: str, seconds: int) -> None:
        is_https = _caller(request).is_https
        name = cookie_name(is_https=is_https) + suffix
        response.set_cookie(name, value, seconds, path="/", secure=is_https, httponly=True, samesite="lax")

    def _delete(self, request: Request, response: Response, suffix: str) -> None:
        self._set(request, response, suffix, "", 0)


def _answered(endpoint: Endpoint) -> Endpoint:
    """The endpoint, and a problem document where it cannot do its work."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=499)
        except UnavailableError as error:
            return unavailable(request, error)
        except ShipworthyError as error:
            return refusal(status_of(error), str(error))

    return answered


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _flow_name(caller: Caller) -> str:
    return cookie_name(is_https=caller.is_https) + "-flow"


async def _style(_request: Request) -> Response:
    return Response(_STYLE, headers={"Cache-Control": "max-age=3600"}, media_type="text/css")


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
