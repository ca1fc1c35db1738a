"""`--fhir FILE`: any result as a FHIR bundle, into a file or, with -, on stdout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..terms.errors import UserError

if TYPE_CHECKING:
    from ..fhir.desk import Result

HELP = "Write the answer as a FHIR R4 bundle here; - prints it."


def give(result: Result, target: str) -> None:
    """Print the bundle, or write it whole or not at all."""
    import msgspec

    from ..fhir import to_fhir

    text = msgspec.json.format(msgspec.json.encode(to_fhir(result)), indent=2).decode()
    if target == "-":
        typer.echo(text)
        return
    path = Path(target)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{target}: cannot be written ({error.strerror}); expected a file in a folder that exists, or -") from None
    typer.echo(f"wrote {target}", err=True)
