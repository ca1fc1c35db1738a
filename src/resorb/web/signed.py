"""Signed tokens (JWT): keys from a JWKS, asymmetric algorithms only, every claim that matters checked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from .audit import LOG
from .problems import Refused

KEEP_SECONDS = 600.0
ASK_AGAIN_SECONDS = 10.0
LEEWAY_SECONDS = 30
MOST_CHARACTERS = 16_000
CLAIMS = ("iss", "aud", "exp", "iat", "nbf", "jti")


class KeySource:
    """The keys of one issuer: a JWKS file, a JWKS address, or the address of an OpenID configuration that names one."""

    def __init__(self, place: str, issuer: str) -> None:
        self.place, self.issuer = place, issuer
        self.kept: Any = None
        self.read_at = float("-inf")
        self.lock = asyncio.Lock()

    async def keys(self, *, anew: bool = False) -> Any:
        """The key set; asked for again when it is old, or when a key is not in it."""
        async with self.lock:
            age = time.monotonic() - self.read_at
            if self.kept is None or age > KEEP_SECONDS or (anew and age > ASK_AGAIN_SECONDS):
                await self._read()
        return self.kept

    async def _read(self) -> None:
        from joserfc.jwk import KeySet

        self.read_at = time.monotonic()
        try:
            told = await self._fetch(self.place)
            if "keys" not in told and "jwks_uri" in told:
                told = await self._fetch(str(told["jwks_uri"]))
            public = [k for k in told["keys"] if k.get("kty") in ("RSA", "EC")]
            self.kept = KeySet.import_key_set({"keys": public})
        except Exception as error:  # noqa: BLE001  whatever a foreign key server sends, the answer is the same
            LOG.warning("keys of an issuer cannot be read", extra={"fields": {"place": self.place, "error": type(error).__name__}})
            if self.kept is None:
                raise Refused(503, "Authorization", "no keys of the issuer", "a JWKS that can be read", "try again later") from None

    async def _fetch(self, place: str) -> dict[str, Any]:
        import httpx
        import msgspec

        if place.startswith(("http://", "https://")):
            async with httpx.AsyncClient(timeout=5.0, follow_redirects=False) as client:
                answered = (await client.get(place)).raise_for_status().content
        else:
            answered = await asyncio.to_thread(Path(place).read_bytes)
        told: dict[str, Any] = msgspec.json.decode(answered)
        return told


async def claims_of(
    shown: str, source: KeySource, algorithms: tuple[str, ...], issuer: str, audiences: tuple[str, ...], *, once: bool = False
) -> dict[str, Any]:
    """The claims of a token, if its signature, issuer, audience and times are right. Raises Refused (401)."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    if len(shown) > MOST_CHARACTERS:
        raise bad("a token that is too long")
    unique: Any = {"iat": {"essential": True}, "jti": {"essential": True}} if once else {}
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "values": list(audiences)},
        exp={"essential": True},
        **unique,
    )
    for anew in (False, True):
        keys = await source.keys(anew=anew)
        try:
            token = jwt.decode(shown, keys, algorithms=list(algorithms))
            registry.validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            if anew or not _unknown_key(error):
                raise bad(_reason(error)) from None
        else:
            return dict(token.claims)
    raise bad("a token that no key fits")


def bad(found: str) -> Refused:
    """The refusal of a token."""
    return Refused(401, "Authorization", found, "a token signed for this service", "", WWW_Authenticate='Bearer error="invalid_token"')


def _unknown_key(error: Exception) -> bool:
    return type(error).__name__ in ("InvalidKeyIdError", "BadSignatureError", "ValueError", "KeyError")


def _claim(error: Exception) -> str:
    """The claim that was wrong, where it is one of those that are looked at."""
    name = str(getattr(error, "claim", ""))
    return name if name in CLAIMS else "that is expected"


def _unfit(claim: str) -> str:
    if claim in ("nbf", "iat"):
        return f"a token that is not valid yet (claim {claim})"
    return f"a token for another service or of another issuer (claim {claim})"


def _reason(error: Exception) -> str:
    """What was wrong, in words; never what the token said."""
    said = {
        "BadSignatureError": "a signature that does not fit",
        "ExpiredTokenError": "a token that has expired",
        "InvalidClaimError": _unfit(_claim(error)),
        "MissingClaimError": f"a token without the claim {_claim(error)}",
        "UnsupportedAlgorithmError": "an algorithm that is not accepted",
        "InvalidTokenError": "a token that is not valid yet",
    }
    return said.get(type(error).__name__, "no token that can be read")
