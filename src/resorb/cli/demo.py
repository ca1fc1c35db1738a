"""`resorb demo`: a published case answered, two scans made on the spot compared, and the case answered again, knowing the change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..terms.errors import UserError
from .compare import NO_LIBRARIES

if TYPE_CHECKING:
    from ..ct.phantom_pairs import Pair
    from ..terms.change import Change
    from ..terms.measurement import Picture

MONTHS = 14.0


def demo(
    name: Annotated[str, typer.Argument(help="One of the published example cases.")] = "shoulder-infraspinatus-lavage",
    out: Annotated[Path, typer.Option(help="The folder for the pages.")] = Path("out"),
) -> None:
    """Answer a published case, compare two scans made on the spot, answer the case again knowing what they show; write every page."""
    import resorb

    from .. import examples
    from ..report import to_text

    if name not in examples.names():
        raise UserError(f"found the example {name!r}; expected one of {', '.join(examples.names())}")
    out.mkdir(parents=True, exist_ok=True)
    case = resorb.read_case(examples.path(name))
    said = resorb.assess(case)
    pages = [_written(said, out / f"{name}.html", "The answer")]
    about = examples.about(name)
    typer.echo(f"{about['title']}: {about['citation']}\n\n{to_text(said)}\nWhat happened in the end: {about['what_happened']}\n")
    seen = _scans(out, pages)
    if seen is not None:
        change, pictures = seen
        knowing = resorb.assess(case.with_change(change))
        typer.echo("\nThe case again, had these been its two scans\n")
        typer.echo(_seen(to_text(knowing)))
        whole = "All in one report (the case, both scans, what changed, what it means)"
        pages.append(_written(knowing, out / f"{name}-with-change.html", whole, pictures))
        resorb.write(change, out / "change.json")
    typer.echo("\n".join(["", *pages]))


def _written(result: object, page: Path, what: str, pictures: tuple[Picture, ...] = ()) -> str:
    import resorb

    resorb.write(result, page, pictures)
    return f"{what}: {page.resolve()}"


def _seen(text: str) -> str:
    """The part of an answer that tells what two scans showed."""
    part = text.partition("What two scans showed")
    return f"{part[1]}{part[2].partition(chr(10) * 2)[0]}\n"


def _pair() -> Pair:
    """Two scans of one made-up person who moved: of six deposits one goes, one comes, some shrink and one stays as it is."""
    import numpy as np

    from ..ct.phantom_pairs import Plan, random_pair

    plan = Plan(
        deposits=6, height_mm=80, pixel_mm=(0.8, 0.8), slice_mm=(2.0, 2.0), noise_hu=(9, 11), radius_mm=(2.0, 3.2), close=0,
        same_scanner=True, moved_mm=15, turned_degrees=6,
    )  # fmt: skip
    return random_pair(np.random.default_rng(4005), plan)


def _scans(out: Path, pages: list[str]) -> tuple[Change, tuple[Picture, ...]] | None:
    """Make two scans of one person in which deposits changed, measure the first, compare both, write their pages."""
    try:
        from ..ct import Settings, measure
        from ..ct.pictures import pictures
        from ..followup import Stated, compared
        from ..followup.pictures import pictures as of_both
    except ImportError:
        typer.echo(NO_LIBRARIES, err=True)
        return None
    from ..report import to_text

    settings = Settings(contrast="none", kvp=120.0)
    pair = _pair()
    made = compared((pair.baseline, pair.followup), settings=settings, stated=Stated(months=MONTHS))
    measured = measure(pair.baseline, settings=settings, findings=made.before.findings)
    pages.append(_written(measured, out / "scan.html", "The first scan, measured", pictures(pair.baseline, made.before.findings, measured)))
    drawn = of_both(made)
    pages.append(_written(made.change, out / "change.html", "Both scans, compared", drawn))
    truth = ", ".join(d.fate if d.fate != "kept" else "unchanged" if d.factor == 1 else f"times {d.factor:.2g}" for d in pair.deposits)
    typer.echo(f"Two scans made on the spot, {MONTHS:.0f} months apart; the person moved. Deposits as made: {truth}.\n")
    typer.echo(f"The first, measured\n\n{to_text(measured)}\nBoth, compared\n\n{to_text(made.change)}", nl=False)
    return made.change, drawn
