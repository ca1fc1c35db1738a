"""How often the right kind comes first on published cases coded from their reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from resorb.consult import assess
from resorb.evidence import library, read_case_mapping

_CASES = Path(__file__).parents[1] / "tests" / "recognition"


def lines() -> list[str]:
    """A Markdown table, one row a set; a shared first place counts as a miss."""
    rows = ["| set | cases | right kind first | among the first three | none fits, said so |", "|---|---|---|---|---|"]
    for path in sorted(_CASES.glob("*.yaml")):
        cases: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
        places = [(case["truth"], _place(case)) for case in cases]
        kinds = [place for truth, place in places if truth != "none"]
        none = [place for truth, place in places if truth == "none"]
        first, three = sum(p == 1 for p in kinds), sum(p <= 3 for p in kinds)
        share = f"{100 * first / len(kinds):.0f} % | {100 * three / len(kinds):.0f} %"
        rows.append(f"| {path.stem.replace('_', ' ')} | {len(cases)} | {share} | {sum(p == 1 for p in none)} of {len(none)} |")
    return rows


def _place(case: dict[str, Any]) -> int:
    said = assess(read_case_mapping(case["given"], library()), library())
    if case["truth"] == "none":
        return 1 if said.none_fits else 99
    return next((k.rank + k.tied for k in said.kinds if k.id == case["truth"]), 99)
