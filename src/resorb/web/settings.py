"""What the service is told when it starts. Every value has a default that is safe on one's own machine."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ..terms.errors import UserError

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What is accepted. Bytes, counts, seconds."""

    case_bytes: int = 4 * MIB
    upload_bytes: int = 2048 * MIB
    upload_files: int = 20_000
    spare_bytes: int = 256 * MIB
    upload_idle_seconds: float = 60.0
    waiting_jobs: int = 1_000
    keep_hours: float = 24.0


@dataclass(frozen=True)
class Access:
    """Who may ask. `token`: one shared secret. `issuer`, `audience`, `jwks` (address or file): OpenID Connect."""

    token: str = ""
    issuer: str = ""
    audience: str = ""
    jwks: str = ""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether a caller must show something."""
        return bool(self.token or self.issuer)


@dataclass(frozen=True)
class Hooks:
    """CDS Hooks. `clients`: issuer -> JWKS (address or file); where given, every call needs a signed token of one of them.

    `fhir_servers`: the only addresses the service may read from when prefetch lacks something.
    """

    clients: dict[str, str] = field(default_factory=dict)
    fhir_servers: tuple[str, ...] = ()
    fhir_seconds: float = 4.0


@dataclass(frozen=True)
class Settings:
    """Where the service listens, where it keeps its data, what it allows. `database` is a URL; empty: SQLite in `data`.

    `url` is the address clients know, where it differs from host and port (behind a proxy).
    """

    data: str
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8765
    url: str = ""
    jobs: int = 1
    lease_seconds: float = 10.0
    access: Access = Access()
    limits: Limits = Limits()
    hooks: Hooks = Hooks()

    @property
    def folder(self) -> Path:
        """The folder of data."""
        return Path(self.data)

    @property
    def database_url(self) -> str:
        """The database as SQLAlchemy names it."""
        given = self.database or f"sqlite:///{self.folder / 'resorb.sqlite'}"
        for plain in ("postgresql://", "postgres://"):
            if given.startswith(plain):
                return "postgresql+psycopg://" + given.removeprefix(plain)
        return given

    @property
    def base(self) -> str:
        """The address of the service, without a final slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{self.port}").rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_web(address: str) -> bool:
    return address.startswith(("https://", "http://")) and bool(urlsplit(address).hostname)


def checked(settings: Settings) -> Settings:
    """The settings, unless they would open the door to strangers or make no sense."""
    if not is_loopback(settings.host) and not settings.access.asked:
        raise UserError(
            f"--host: found {settings.host} without a token; expected 127.0.0.1, or --token or --oidc-issuer, "
            "so that nobody on the network can read what is uploaded. Put TLS in front of it (see the docs)"
        )
    if settings.access.issuer and not settings.access.audience:
        raise UserError("--oidc-audience: found nothing; expected the audience that tokens are made for")
    if settings.access.audience and not settings.access.issuer:
        raise UserError("--oidc-issuer: found nothing, and an audience; expected the address of the provider whose tokens are taken")
    if settings.access.issuer and not _is_web(settings.access.issuer):
        raise UserError(f"--oidc-issuer: found {settings.access.issuer!r}; expected an address, such as https://id.example.org")
    for option, keys in (("--oidc-jwks", settings.access.jwks), *(("--cds-client", keys) for keys in settings.hooks.clients.values())):
        if keys and not _is_web(keys) and not Path(keys).is_file():
            raise UserError(f"{option}: found {keys!r}, which is no file; expected the keys (JWKS), as an address or a file")
    if settings.access.token and len(settings.access.token) < 16:
        raise UserError("--token: found fewer than 16 characters; expected a long secret, such as `openssl rand -hex 32` makes")
    if settings.jobs < 1:
        raise UserError(f"--jobs: found {settings.jobs}; expected at least 1")
    return replace(settings, data=str(settings.folder.expanduser().absolute()))
