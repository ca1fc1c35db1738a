"""`resorb demo`: a published case answered, and a scan made on the spot measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terms.errors import UserError
from .measure import NO_LIBRARIES


def demo(
    name: Annotated[str, typer.Argument(help="One of the published example cases.")] = "shoulder-infraspinatus-lavage",
    out: Annotated[Path, typer.Option(help="The folder for the pages.")] = Path("out"),
) -> None:
    """Answer a published case and tell what happened in the end; measure a scan made on the spot; write both pages."""
    import resorb

    from .. import examples
    from ..report import to_text

    if name not in examples.names():
        raise UserError(f"found the example {name!r}; expected one of {', '.join(examples.names())}")
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"{name}.html"
    said = resorb.assess(resorb.read_case(examples.path(name)))
    resorb.write(said, page)
    about = examples.about(name)
    typer.echo(f"{about['title']}: {about['citation']}\n\n{to_text(said)}\nWhat happened in the end: {about['what_happened']}\n")
    scan = _scan(out)
    typer.echo(f"\nThe answer as a page with pictures: {page.resolve()}")
    if scan is not None:
        typer.echo(f"The measured scan as a page with pictures: {scan.resolve()}")


def _scan(out: Path) -> Path | None:
    """Make a scan of known deposits, measure it, write its page."""
    try:
        from ..ct import find, measure
        from ..ct.phantom import example
        from ..ct.pictures import pictures
    except ImportError:
        typer.echo(NO_LIBRARIES, err=True)
        return None
    import resorb

    from ..report import to_text

    scan = example()
    findings = find(scan)
    measured = measure(scan, findings=findings)
    page = out / "scan.html"
    resorb.write(measured, page, pictures(scan, findings, measured))
    typer.echo(f"A scan made on the spot, measured\n\n{to_text(measured)}", nl=False)
    return page
