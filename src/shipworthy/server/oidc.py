"""Signing in with OpenID Connect: the authorization code flow with PKCE, state and nonce.

Authlib speaks to the provider and checks the signature; what is expected of the answer is said here.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from shipworthy.errors import SignInError, UnavailableError
from shipworthy.library import library
from shipworthy.workspace.settings import Oidc, is_loopback

_LEEWAY_S = 60
_TIMEOUT_S = 10.0
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_AGAIN = "Begin again."
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in under way, as the browser that began it keeps it; who has another browser cannot end it.

    Attributes:
        state: What the provider has to hand back.
        nonce: What the provider has to put into the token that it signs.
        verifier: What the code is worth something with.
        next: Where to go afterwards.
    """

    state: str
    nonce: str
    verifier: str
    next: str

    def to_text(self) -> str:
        """As a cookie holds it."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> Flow:
        """What `to_text` wrote.

        Raises:
            SignInError: it is nothing of that kind.
        """
        try:
            said = json.loads(base64.urlsafe_b64decode(text.encode()))
            flow = cls(**{name: str(value) for name, value in said.items()})
        except (ValueError, TypeError, AttributeError):
            raise SignInError(
                f"This sign-in was not begun in this browser, or more than ten minutes ago. {_AGAIN}"
            ) from None
        return flow


class Provider:
    """A provider that vouches for people."""

    def __init__(self, oidc: Oidc, back: str) -> None:
        """Names the provider, and the address to which it sends people back; it is asked at the first sign-in."""
        self._oidc = oidc
        self._back = back
        self._client = library("authlib.integrations.starlette_client.apps", "server").StarletteOAuth2App(
            None,
            client_id=oidc.client_id,
            client_secret=oidc.secret,
            server_metadata_url=f"{oidc.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": " ".join(oidc.scopes), "code_challenge_method": "S256", "timeout": _TIMEOUT_S},
        )

    async def begin(self, next_: str) -> tuple[str, Flow]:
        """Where to send the browser, and what it has to keep until it is back.

        Raises:
            UnavailableError: the provider does not answer, or as another one than was named.
        """
        await self._metadata()
        flow = Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), next_)
        made = await self._client.create_authorization_url(
            self._back, state=flow.state, nonce=flow.nonce, code_verifier=flow.verifier
        )
        return str(made["url"]), flow

    async def finish(self, flow: Flow, answer: Mapping[str, str]) -> Mapping[str, Any]:
        """What the provider vouches for, once everything about its answer was checked.

        Raises:
            SignInError: the answer is not the one to this flow, or not the provider's, or it refused.
            UnavailableError: the provider does not answer.
        """
        if not compare_digest(flow.state.encode(), answer.get("state", "").encode()):
            raise SignInError(f"The answer belongs to another sign-in than this browser began. {_AGAIN}")
        metadata = await self._metadata()
        if answer.get("iss", metadata["issuer"]) != metadata["issuer"]:
            raise SignInError(f"The answer is of another provider. {_AGAIN}")
        if "code" not in answer:
            raise SignInError(f"The provider did not let you in: {answer.get('error', 'no code')[:100]!r}. {_AGAIN}")
        return await self._checked(flow, answer["code"], metadata)

    async def _checked(self, flow: Flow, code: str, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        refused = library("authlib.common.errors", "server").AuthlibBaseError
        forged = library("joserfc.errors", "server").JoseError
        unreachable = library("httpx2", "server").HTTPError
        expected = {
            "iss": {"essential": True, "value": self._oidc.issuer},
            "aud": {"essential": True, "value": self._oidc.client_id},
        }
        try:
            token = await self._client.fetch_access_token(self._back, code=code, code_verifier=flow.verifier)
            claims = await self._client.parse_id_token(token, flow.nonce, claims_options=expected, leeway=_LEEWAY_S)
            more = await self._client.userinfo(token=token) if metadata.get("userinfo_endpoint") else {}
        except (refused, forged) as error:
            raise SignInError(f"What the provider sent does not prove who you are: {error}. {_AGAIN}") from error
        except (unreachable, ValueError, TypeError, KeyError) as error:
            raise _silent(self._oidc.issuer, error) from error
        if claims is None or more.get("sub", claims["sub"]) != claims["sub"]:
            raise SignInError(f"What the provider sent does not prove who you are. {_AGAIN}")
        return {**more, **claims}

    async def _metadata(self) -> Mapping[str, Any]:
        try:
            metadata = await self._client.load_server_metadata()
        except (library("httpx2", "server").HTTPError, ValueError, TypeError) as error:
            raise _silent(self._oidc.issuer, error) from error
        if metadata.get("issuer") != self._oidc.issuer:
            raise UnavailableError(
                f"{self._oidc.issuer} says that it is {metadata.get('issuer')!r}. Write sign_in.oidc.issuer as it calls itself."
            )
        for name in _ENDPOINTS:
            address = urlsplit(str(metadata.get(name) or "https://nowhere"))
            if address.scheme != "https" and not is_loopback(address.hostname or ""):
                raise UnavailableError(f"{self._oidc.issuer} names a {name} without TLS, which cannot be trusted.")
        signed = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = sorted(_ALGORITHMS & set(signed)) or ["RS256"]
        return metadata  # type: ignore[no-any-return]


def _silent(issuer: str, error: Exception) -> UnavailableError:
    return UnavailableError(f"The provider {issuer} does not answer as one should: {error}. Try again in a moment.")
