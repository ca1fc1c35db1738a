"""Time and memory of `resorb compare`, from two DICOM folders to the verdict, in a process of its own.

`python -m bench.compare_speed BASELINE FOLLOWUP` is that process: it loads what the command loads, runs it once, and prints what that took.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from resorb.ct.phantom_pairs import Pair

from .measure_speed import write_series

REPEATS = 3
KEYS = ("wall", "busy", "align_wall", "align_busy", "base", "peak")
LOADED = ("SimpleITK", "pydicom", "resorb.cli.app", "resorb.cli.compare", "resorb.followup.pictures", "resorb.report")


def lines(pair: Pair) -> list[str]:
    """A table of what comparing this pair takes: medians of three processes."""
    scans = (pair.baseline, pair.followup)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("baseline", "followup")]
        for path, scan in zip(paths, scans, strict=True):
            path.mkdir()
            x, y, z = (float(at) for at in scan.affine[:3, 3])
            between, high, wide = (float(step) for step in scan.spacing)
            write_series(path, scan.hu, spacing=(between, high, wide), origin=(x, y, z))
        runs = [_run(paths) for _ in range(REPEATS)]
    wall, busy, align_wall, align_busy, base, most = (statistics.median(run[key] for run in runs) for key in KEYS)
    into = np.empty(pair.baseline.hu.shape, bool)
    passes = busy / min(_pass_s(scans, into) for _ in range(REPEATS))
    volume, shape = pair.baseline.hu.size * 2, " x ".join(str(n) for n in pair.baseline.hu.shape[::-1])
    return [
        f"| two scans of {shape}, from DICOM files to the verdict | aimed at | reached |",
        "|---|---|---|",
        f"| by the clock | at most 15 s | {wall:.1f} s |",
        f"| of all processors | | {busy:.1f} s: {passes:.0f} passes of `hu >= 130` over both |",
        f"| of that, alignment | at most 3 s by the clock | {align_wall:.1f} s by the clock, {align_busy:.1f} s of processors |",
        f"| most memory at once, beyond the libraries | at most 4 volumes of int16 | {(most - base) / volume:.1f} |",
        f"| what the libraries take | | {base / volume:.1f} |",
    ]


def _pass_s(scans: tuple[Any, ...], into: Any) -> float:
    busy = time.process_time()
    for scan in scans:
        np.greater_equal(scan.hu, np.int16(130), out=into)
    return time.process_time() - busy


def _run(paths: list[Path]) -> dict[str, float]:
    """One comparison in a process of its own."""
    command = [sys.executable, "-m", "bench.compare_speed", *map(str, paths)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    return dict(json.loads(made.stdout))


def peak_bytes() -> int:
    """The most memory this process has held so far. (The `ru_maxrss` of a child begins with what its parent held.)"""
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measured(baseline: str, followup: str) -> dict[str, float]:
    """The command run once: seconds by the clock and of all processors, of alignment too, and bytes before it and at most."""
    for name in LOADED:
        importlib.import_module(name)
    from resorb.cli.app import app
    from resorb.evidence.library import library

    library()
    laid: dict[str, float] = {}
    comparison: Any = importlib.import_module("resorb.followup.comparison")
    align = comparison.align

    def timed(*scans: Any) -> Any:
        wall, busy = time.perf_counter(), time.process_time()
        made = align(*scans)
        laid.update(align_wall=time.perf_counter() - wall, align_busy=time.process_time() - busy)
        return made

    comparison.align = timed
    base, wall, busy = peak_bytes(), time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        app(["compare", baseline, followup, "--json"], standalone_mode=False)
    took = {"wall": time.perf_counter() - wall, "busy": time.process_time() - busy, "base": base, "peak": peak_bytes(), **laid}
    if json.loads(said.getvalue())["alignment"]["failed"]:
        raise SystemExit("the pair was not laid on each other: nothing to time")
    return took


if __name__ == "__main__":
    print(json.dumps(measured(*sys.argv[1:])))
