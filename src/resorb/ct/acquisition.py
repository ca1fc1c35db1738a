"""What the acquisition allows: kernel, contrast and tube voltage decide which numbers may be given."""

from __future__ import annotations

import re

from resorb.ct.scan import Acquisition

NO_CONTRAST = {"", "NONE", "NO", "N", "NO CONTRAST", "WITHOUT", "NATIVE", "0", "UNENHANCED"}
SIEMENS_SHARP_FROM = 49
GE_SHARP = {"LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "HD LUNG", "HD BONE", "CHST", "DETAIL"}
PHILIPS_SHARP = {"YA", "YB", "YC", "YD", "YE", "L", "D", "E", "YS", "EB", "EC", "ED"}
CANON_SHARP_FROM, CANON_SHARP_TO = 30, 99
STANDARD_KVP = 120.0
KVP_TOLERANCE = 2.0


def contrast_in_header(acquisition: Acquisition) -> str:
    """The contrast agent that the header names; empty when it names none. Many headers name none although contrast was given."""
    said = (acquisition.contrast_agent or "").strip()
    return "" if said.upper() in NO_CONTRAST else said


def is_sharp(kernel: str | None) -> bool:
    """Whether a reconstruction kernel enhances edges so far that HU of small things are not their own.

    Vendor names: Siemens B/Br/Bl/Bv.. from 49 up (and all Hr, Ur), GE LUNG, BONE, EDGE, ..., Canon FC30 and up except FC4x-cardiac,
    Philips YA and up, L, D, E. An unknown name is taken as not sharp; the noise of the scan is measured in any case.
    """
    if not kernel:
        return False
    name = kernel.split("\\")[0].strip().strip("[]'\" ").upper()
    siemens = re.fullmatch(r"([BHIJUQ][A-Z]?)(\d\d)[A-Z]?(?:[\\_ ].*)?", name)
    if siemens:
        return int(siemens.group(2)) >= SIEMENS_SHARP_FROM
    canon = re.fullmatch(r"FC(\d\d)(?:[-_ ].*)?", name)
    if canon:
        return CANON_SHARP_FROM <= int(canon.group(1)) <= CANON_SHARP_TO and not 41 <= int(canon.group(1)) <= 44
    return name in GE_SHARP or name in PHILIPS_SHARP


def is_standard_kvp(kvp: float | None) -> bool:
    """Whether the tube voltage is the 120 kV for which the Agatston score is defined."""
    return kvp is not None and abs(kvp - STANDARD_KVP) <= KVP_TOLERANCE


def remarks(acquisition: Acquisition) -> list[str]:
    """What the header says that a reader of the numbers must know."""
    said = []
    if agent := contrast_in_header(acquisition):
        said.append(f"the header names a contrast agent ({agent}): contrast may look like calcium")
    if is_sharp(acquisition.kernel):
        said.append(f"the kernel {acquisition.kernel} is sharp: edges and noise are raised, and thresholds mean something else")
    if acquisition.kvp is None:
        said.append("the header gives no tube voltage: 120 kV is not assumed for mass, and the Agatston score is marked so")
    elif not is_standard_kvp(acquisition.kvp):
        said.append(f"the tube voltage is {acquisition.kvp:g} kV: the Agatston score is defined for 120 kV")
    return said
