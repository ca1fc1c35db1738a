"""`resorb mcp`: the verbs as read-only tools of an AI assistant, over standard input and output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NO_LIBRARY = "resorb mcp needs the protocol's library; found it missing. Try: pip install 'resorb[mcp]'"


def mcp(
    allow: Annotated[list[Path] | None, typer.Option(help="A folder that scans may be read from; without one, none.")] = None,
) -> None:
    """Serve assess, measure, compare and the evidence to an AI assistant over stdin and stdout (Model Context Protocol).

    For research and education; not a medical device.
    """
    try:
        from ..mcp import Places, make

        server = make(Places.of(allow or ()))
    except ImportError as error:
        typer.echo(f"{NO_LIBRARY} ({error.name})", err=True)
        raise typer.Exit(1) from None
    server.run("stdio")
