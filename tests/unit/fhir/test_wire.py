"""What is taken for FHIR, how it is unpacked, and what is refused in one clear message."""

import json

import pytest

import resorb
from resorb.consult import assess
from resorb.evidence import library
from resorb.fhir import is_fhir, parameters_to_bundle, read
from resorb.report import to_text
from resorb.terms.errors import CaseRefused
from tests.records import bundle, condition, lab, mineral_record, patient

RECORD = mineral_record()
TEXT = json.dumps(RECORD)


def same(case):
    return case.digest == read(RECORD).digest


@pytest.mark.parametrize("source", [TEXT, TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode(), json.dumps(RECORD, indent=1), RECORD])
def test_text_bytes_and_mappings_are_the_same_record(source):
    assert is_fhir(source)
    assert same(read(source))


@pytest.mark.parametrize("kind", ["searchset", "collection", "document", "transaction", "batch", "history"])
def test_every_type_of_bundle_is_read(kind):
    assert same(read({**RECORD, "type": kind}))


def test_lines_of_resources_are_a_record():
    lines = "\n".join(json.dumps(e["resource"]) for e in RECORD["entry"]) + "\n\n"
    assert is_fhir(lines)
    assert same(read(lines))


def test_bundles_within_bundles_and_parameters_are_unpacked():
    assert same(read(bundle(RECORD)))
    inside = [{"name": "record", "resource": e["resource"]} for e in RECORD["entry"]]
    assert same(read({"resourceType": "Parameters", "parameter": inside}))
    assert same(read({"resourceType": "Parameters", "parameter": [{"name": "all", "part": [{"name": "b", "resource": RECORD}]}]}))
    assert same(read(parameters_to_bundle({"resourceType": "Parameters", "parameter": inside})))


def test_the_date_of_an_operation_is_the_day_asked_about():
    asked = {"resourceType": "Parameters", "parameter": [{"name": "date", "valueDate": "2024-09-01"}, {"name": "r", "resource": RECORD}]}
    assert read(asked).digest == read(RECORD, date="2024-09-01").digest


def test_a_single_resource_is_a_record():
    case = read(lab("2777-1", 7.2, "mg/dL"))
    assert [r.quantity for r in case.readings] == ["phosphate"]


def test_a_bundle_is_handed_back_and_a_resource_is_wrapped():
    assert parameters_to_bundle(RECORD) is RECORD
    assert parameters_to_bundle(patient())["entry"] == [{"resource": patient()}]
    with pytest.raises(CaseRefused):
        parameters_to_bundle({"parameter": []})


@pytest.mark.parametrize("other", ["site: kidney\n", '{"site": "kidney"}', "[]", "", "<html></html>", b"\x00\x01"])
def test_a_typed_case_is_not_taken_for_fhir(other):
    assert not is_fhir(other)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (TEXT[:-10], "is not valid JSON"),
        ('{"resourceType": "Patient"}\n{"resourceType": oops}', ":2: is not valid JSON"),
        ('{"resourceType": 4}', "found no resourceType"),
        ('{"a": {"resourceType": "Patient"}}', "found no resourceType"),
        ('<Bundle xmlns="http://hl7.org/fhir"/>', "found XML"),
        ('{"resourceType": "Bundle", "n": 1e999}', "is not valid JSON"),
        ('{"resourceType":' + "[" * 5000, "is not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_message(broken, said, tmp_path):
    path = tmp_path / "record.json"
    path.write_text(broken)
    with pytest.raises(CaseRefused) as refused:
        resorb.read_case(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_record_of_several_people_needs_one_named():
    both = bundle(patient(), patient(id="q", gender="male"), condition("D86.0"))
    with pytest.raises(CaseRefused, match="2 patients"):
        read(both)
    assert {f.word for f in read(both, patient="p").facts} == {"female", "sarcoidosis"}
    assert {f.word for f in read(both, patient="q").facts} == {"male"}
    with pytest.raises(CaseRefused, match="no Patient with the id"):
        read(both, patient="r")


def test_entries_about_several_people_without_a_patient_are_refused():
    with pytest.raises(CaseRefused, match="about 2 people"):
        read(bundle(condition("D86.0"), condition("D86.0", subject={"reference": "Patient/x"})))


@pytest.mark.parametrize(
    "reference", ["Patient/p", "Patient/p/_history/3", "https://example.org/fhir/Patient/p", "http://other/fhir/Patient/p"]
)
def test_a_person_is_known_by_any_address(reference):
    found = read(bundle(patient(), condition("D86.0", subject={"reference": reference}))).facts
    assert {f.word for f in found} == {"female", "sarcoidosis"}


def test_the_newest_version_of_a_resource_counts():
    old = {**condition("D86.0"), "id": "c", "meta": {"versionId": "2"}}
    new = {**condition("D86.0", verified="refuted"), "id": "c", "meta": {"versionId": "10"}}
    for order in ((old, new), (new, old)):
        assert [f.present for f in read(bundle(patient(), *order)).facts if f.word == "sarcoidosis"] == [False]


def test_entries_without_a_resource_are_passed_over():
    case = read(
        {"resourceType": "Bundle", "entry": [3, {}, {"resource": {}}, {"request": {"method": "GET", "url": "x"}}, {"resource": patient()}]}
    )
    assert [u.entry for u in case.read_from if "entry" in u.entry] == [
        "Bundle.entry[0]",
        "Bundle.entry[1].resource",
        "Bundle.entry[2].resource",
    ]


def test_a_deleted_entry_is_not_read():
    gone = {"request": {"method": "DELETE", "url": "Condition/c"}, "resource": condition("D86.0")}
    assert read({"resourceType": "Bundle", "entry": [gone, {"resource": patient()}]}).facts == read(bundle(patient())).facts


def test_a_date_that_is_none_is_refused():
    with pytest.raises(CaseRefused, match="found the date"):
        read(RECORD, date="yesterday")


@pytest.mark.parametrize("record", [bundle(), bundle(patient()), {"resourceType": "Encounter", "id": "e", "status": "finished"}])
def test_a_record_of_which_nothing_can_be_used_says_so(record):
    said = assess(read(record), library())
    assert not said.kinds
    assert said.cannot_say[0].reason.startswith("nothing was given that a card knows")
    assert said.plain.text.startswith("Nothing was given that says what this is")
    if record["resourceType"] == "Encounter":
        assert [(u.entry, u.says) for u in said.read_from] == [("Encounter", "resorb does not read this kind of entry")]
        assert "Used of the record\n- nothing\n" in to_text(said)
