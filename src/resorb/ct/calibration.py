"""From HU to milligrams: how many mg/cm3 of hydroxyapatite one HU above background stands for."""

from __future__ import annotations

import math

from resorb.ct.acquisition import is_standard_kvp
from resorb.ct.refused import refuse
from resorb.ct.scan import Acquisition
from resorb.terms.measurement import Calibration

PUBLISHED_120_KV = Calibration(
    100 / 130,
    0.0875,
    "published for 120 kV: 130 HU is about 100 mg/cm3 (10.1007/s00330-022-08642-5); uncalibrated, and scanners differ by "
    "17.5 % (10.1080/02841850802314770)",
)
PLAUSIBLE = (0.2, 3.0)


def calibration_of(acquisition: Acquisition, own: float | None = None, kvp: float | None = None) -> Calibration:
    """The factor to use: the user's own [mg/cm3 per HU], else the scanner's from the header, else the published one for 120 kV.

    Without a tube voltage, or at another one, there is none, and masses are refused.
    """
    if own is not None:
        if not (math.isfinite(own) and PLAUSIBLE[0] <= own <= PLAUSIBLE[1]):
            raise refuse("calibration", f"{own} mg/cm3 per HU", f"{PLAUSIBLE[0]} to {PLAUSIBLE[1]} (at 120 kV about 0.77)")
        return Calibration(float(own), 0.0, "the user's own calibration, taken as exact")
    if acquisition.mass_factor is not None and PLAUSIBLE[0] <= acquisition.mass_factor <= PLAUSIBLE[1]:
        return Calibration(acquisition.mass_factor, 0.05, "the scanner's own factor in the header (0018,9351)")
    voltage = kvp if kvp is not None else acquisition.kvp
    if is_standard_kvp(voltage):
        return PUBLISHED_120_KV
    said = "the tube voltage is not known" if voltage is None else f"no published factor for {voltage:g} kV"
    return Calibration(None, 0.0, f"{said}: give your own factor (calibration) or the voltage (kvp)")
