"""The work of a `compare` job: two scans on the shelf in, the change and its page out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .measuring import scan_path

Tell = Callable[[float, str], None]


def compare_into(part: Path, baseline: Path, followup: Path, tell: Tell) -> None:
    """Align, match, judge; everything goes below `part`."""
    import resorb

    tell(0.05, "comparing")
    change = resorb.compare(scan_path(baseline), scan_path(followup))
    tell(0.9, "writing")
    (part / "change.json").write_text(json.dumps(change.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    resorb.write(change, part / "report.html")
