"""What every request must pass and every answer carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Attributes of style are written by our own templates: places in pictures, widths of bars.
# data: holds the letters that the viewer draws with.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    # Not no-referrer: browsers then send the forms of our own pages with "Origin: null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Protection:
    """Refuses foreign hosts and foreign pages; adds the headers that browsers obey.

    Parameters
    ----------
    app : ASGI application
    hosts : frozenset of str
        Names under which the server may be addressed, without port. Any other is refused,
        so that a foreign name that leads here (DNS rebinding) opens nothing.
    """

    app: ASGIApp
    hosts: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = refused(scope["method"], Headers(scope=scope), self.hosts)
        if refusal is not None:
            answer = PlainTextResponse(refusal, status_code=403, headers=HEADERS)
            await answer(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", POLICY)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, send_guarded)


def refused(method: str, headers: Headers, hosts: Iterable[str]) -> str | None:
    """Say why a request is refused; None where it is not.

    Examples
    --------
    >>> refused("GET", Headers({"host": "127.0.0.1:8080"}), {"127.0.0.1"})
    >>> refused("GET", Headers({"host": "evil.example"}), {"127.0.0.1"})
    'This server is not addressed by that name.'
    """
    host = headers.get("host", "")
    if host_name(host) not in hosts:
        return "This server is not addressed by that name."
    if method in _SAFE:
        return None
    site = headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        return "Only pages of this server may change anything."
    origin = headers.get("origin")
    if origin == "null" and site == "same-origin":  # a browser that hides where forms come from
        return None
    if origin is not None and urlsplit(origin).netloc != host:
        return "Only pages of this server may change anything."
    if origin is None and site is None:
        return "A change needs the header Origin or Sec-Fetch-Site."
    return None


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port.

    Examples
    --------
    >>> host_name("[::1]:80"), host_name("reader.local:8080")
    ('[::1]', 'reader.local')
    """
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
