"""Laws of reading FHIR: order, units, unknown entries and refuted ones do not matter; no record of any shape gives a traceback."""

from __future__ import annotations

import copy
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resorb.consult import assess
from resorb.evidence import library
from resorb.fhir import is_fhir, read, to_fhir
from resorb.terms.errors import CaseRefused
from tests.records import bundle, condition, lab, medicine, mineral_record, patient, procedure

SHELF = library()
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
few = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)

ICD = sorted({code for word in SHELF.decks.words for code in word.codes.get("icd10cm", ())})
LOINC = sorted({code for q in SHELF.decks.quantities for code in q.codes.get("loinc", ())})
BOTH_UNITS = [
    ("2777-1", "phosphate", "mg/dL", "mmol/L", (1, 15)),
    ("17861-6", "calcium", "mg/dL", "mmol/L", (4, 18)),
    ("2160-0", "creatinine", "mg/dL", "umol/L", (0.3, 15)),
    ("2731-8", "pth", "pg/mL", "pmol/L", (5, 3000)),
    ("62292-8", "vitamin_d_25oh", "ng/mL", "nmol/L", (4, 150)),
]

days = st.dates().map(lambda d: d.isoformat()).filter(lambda d: "1970" < d < "2026")
labs = st.builds(
    lambda code, value, unit, when: lab(code, value, unit, when=when),
    st.sampled_from(LOINC),
    st.floats(0.1, 500),
    st.sampled_from(["mg/dL", "mmol/L", "g/L", "U/L", "pg/mL", "%", "1"]),
    days | st.none(),
)
conditions = st.builds(
    lambda code, clinical, verified, when: condition(code, clinical=clinical, verified=verified, recordedDate=when),
    st.sampled_from(ICD).filter(lambda code: len(code) > 2),
    st.sampled_from(["active", "resolved", "inactive", "recurrence"]),
    st.sampled_from(["confirmed", "refuted", "provisional", "entered-in-error"]),
    days,
)
drugs = st.builds(
    medicine, st.sampled_from(["Warfarin 5 MG", "Simvastatin 20 MG Oral Tablet", "Lithium 300 MG", "Something 1 MG"]),
    status=st.sampled_from(["active", "stopped", "completed"]),
)  # fmt: skip
entries = st.lists(labs | conditions | drugs | st.just(procedure("265764009")), max_size=12)
UNKNOWN = st.sampled_from(["CarePlan", "Claim", "Goal", "Encounter", "FamilyMemberHistory", "Nonsense", "X" * 200])
KEYS = ["coding", "code", "system", "value", "reference", "a"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def said(case):
    """What a case says, beside what was read."""
    return sorted(case.facts), sorted(case.readings, key=repr), sorted(case.done, key=repr)


@slow
@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(found, dice):
    shuffled = [*found, patient()]
    dice.shuffle(shuffled)
    one, two = read(bundle(patient(), *found)), read(bundle(*shuffled))
    assert said(one) == said(two)
    assert [(u.entry, u.used, u.says, u.count) for u in one.read_from] == [(u.entry, u.used, u.says, u.count) for u in two.read_from]


@slow
@given(st.sampled_from(BOTH_UNITS), st.floats(0, 1))
def test_the_unit_a_lab_was_sent_in_does_not_matter(known, share):
    code, quantity, ours, theirs, (low, high) = known
    value = low + share * (high - low)
    card = SHELF.quantities[quantity]
    factors = {card.unit: 1.0, **card.units}
    one = read(bundle(patient(), lab(code, value, ours)))
    two = read(bundle(patient(), lab(code, value * factors[ours] / factors[theirs], theirs)))
    values = [next(r.value for r in case.readings if r.quantity == quantity) for case in (one, two)]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    near = any(abs(values[0] - limit) < 1e-6 for band in card.bands for limit in (band.low, band.high) if limit is not None)
    if not near:
        answers = [assess(case, SHELF) for case in (one, two)]
        assert [k.id for k in answers[0].kinds] == [k.id for k in answers[1].kinds]


@slow
@given(entries, st.sampled_from(ICD).filter(lambda code: len(code) > 2))
def test_a_refuted_diagnosis_makes_nothing_present(found, code):
    without = {f.word for f in read(bundle(patient(), *found)).facts if f.present}
    refuted = condition(code, verified="refuted", recordedDate="1960-01-01")
    assert {f.word for f in read(bundle(patient(), *found, refuted)).facts if f.present} <= without


@slow
@given(entries, st.lists(st.tuples(UNKNOWN, st.dictionaries(st.text(max_size=6), anything, max_size=3)), max_size=4))
def test_entries_of_unknown_kinds_are_told_and_change_nothing(found, strangers):
    more = [{**body, "resourceType": kind} for kind, body in strangers]
    one, two = (
        read(bundle(patient(), *found)),
        read({**bundle(patient(), *found), "entry": [{"resource": r} for r in (patient(), *found, *more)]}),
    )
    assert said(one) == said(two)
    assert one.digest == two.digest
    told = sum(u.count for u in two.read_from if "does not read this kind" in u.says)
    assert told == len(more)


@slow
@given(entries)
def test_every_entry_is_told_as_used_or_not(found):
    case = read(bundle(patient(), *found))
    told = " ".join(u.entry for u in case.read_from)
    for resource in found:
        assert resource["resourceType"] in told


@few
@given(entries)
def test_a_record_read_is_answered_and_written_the_same_twice(found):
    record = bundle(patient(), *found)
    one, two = (to_fhir(assess(read(copy.deepcopy(record)), SHELF)) for _ in range(2))
    assert one == two


# --- any shape at all ---


ODD = [None, True, -1, 1e300, 10**40, "", "x", "2020", [], {}, [[]], {"coding": "x"}, {"reference": 3}, "\ud800", 10**400]


def mutated(record, dice, times):
    """A copy with a few parts replaced, removed, renamed or doubled."""
    record = copy.deepcopy(record)
    for _ in range(times):
        spots = list(_spots(record))
        if not spots:
            return record
        holder, key = dice.choice(spots)
        change = dice.randrange(4)
        if change == 0:
            holder[key] = dice.choice(
                [None, True, -1, 1e300, 10**40, "", "x", "2020", [], {}, [[]], {"coding": "x"}, {"reference": 3}, "\ud800", 10**400]
            )
        elif change == 1 and isinstance(holder, dict):
            del holder[key]
        elif change == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif isinstance(holder[key], str):
            holder[key] = holder[key][: dice.randrange(len(holder[key]) + 1)]
        elif isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = str(holder[key])
    return record


def _spots(part):
    for key in part if isinstance(part, dict) else range(len(part)):
        yield part, key
        if isinstance(part[key], (dict, list)):
            yield from _spots(part[key])


FULL = mineral_record()
FULL["entry"] += [
    {
        "resource": {
            "resourceType": "ImagingStudy",
            "status": "available",
            "series": [{"modality": {"code": "CT"}, "bodySite": {"code": "1"}}],
        }
    },
    {"resource": {"resourceType": "DiagnosticReport", "status": "final", "conclusionCode": [{"coding": [{"code": "6595006"}]}]}},
    {"resource": {"resourceType": "Medication", "id": "m", "code": {"text": "Lithium"}}},
    {"resource": {**lab("85354-9", 1, "1"), "component": [{"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 1}}]}},
]


@pytest.mark.parametrize("seed", range(400))
def test_no_mutated_record_gives_a_traceback(seed):
    dice = random.Random(seed)
    record = mutated(FULL, dice, dice.randrange(1, 9))
    try:
        case = read(record)
    except CaseRefused as refused:
        assert str(refused)
        return
    if seed % 8 == 0:
        to_fhir(assess(case, SHELF))


@slow
@given(st.dictionaries(st.sampled_from(["resourceType", "entry", "type", "parameter", "code", "status"]), anything, max_size=5))
def test_no_mapping_gives_a_traceback(record):
    if is_fhir(record):
        try:
            read(record)
        except CaseRefused as refused:
            assert str(refused)


@slow
@given(st.binary(max_size=40), st.integers(0, 4000))
def test_no_bytes_give_a_traceback(noise, place):
    raw = json.dumps(FULL).encode()
    broken = raw[:place] + noise + raw[place + len(noise) :]
    if is_fhir(broken):
        try:
            read(broken)
        except CaseRefused as refused:
            assert str(refused)
