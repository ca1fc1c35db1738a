"""`resorb serve`: the service and its page, on this machine unless a token says otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..terms.errors import ResorbError, UserError

if TYPE_CHECKING:
    from ..web.settings import Settings

NO_LIBRARIES = "resorb serve needs the server libraries; found them missing. Try: pip install 'resorb[server,image]'"
SECRETS = "RESORB_TOKEN"


def serve(  # noqa: PLR0917  (typer reads one parameter for each option)
    host: Annotated[str, typer.Option(help="The address to listen on; beyond this machine only with a token or OIDC.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8765,
    data: Annotated[Path, typer.Option(help="The folder for uploads, results and the database.")] = Path("resorb-data"),
    database: Annotated[str, typer.Option(help="postgresql://USER@HOST/NAME instead of SQLite in the folder.")] = "",
    url: Annotated[str, typer.Option(help="The address clients know, where it differs (behind a proxy).")] = "",
    token: Annotated[str, typer.Option(help="The secret every caller must show.", envvar=SECRETS, show_envvar=True)] = "",
    oidc_issuer: Annotated[str, typer.Option(help="OpenID Connect: the issuer of tokens.")] = "",
    oidc_audience: Annotated[str, typer.Option(help="OpenID Connect: the audience tokens are made for.")] = "",
    oidc_jwks: Annotated[str, typer.Option(help="OpenID Connect: the keys (address or file), where not told by the issuer.")] = "",
    allow_host: Annotated[list[str] | None, typer.Option(help="Another host name to answer to.")] = None,
    allow_origin: Annotated[list[str] | None, typer.Option(help="A page of another origin that may ask; for hooks, * is any.")] = None,
    cds_client: Annotated[
        list[str] | None, typer.Option(help="CDS Hooks client as ISSUER=JWKS (address or file); then all must sign.")
    ] = None,
    fhir_server: Annotated[list[str] | None, typer.Option(help="A FHIR server that hooks may read from.")] = None,
    jobs: Annotated[int, typer.Option(help="How many scans are worked on at once.", min=1)] = 1,
    processes: Annotated[int, typer.Option(help="How many processes answer requests.", min=1)] = 1,
    keep_hours: Annotated[float, typer.Option(help="Uploads and results are deleted after so many hours.", min=0.01)] = 24.0,
    upload_mib: Annotated[int, typer.Option(help="The largest upload, in MiB.", min=1)] = 2048,
) -> None:
    """Serve the page, the JSON API, FHIR and CDS Hooks. For research and education; not a medical device."""
    try:
        from ..web.settings import Access, Hooks, Limits, Settings, checked
    except ImportError:
        typer.echo(NO_LIBRARIES, err=True)
        raise typer.Exit(1) from None
    access = Access(token, oidc_issuer, oidc_audience, oidc_jwks, tuple(allow_host or ()), tuple(allow_origin or ()))
    limits = Limits(upload_bytes=upload_mib * 2**20, keep_hours=keep_hours)
    hooks = Hooks(_clients(cds_client or []), tuple(fhir_server or ()))
    _run(checked(Settings(str(data), database, host, port, url, jobs, access=access, limits=limits, hooks=hooks)), processes)


def _clients(given: list[str]) -> dict[str, str]:
    found = {}
    for one in given:
        issuer, equals, keys = one.partition("=")
        if not (issuer and equals and keys):
            raise UserError(f"--cds-client: found {one!r}; expected ISSUER=JWKS, such as https://ehr.example=https://ehr.example/jwks.json")
        found[issuer] = keys
    return found


def _free(host: str, port: int) -> None:
    """Say plainly that a port cannot be had, before anything is made."""
    import socket

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(address)
    except OSError as error:
        raise ResorbError(f"--host, --port: {host}:{port} cannot be listened on ({error.strerror or error}); try another port") from None


def _run(settings: Settings, processes: int) -> None:
    """Listen until stopped."""
    try:
        import msgspec
        import uvicorn

        from ..web import app
        from ..web.audit import log_as_json
    except ImportError as error:
        typer.echo(f"{NO_LIBRARIES} ({error.name})", err=True)
        raise typer.Exit(1) from None
    _free(settings.host, settings.port)
    app.prepare(settings)
    typer.echo(f"resorb: {settings.base} (research and education; not a medical device). Stop with Ctrl+C.", err=True)
    log_as_json()
    how = {
        "host": settings.host, "port": settings.port, "log_config": None, "access_log": False, "server_header": False,
        "date_header": True, "timeout_keep_alive": 30, "timeout_graceful_shutdown": 10, "proxy_headers": False,
    }  # fmt: skip
    if processes == 1:
        uvicorn.run(app.create(settings), **how)  # type: ignore[arg-type]
        return
    os.environ[app.FROM] = msgspec.json.encode(settings).decode()
    uvicorn.run("resorb.web.app:from_environment", factory=True, workers=processes, **how)  # type: ignore[arg-type]
