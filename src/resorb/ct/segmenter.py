"""Labels from an installed TotalSegmentator, when the user asks for them.

TotalSegmentator (wasserth/TotalSegmentator) is Apache-2.0; it is not installed with resorb. On first use it fetches the weights of its
'total' task (Apache-2.0) from its authors, and it sends usage statistics unless told not to: here it is told not to.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from resorb.ct.labels import Labels, read_labels
from resorb.ct.nifti import write_labels
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan

PROGRAM = "TotalSegmentator"
LONGEST_S = 3600


def segment_scan(scan: Scan) -> Labels:
    """Labels of 117 organs for this scan. Refused where the program is missing or fails; nothing is left behind."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise refuse(
            "--segment",
            "no TotalSegmentator on this computer",
            "one",
            "pip install TotalSegmentator (Apache-2.0; fetches its weights), or give --labels",
        )
    with tempfile.TemporaryDirectory(prefix="resorb-") as folder:
        volume, out = Path(folder) / "scan.nii.gz", Path(folder) / "labels.nii.gz"
        write_labels(volume, scan.hu, scan.affine)
        command = [program, "-i", str(volume), "-o", str(out), "--ml", "--fast", "--quiet"]
        environment = {"TOTALSEG_DISABLE_STATISTICS": "1"}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, env=_with(environment), check=False)  # noqa: S603  (an absolute path and our own file names)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise refuse("--segment", f"TotalSegmentator that did not finish ({type(error).__name__})", "labels", "give --labels") from None
        if done.returncode or not out.is_file():
            said = (done.stderr.strip().splitlines() or ["no message"])[-1][:300]
            raise refuse("--segment", f"TotalSegmentator that failed ({said})", "labels", "run it yourself and give --labels")
        return replace(read_labels(out, scan), source="TotalSegmentator (Apache-2.0), task total, fast")


def _with(extra: dict[str, str]) -> dict[str, str]:
    import os

    return {**os.environ, **extra}
