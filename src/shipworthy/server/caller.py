"""A caller: the other end of a connection, as far as it, or a proxy that is trusted, can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

from shipworthy.workspace.settings import Network, is_loopback

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The other end of a connection.

    Attributes:
        address: Its address; empty where the server has none to tell.
        host: The host, with its port, that it believes to speak to.
        is_https: Whether it speaks over TLS.
        is_here: Whether it is a program of this machine that speaks to this machine, with nobody between.
    """

    address: str
    host: str
    is_https: bool
    is_here: bool

    @property
    def origin(self) -> str:
        """What a browser calls the place that it speaks to."""
        return f"{'https' if self.is_https else 'http'}://{self.host}"

    @property
    def neighbourhood(self) -> str:
        """What limits count by: the address, and of IPv6 the network, since one machine has a whole one.

        >>> Caller(address="2001:db8::17", host="", is_https=True, is_here=False).neighbourhood
        '2001:db8::/64'
        """
        try:
            address = ip_address(self.address)
        except ValueError:
            return self.address
        return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else self.address


def caller_of(scope: Scope, trusted: tuple[Network, ...]) -> Caller:
    """The caller of a request; what it says it was forwarded for counts from trusted proxies alone."""
    headers = Headers(scope=scope)
    address = str((scope.get("client") or ("", 0))[0])
    here = str((scope.get("server") or ("", 0))[0])
    scheme, host = scope["scheme"], headers.get("host", "")
    is_forwarded = any(name in headers for name in _FORWARDED)
    if _is_within(address, trusted):
        address = _first_untrusted(headers.getlist("x-forwarded-for"), trusted) or address
        scheme = _last(headers.getlist("x-forwarded-proto")) or scheme
        host = _last(headers.getlist("x-forwarded-host")) or host
    is_here = is_loopback(address) and is_loopback(here) and is_loopback(hostname(host)) and not is_forwarded
    return Caller(address=address, host=host.lower(), is_https=scheme == "https", is_here=is_here)


def hostname(host: str) -> str:
    """A host without its port.

    >>> hostname("localhost:8600"), hostname("[::1]:8600"), hostname("ship.example.com")
    ('localhost', '[::1]', 'ship.example.com')
    """
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _first_untrusted(lines: list[str], trusted: tuple[Network, ...]) -> str:
    """The nearest address in the chain that is no trusted proxy: whatever stands before it, it may have written itself."""
    chain = [part.strip() for line in lines for part in line.split(",")]
    return next((part for part in reversed(chain) if not _is_within(part, trusted)), "")


def _last(lines: list[str]) -> str:
    return lines[-1].rpartition(",")[2].strip() if lines else ""


def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
