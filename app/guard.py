"""Who may ask, and what a browser may do with the answer: one deny-by-default guard before every route and callback."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request

#: Endpoints that answer without a person: literal, short, and never data.
PUBLIC_ENDPOINTS = frozenset({"healthz"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Fixed headers of every answer.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: facilities that may be seen (None = all), and whether single readers may."""

    name: str
    facilities: tuple[str, ...] | None = None
    sees_readers: bool = False

    @property
    def sees_all(self) -> bool:
        """Whether all that a snapshot holds may be seen: what a statement of one's own needs."""
        return self.facilities is None and self.sees_readers


#: How a request is tied to a person; None refuses it.
Sign = Callable[[Request], Person | None]


#: Whoever is on this machine.
LOCAL = Person("local", sees_readers=True)


def local_person(asked: Request) -> Person | None:
    """Local mode: whoever is on this machine sees everything, as with the snapshot file itself.

    The address that the browser used must be loopback too, so that a foreign name that resolves here (DNS rebinding)
    gets nothing.
    """
    return LOCAL if is_loopback(asked.host) else None


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_same_site(asked: Request) -> bool:
    """Whether an unsafe request comes from our own page: by Sec-Fetch-Site, else by Origin; neither is a tool."""
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == asked.host


def content_policy(script_hashes: Sequence[str]) -> str:
    """Content-Security-Policy: nothing from elsewhere; of inline scripts only those whose hashes are given."""
    scripts = " ".join(["'self'", *(f"'{item.strip(chr(39))}'" for item in script_hashes)])
    return "; ".join(
        [
            "default-src 'none'", f"script-src {scripts}", "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:", "font-src 'self'", "connect-src 'self'", "manifest-src 'self'",
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        ]
    )  # fmt: skip


def protect(server: Flask, sign: Sign, policy: Callable[[], str]) -> None:
    """Put the guard before every request of a server, and the headers on every answer."""

    @server.before_request
    def refuse() -> Response | None:
        if request.endpoint in PUBLIC_ENDPOINTS:
            return None
        person = sign(request)
        if person is None or (request.method not in SAFE_METHODS and not is_same_site(request)):
            return Response("forbidden\n", status=403, mimetype="text/plain")
        g.person = person
        return None

    @server.after_request
    def seal(answer: Response) -> Response:
        answer.headers.update(HEADERS)
        answer.headers["Content-Security-Policy"] = policy()
        if "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer


def person() -> Person:
    """The person of the request in progress; a callback outside the guard has none and fails."""
    found = g.get("person")
    if not isinstance(found, Person):
        raise PermissionError("no person in this request")
    return found
