"""Whether a code can be one of its system: its form, and its check digit where the system has one."""

from __future__ import annotations

import re

_FORMS = {
    "icd10cm": re.compile(r"[A-Z]([0-9]([0-9A-Z](\.[0-9A-Z]{1,4})?)?)?$"),
    "snomed": re.compile(r"[1-9][0-9]{5,17}$"),
    "loinc": re.compile(r"[0-9]{1,7}-[0-9]$"),
    "rxnorm": re.compile(r"[1-9][0-9]{0,7}$"),
    "atc": re.compile(r"[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?$"),
    "dicom": re.compile(r"[A-Z]{2,6}$|[0-9]{6}$"),
}
_TURNED = ("0123456789", "1576283094")  # Verhoeff's permutation
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip


def wrong_code(system: str, code: str) -> str | None:
    """Why this cannot be a code of this system; none where it can.

    >>> wrong_code("loinc", "2777-1"), wrong_code("snomed", "709044004"), wrong_code("icd10cm", "M75.3")
    (None, None, None)
    >>> wrong_code("loinc", "2777-2")
    "found the LOINC code '2777-2'; its check digit does not fit: is it mistyped?"
    """
    form = _FORMS.get(system)
    if form is None:
        return f"found the code system {system!r}; expected one of {', '.join(sorted(_FORMS))}"
    if not form.match(code):
        return f"found the {_NAMES[system]} code {code!r}; expected the form of {_EXAMPLES[system]}"
    if (system == "loinc" and not _mod10(code)) or (system == "snomed" and not _verhoeff(code)):
        return f"found the {_NAMES[system]} code {code!r}; its check digit does not fit: is it mistyped?"
    return None


_NAMES = {"icd10cm": "ICD-10-CM", "snomed": "SNOMED CT", "loinc": "LOINC", "rxnorm": "RxNorm", "atc": "ATC", "dicom": "DICOM"}
_EXAMPLES = {"icd10cm": "M75.3", "snomed": "709044004", "loinc": "2777-1", "rxnorm": "11289", "atc": "B01AA03", "dicom": "CT or 112058"}


def _mod10(code: str) -> bool:
    """LOINC: the digits from the right, every other one doubled, add up with the check digit to a multiple of ten."""
    digits, _, check = code.partition("-")
    doubled = (int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits)))
    return (sum(d // 10 + d % 10 for d in doubled) + int(check)) % 10 == 0


def _verhoeff(code: str) -> bool:
    """SNOMED CT: Verhoeff's check over all digits comes out as nought."""
    found = 0
    for place, digit in enumerate(reversed(code)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = int(_TURNED[1][turned])
        found = int(_DIHEDRAL[found][turned])
    return found == 0
