"""Addresses: `https://pacs/dicom-web/studies/X/series/Y` for DICOMweb, `AET@host:port` for C-STORE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from resorb.ct.refused import refuse

UID = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
AET = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_DIMSE = re.compile(r"(?P<aet>[^@]+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[^@:/\s]+):(?P<port>\d{1,5})")
_TAIL = re.compile(r"(?P<root>.*?)/studies(?:/(?P<study>[^/]+)(?:/series(?:/(?P<series>[^/]+))?)?)?/?")
EXPECTED = "https://HOST/dicom-web (with --study and --series, or ending in /studies/UID/series/UID)"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A DICOMweb server, and the study and series on it; either may be none."""

    root: str
    study: str | None = None
    series: str | None = None


@dataclass(frozen=True, slots=True)
class DimsePeer:
    """An application that takes C-STORE: its title, host and port."""

    aet: str
    host: str
    port: int


def is_address(text: object) -> bool:
    """Whether this is the address of a server and no path."""
    return str(text).lower().startswith(("http://", "https://"))


def is_uid(text: str) -> bool:
    """Whether this is a DICOM UID: digits and dots, at most 64 of them."""
    return len(text) <= LONGEST_UID and UID.fullmatch(text) is not None


def web_address(text: str, study: str | None = None, series: str | None = None) -> WebAddress:
    """The address in its parts. UIDs may stand in the address or be given beside it. Refused where it could not be asked."""
    parts = urlsplit(text)
    where = _shown(text)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise refuse(where, "no address of a server", EXPECTED)
    if parts.username or parts.password:
        raise refuse(where, "a password in the address", "none: addresses end up in logs", "RESORB_PACS_TOKEN or RESORB_PACS_HEADER")
    if parts.query or parts.fragment:
        raise refuse(where, "a query behind the address", EXPECTED)
    tail = _TAIL.fullmatch(parts.path)
    root = f"{parts.scheme.lower()}://{parts.netloc}{(tail['root'] if tail else parts.path).rstrip('/')}"
    said = (study or (tail and tail["study"]), series or (tail and tail["series"]))
    for name, uid in zip(("study", "series"), said, strict=True):
        if uid and not is_uid(uid):
            hint = "a description picks a series of a folder; a PACS is asked by UID" if name == "series" else ""
            raise refuse(f"--{name}", repr(uid), "a UID: digits and dots, at most 64", hint)
    return WebAddress(root, said[0] or None, said[1] or None)


def target(text: str) -> WebAddress | DimsePeer:
    """Where to send: a DICOMweb address (STOW-RS) or AET@host:port (C-STORE)."""
    if is_address(text):
        return web_address(text)
    found = _DIMSE.fullmatch(text.strip())
    if not found or not AET.fullmatch(found["aet"]) or not 0 < int(found["port"]) < 65536:
        raise refuse("--send", repr(text), "AET@host:port (C-STORE) or https://HOST/dicom-web (STOW-RS)")
    return DimsePeer(found["aet"], found["host"].strip("[]"), int(found["port"]))


def _shown(text: str) -> str:
    """The address without anything that may be a secret."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}" if parts.hostname else text[:80]
