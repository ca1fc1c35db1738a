"""The work of a `compare` job: two scans on the shelf in, the change, its page and its pictures out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..report import to_html, to_json
from .measuring import scan_path, stated_of

Tell = Callable[[float, str], None]


def compare_into(
    part: Path, sides: tuple[Path, Path], told: tuple[dict[str, Any], dict[str, Any]], pair: dict[str, Any], tell: Tell
) -> None:
    """Read, align, match, judge; everything goes below `part`. `told` : what was stated of each scan; `pair` : of both together."""
    tell(0.02, "loading the imaging libraries")
    from ..ct.reading import read
    from ..followup import Stated, compared

    scans = []
    for n, (folder, stated) in enumerate(zip(sides, told, strict=True)):
        tell(0.15 if n else 0.05, f"reading the {'follow-up' if n else 'baseline'}")
        scans.append(read(scan_path(folder), series=stated.get("series")))
    tell(0.25, "laying the follow-up on the baseline and judging each deposit")
    labels = tuple(next(iter(sorted((folder / "labels").glob("*"))), None) for folder in sides)
    before, after = (stated_of(stated) for stated in told)
    done = compared((scans[0], scans[1]), labels, before, Stated(**pair, settings_followup=after))
    tell(0.8, "drawing")
    _write(part, done)


def _write(part: Path, done: Any) -> None:
    from ..followup.pictures import pictures
    from ..followup.viewing import keep_pair_view

    (part / "change.json").write_text(to_json(done.change) + "\n", "utf-8")
    (part / "report.html").write_text(to_html(done.change, pictures(done)), "utf-8")
    keep_pair_view(part, done.aligned, done.change)
