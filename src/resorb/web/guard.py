"""The porter: every request passes here. Host names, origins, who is asking, headers, and one line of log and audit."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..terms.errors import ResorbError
from . import problems
from .audit import LOG
from .problems import Refused
from .settings import is_loopback

if TYPE_CHECKING:
    from .house import House

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
FAULT = Refused(500, "service", "a fault of its own", "", "tell those who run the service; its log has the place")
OPEN = frozenset({"/healthz", "/readyz", "/api/v1/session"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ANY_ORIGIN = ("/cds-services",)
OUR_ID = re.compile(r"[scj][0-9a-f]{24}")


class Guard:
    """ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app, self.house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not; note that it was made."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, send, self.house)
        try:
            self._check_host(visit)
            if visit.preflight:
                await self._preflight(visit, receive)
                return
            self._check_origin(visit)
            await self._check_caller(visit)
            await self.app(scope, receive, visit.send)
        except ResorbError as error:
            await refuse(error, visit, receive)
        except Exception:
            LOG.exception("failed", extra={"fields": {"request": visit.request_id}})
            if visit.status:
                raise
            await refuse(FAULT, visit, receive)
        finally:
            visit.note()

    def _check_host(self, visit: _Visit) -> None:
        """A page of another name must not reach a service on this machine by pointing that name here."""
        known = self.house.hosts
        if known and visit.host_name not in known:
            expected = "one of " + ", ".join(sorted(known))
            raise Refused(421, "Host", f"{visit.host_name!r}", expected, "use that address, or start the service with --allow-host")

    def _check_origin(self, visit: _Visit) -> None:
        """A page of another origin must not change anything here unless it was allowed."""
        if visit.method in SAFE or visit.origin_allowed:
            return
        raise Refused(403, "Origin", f"{visit.origin!r}", "a page of this service", "start the service with --allow-origin")

    async def _check_caller(self, visit: _Visit) -> None:
        path = visit.path
        if path in OPEN or (visit.method in SAFE and (path == "/" or path.startswith("/page/"))):
            visit.who = "anyone"  # the page before it knows a fact; the answers it asks for need a token where one is set
        elif path.startswith("/cds-services") and self.house.hook_callers is not None:
            visit.who = await self.house.hook_callers.who(visit.headers, self.house.settings.base + path)
        else:
            visit.who = await self.house.callers.who(visit.headers)
        visit.scope.setdefault("state", {})["who"] = visit.who

    async def _preflight(self, visit: _Visit, receive: Receive) -> None:
        from starlette.responses import PlainTextResponse

        if not visit.origin_allowed:
            raise Refused(403, "Origin", f"{visit.origin!r}", "an allowed origin", "start the service with --allow-origin")
        asked = visit.headers.get("access-control-request-headers", "")
        headers = {
            "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": asked or "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
        }
        await PlainTextResponse("", 200, headers)(visit.scope, receive, visit.send)


class _Visit:
    """One request: what the porter reads off it and notes about it."""

    def __init__(self, scope: Scope, send: Send, house: House) -> None:
        self.scope, self.house, self._send = scope, house, send
        self.headers = Headers(scope=scope)
        self.method, self.path = scope["method"], scope["path"]
        self.who, self.status, self.began = "nobody", 0, time.perf_counter()
        self.request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = self.request_id

    @property
    def host_name(self) -> str:
        return (urlsplit("//" + self.headers.get("host", "")).hostname or "").lower()

    @property
    def origin(self) -> str:
        return self.headers.get("origin", "")

    @property
    def preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers

    @property
    def origin_allowed(self) -> bool:
        """No origin (not a browser), our own, one that was allowed, or any for what keeps nothing."""
        origin = self.origin
        if not origin or self._listed(origin):
            return True
        return urlsplit(origin).netloc == self.headers.get("host") or origin == _origin_of(self.house.settings.base)

    def _listed(self, origin: str) -> bool:
        allowed = self.house.settings.access.origins
        return origin in allowed or (self.path.startswith(ANY_ORIGIN) and (not allowed or "*" in allowed))

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "no-referrer")
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin" if not self._listed(self.origin) else "cross-origin")
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("Content-Security-Policy", PAGE_POLICY)
            headers["X-Request-Id"] = self.request_id
            if self.origin and self.origin_allowed:
                headers["Access-Control-Allow-Origin"] = self.origin
                headers["Access-Control-Expose-Headers"] = "Location, Retry-After, X-Request-Id"
                headers.add_vary_header("Origin")
        await self._send(message)

    def note(self) -> None:
        """One line of log and audit: who asked for what. The route, not the address; no query, no body, no name."""
        route = getattr(self.scope.get("route"), "path", "") or ("unknown" if self.status == 404 else self.path[:80])
        told = str(self.scope.get("path_params", {}).get("id", ""))
        subject = told if OUR_ID.fullmatch(told) else ""
        self.house.audit.note(
            request=self.request_id, who=self.who, action=f"{self.method} {route}", subject=self.scope["state"].get("subject", subject),
            status=self.status, ms=round(1000 * (time.perf_counter() - self.began), 1),
        )  # fmt: skip


async def refuse(error: ResorbError, visit: _Visit, receive: Receive) -> None:
    """The refusal of the porter, in the form of the door that was knocked at."""
    if visit.path.startswith(("/fhir", "/cds-services")):
        from .fhir_routes import outcome_response

        response: Any = outcome_response(error)
    else:
        told = problems.of_error(error)
        response = problems.answer(told["status"], told, getattr(error, "headers", None))
    await response(visit.scope, receive, visit.send)


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def known_hosts(settings: Any) -> frozenset[str]:
    """The names the service answers to; none where any will do, because every caller shows a secret."""
    given = {h.lower() for h in settings.access.hosts} | ({urlsplit(settings.url).hostname or ""} if settings.url else set())
    if settings.access.asked and not given:
        return frozenset()
    own = {"localhost", "127.0.0.1", "::1"} if is_loopback(settings.host) else {settings.host}
    return frozenset(given | own | {settings.host.lower()}) - {""}
