"""`resorb listen`: a C-STORE receiver that measures what arrives and sends the results back."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from resorb.terms.errors import ResorbError

NO_LIBRARIES = "resorb listen needs the PACS and imaging libraries; found them missing. Try: pip install 'resorb[pacs,image]'"
STOP = (signal.SIGTERM, signal.SIGINT)


def listen(  # noqa: PLR0917  (typer reads one parameter for each option)
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 11112,
    aet: Annotated[str, typer.Option(help="Our application entity title.")] = "RESORB",
    send: Annotated[
        str | None, typer.Option(help="Where results go: AET@host:port (C-STORE) or a DICOMweb address (STOW-RS); else they are kept.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on; beyond this machine only with --from.")] = "127.0.0.1",
    callers: Annotated[list[str] | None, typer.Option("--from", help="A title that may call; may be given more than once.")] = None,
    folder: Annotated[Path, typer.Option(help="Our own folder: images, journal, results.")] = Path("resorb-inbox"),
    quiet_seconds: Annotated[float, typer.Option(help="A study is measured when nothing came for so long.", min=0.1, max=86400)] = 10.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep images and results after they were sent.")] = False,
    convention: Annotated[str, typer.Option(help="Agatston convention, as in resorb measure.")] = "agatston_1990",
    calibration: Annotated[float | None, typer.Option(help="Your own factor, mg/cm3 for each HU.")] = None,
    contrast: Annotated[str | None, typer.Option(help="none or given, where you know it of every scan.")] = None,
) -> None:
    """Receive CT studies by C-STORE, measure each series, send SEG, structured report and pictures back. Stops on Ctrl-C.

    For research and education; not a medical device.
    """
    try:
        from resorb.ct.measuring import Settings
        from resorb.pacs.listening import Duty
        from resorb.pacs.listening import listen as serve
        from resorb.pacs.receiving import Door
    except ImportError:
        typer.echo(NO_LIBRARIES, err=True)
        raise typer.Exit(1) from None
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in STOP}
    settings = Settings(convention, calibration, None, contrast)
    try:
        serve(Door(host, port, aet, tuple(callers or ())), Duty(folder, send, quiet_seconds, keep, settings, _say), stop)
    except ResorbError as error:
        typer.echo(f"resorb listen: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    finally:
        for number, former in before.items():
            signal.signal(number, former)
    _say("stopped")


def _say(line: str) -> None:
    typer.echo(f"resorb listen: {line}", err=True)
