"""Who calls a hook: clients known by their issuer, each with keys of its own."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from ..settings import Hooks
from ..signed import KeySource, bad, claims_of
from ..store import SEEN, Store, now

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256", "ES512", "RS512", "PS256", "PS384", "PS512")


class HookCallers:
    """Checks the signed token that every call carries; each token works once."""

    def __init__(self, hooks: Hooks, store: Store) -> None:
        self.sources = {issuer: KeySource(place, issuer) for issuer, place in hooks.clients.items()}
        self.store = store

    async def who(self, headers: Headers, address: str) -> str:
        """The issuer. Raises Refused (401)."""
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not shown:
            raise bad("no token")
        source = self.sources.get(_issuer(shown))
        if source is None:
            raise bad("a token of an unknown issuer")
        base = address.partition("/cds-services")[0]
        audiences = (address, address.removesuffix("/feedback"), f"{base}/cds-services", base, f"{base}/")
        claims = await claims_of(shown.strip(), source, ALGORITHMS, source.issuer, audiences, once=True)
        await run_in_threadpool(self._once, source.issuer, claims)
        return f"cds:{source.issuer}"[:120]

    def _once(self, issuer: str, claims: dict[str, Any]) -> None:
        """Raises Refused (401) for a token that was used before."""
        token = hashlib.sha256(f"{issuer}\n{claims['jti']}".encode()).hexdigest()
        try:
            with self.store.begin() as connection:
                connection.execute(insert(SEEN).values(token=token, until=float(claims["exp"]) + 60))
                if token < "08":  # noqa: S105  (now and then: one hash in 32)
                    connection.execute(delete(SEEN).where(SEEN.c.until < now()))
        except IntegrityError:
            raise bad("a token that was used before") from None


def _issuer(shown: str) -> str:
    """The issuer a token claims; nothing is believed before its signature is checked with that issuer's keys."""
    import base64
    import binascii

    import msgspec

    try:
        part = shown.split(".")[1]
        return str(msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).get("iss", ""))
    except (IndexError, binascii.Error, ValueError, AttributeError):
        return ""
