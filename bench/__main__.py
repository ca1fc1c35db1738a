"""Every benchmark, as Markdown: `python -m bench [PART ...] [--quick] [--scans N] [--pairs N] [--readme]`.

With --readme each table also replaces the one that stands in README.md between `<!-- bench: PART -->` and `<!-- bench: end -->`,
so that no figure there is typed by hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from . import align, assess, compare, fhir, measure, measure_speed, recognition, service

README = Path(__file__).parents[1] / "README.md"
FIGURES = ("| what | figure |", "|---|---|")
Asked = SimpleNamespace

PARTS: dict[str, tuple[str, Callable[[Asked], list[str]]]] = {
    "recognition": ("Recognition of published cases", lambda _: recognition.lines()),
    "assess": ("Speed of an assessment", lambda _: _figures(assess.lines())),
    "measure": ("Deposits measured on phantoms of exact truth", lambda asked: measure.accuracy_tables(asked.scans)),
    "speed": ("Speed of reading and measuring", lambda asked: measure_speed.tables(asked.quick)),
    "align": ("Two scans laid on each other", lambda asked: align.tables(asked.pairs, not asked.quick)),
    "compare": ("Pairs of exact truth compared", lambda asked: compare.tables(asked.pairs)),
    "fhir": ("FHIR records", lambda _: _figures(fhir.lines())),
    "service": ("The service", lambda _: _figures([*service.lines(1), *service.lines(2)])),
}


def _figures(lines: list[assess.Line] | list[service.Line]) -> list[str]:
    return [*FIGURES, *(f"| {line.what} | {line.figure} |" for line in lines)]


def under(name: str, text: str, page: str) -> str:
    """The page with this text between the part's marks; the same page where it has none."""
    marked = re.compile(rf"(<!-- bench: {name} -->\n).*?(\n<!-- bench: end -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page)


def where() -> str:
    """What it ran on, and how busy that was."""
    import numpy as np

    load = " / ".join(f"{busy:.1f}" for busy in os.getloadavg())
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}; load average {load}"


def main() -> None:
    """Run the parts asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--scans", type=int, default=240, help="phantoms of one deposit each")
    parser.add_argument("--pairs", type=int, default=20, help="pairs of scans for each table")
    parser.add_argument("--quick", action="store_true", help="a tenth of the scans, small volumes")
    parser.add_argument("--readme", action="store_true", help="write the tables into README.md")
    asked = parser.parse_args(namespace=Asked())
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"found {', '.join(sorted(unknown))}; expected {', '.join(PARTS)}")
    if asked.quick:
        asked.scans, asked.pairs = asked.scans // 10, asked.pairs // 10
    for name in asked.parts or PARTS:
        title, run = PARTS[name]
        start, on = time.monotonic(), where()
        text = "\n".join(run(asked))
        print(f"### {title}\n\n{text}\n\n{on}; {time.monotonic() - start:.0f} s.\n", flush=True)
        if asked.readme:
            page = README.read_text(encoding="utf-8")
            README.write_text(under(name, f"{text}\n\n{on}.", page), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
