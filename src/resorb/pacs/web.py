"""One DICOMweb server: patient but not for ever, authenticated from the environment, never redirected, never more than agreed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from resorb.ct.refused import refuse
from resorb.pacs.address import WebAddress
from resorb.pacs.failed import PacsFailed, quiet
from resorb.terms.errors import ResorbError

TOKEN, HEADER, TIMEOUT = "RESORB_PACS_TOKEN", "RESORB_PACS_HEADER", "RESORB_PACS_TIMEOUT"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: to connect, for the next bytes, for one whole answer [s]; how often to ask again; how much to take [bytes]."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 600.0
    attempts: int = 3
    pause: float = 0.5
    most_bytes: int = 2 * 2**30

    @classmethod
    def of_environment(cls) -> Patience:
        """RESORB_PACS_TIMEOUT gives the seconds to wait for the next bytes."""
        said = os.environ.get(TIMEOUT)
        if not said:
            return cls()
        try:
            seconds = float(said)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 3600:
            raise refuse(TIMEOUT, repr(said), "seconds, up to 3600")
        return cls(min(seconds, 10.0), seconds, 10 * seconds)


@contextmanager
def server(address: WebAddress, patience: Patience | None = None) -> Iterator[Any]:
    """A DICOMweb client for one address. Whatever goes wrong inside is one message."""
    from dicomweb_client.api import DICOMwebClient

    patience = patience or Patience.of_environment()
    with quiet(), _session(address, patience) as session:
        client = DICOMwebClient(address.root, session=session, timeout=(patience.connect, patience.read), chunk_size=2**40)
        client.set_http_retry_params(max_attempts=patience.attempts, wait_exponential_multiplier=int(1000 * patience.pause))
        try:
            yield client
        except ResorbError:
            raise
        except Exception as error:  # noqa: BLE001  the client, its transport and its parsers raise many kinds
            raise failure(address, error, patience) from None


def _session(address: WebAddress, patience: Patience) -> Any:
    import requests

    session = requests.Session()
    header = _secret(address)
    session.auth = (lambda request: request.headers.update(header) or request) if header else (lambda request: request)
    for scheme in ("http://", "https://"):
        session.mount(scheme, _adapter(patience))
    return session


def _secret(address: WebAddress) -> dict[str, str]:
    """The header that lets us in, from the environment; refused over plain HTTP to another machine."""
    token, header = os.environ.get(TOKEN, "").strip(), os.environ.get(HEADER, "").strip()
    if not token and not header:
        return {}
    name, colon, value = header.partition(":") if header else ("Authorization", ":", f"Bearer {token}")
    if not colon or not name.strip() or not value.strip() or not (name + value).isprintable():
        raise refuse(HEADER, "something else", "a header as `Name: value`")
    parts = urlsplit(address.root)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        found = f"{HEADER if header else TOKEN} and an address without TLS"
        raise refuse(address.root, found, "https, so that nobody reads the secret")
    return {name.strip(): value.strip()}


def _adapter(patience: Patience) -> Any:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import TooManyRedirects

    class Bounded(HTTPAdapter):
        """Answers within a time and a size, from the server that was asked."""

        def send(self, *arguments: Any, **options: Any) -> Any:
            """Send, and bound what comes back."""
            answer = super().send(*arguments, **options)
            if answer.is_redirect:
                answer.close()
                raise TooManyRedirects(f"sends us on to {urlsplit(answer.headers['location']).netloc or 'another path'}")
            answer.raw = _BoundedBody(answer.raw, patience)
            return answer

    return Bounded()


class _BoundedBody:
    """A response body that ends: by size, and by the clock."""

    def __init__(self, body: Any, patience: Patience) -> None:
        self._body, self._most = body, patience.most_bytes
        self._until = time.monotonic() + patience.whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def stream(self, size: int = 1 << 16, decode_content: bool | None = None) -> Iterator[bytes]:
        """The body in pieces."""
        from requests.exceptions import ReadTimeout

        seen = 0
        try:
            while piece := self._body.read1(min(size, 1 << 16), decode_content=decode_content):  # what has come, however little
                seen += len(piece)
                if seen > self._most:
                    raise PacsFailed(f"an answer of more than {self._most:,} bytes")
                if time.monotonic() > self._until:
                    raise ReadTimeout("the answer did not end in time")
                yield piece
        except BaseException:
            self._body.close()
            raise


def failure(address: WebAddress, error: Exception, patience: Patience) -> ResorbError:
    """One message for people: where, what happened, what to try."""
    where, status = address.root, getattr(getattr(error, "response", None), "status_code", None)
    if status == 404:
        found, expected = "nothing of that name (HTTP 404)", "the DICOMweb root (Orthanc's ends in /dicom-web), and a study it holds"
        return refuse(where, found, expected, "check address and UIDs")
    if status is not None and status >= 500:
        return PacsFailed(f"{where}: fails by itself (HTTP {status}); try again, or ask who runs it")
    if status is not None:
        hint = f"; try: {TOKEN}, or {HEADER} with a whole header" if status in (401, 403) else ""
        return PacsFailed(f"{where}: refuses us (HTTP {status}){hint}")
    if said := _transport(error, patience):
        return PacsFailed(f"{where}: {said}")
    found = f"an answer that is no DICOMweb ({type(error).__name__})"
    return refuse(where, found, "DICOM JSON and DICOM files", "is this the DICOMweb root?")


def _transport(error: Exception, patience: Patience) -> str:
    """What went wrong between here and the server; empty where that was not it."""
    from requests import exceptions

    said: tuple[tuple[Any, str], ...] = (
        (exceptions.Timeout, f"does not answer within {patience.read:g} s; try again, or set {TIMEOUT}"),
        (exceptions.SSLError, _no_tls(error)),
        (exceptions.TooManyRedirects, f"{error}; expected the server itself: give that address if you trust it"),
        (exceptions.ChunkedEncodingError, "breaks off; try again"),
        ((exceptions.ConnectionError, ConnectionError), f"{_how(error)}; check host and port"),
    )
    return next(
        (words for kind, words in said if isinstance(error, kind)),
        "is too busy; try again later" if type(error).__name__ == "RetryError" else "",
    )


def _no_tls(error: BaseException) -> str:
    if "CERTIFICATE" in repr(error).upper():
        return "its certificate is not trusted; try: REQUESTS_CA_BUNDLE with the file of your authority"
    return "does not speak TLS there; check the port, or whether it is http://"


def _how(error: BaseException) -> str:
    said = repr(error)
    broke = any(word in said for word in ("IncompleteRead", "RemoteDisconnected", "ConnectionReset", "ProtocolError"))
    return "breaks off" if broke else "cannot be reached"
