"""Codes of every system: their form, their check digits, and what a mistyped one is told."""

import pytest

from resorb.evidence.code_forms import wrong_code

RIGHT = [
    ("loinc", "2777-1"), ("loinc", "49765-1"), ("loinc", "98979-8"), ("snomed", "709044004"), ("snomed", "368581000119106"),
    ("icd10cm", "M75.3"), ("icd10cm", "C"), ("icd10cm", "E10.22"), ("icd10cm", "M1A"), ("rxnorm", "11289"),
    ("atc", "B01AA03"), ("atc", "C10AA"), ("dicom", "CT"), ("dicom", "122660"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "code"), RIGHT)
def test_a_right_code_is_accepted(system, code):
    assert wrong_code(system, code) is None


@pytest.mark.parametrize(("system", "code"), [(s, c) for s, c in RIGHT if s in ("loinc", "snomed")])
def test_any_one_wrong_digit_is_noticed(system, code):
    for place, digit in enumerate(code):
        if digit.isdigit():
            for other in set("0123456789") - {digit}:
                mistyped = code[:place] + other + code[place + 1 :]
                assert wrong_code(system, mistyped), mistyped


def test_two_swapped_digits_of_a_snomed_code_are_noticed():
    for place in range(8):
        code = "709044004"
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert swapped == code or wrong_code("snomed", swapped)


@pytest.mark.parametrize(
    ("system", "code"),
    [("icd10cm", "75.3M"), ("icd10cm", "m75.3"), ("atc", "B1AA03"), ("rxnorm", "x1"), ("dicom", "ct"), ("icd9", "250.0")],
)
def test_a_code_of_another_form_is_refused(system, code):
    assert wrong_code(system, code)
