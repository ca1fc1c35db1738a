"""Who is asking: nobody in particular on this machine, the holder of the token, or a user of an OpenID provider."""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from .problems import Refused
from .settings import Access
from .signed import KeySource, claims_of

OIDC_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
COOKIE = "resorb_session"


class Callers:
    """Tells who is asking from the headers of a request."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.keys = KeySource(access.jwks or _discovery(access.issuer), access.issuer) if access.issuer else None

    async def who(self, headers: Headers) -> str:
        """A name for the audit. Raises Refused (401) for strangers."""
        if not self.access.asked:
            return "this machine"
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and shown:
            return await self._bearer(shown.strip())
        if self.access.token and _same(cookie_of(headers), session_of(self.access.token)):
            return "token"
        raise self._stranger("nothing")

    async def _bearer(self, shown: str) -> str:
        if self.access.token and _same(shown, self.access.token):
            return "token"
        if self.keys is None:
            raise self._stranger("a token that is not the one of this service")
        claims = await claims_of(shown, self.keys, OIDC_ALGORITHMS, self.access.issuer, (self.access.audience,))
        return f"oidc:{claims.get('sub', '')}"[:120]

    def _stranger(self, found: str) -> Refused:
        takes = {"the token the service was started with": self.access.token, "one of your sign-in (OpenID Connect)": self.keys}
        expected, hint = "the header `Authorization: Bearer TOKEN`", f"use {' or '.join(what for what, taken in takes.items() if taken)}"
        return Refused(401, "Authorization", found, expected, hint, WWW_Authenticate="Bearer")


def session_of(token: str) -> str:
    """What the cookie of a signed-in browser holds: it proves the token and does not tell it."""
    return hmac.new(token.encode(), b"resorb session 1", hashlib.sha256).hexdigest()


def cookie_of(headers: Headers) -> str:
    """The session cookie a browser shows."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _same(a: str, b: str) -> bool:
    """Compared in constant time, whatever the lengths."""
    return hmac.compare_digest(hashlib.sha256(a.encode()).digest(), hashlib.sha256(b.encode()).digest())


def _discovery(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"
