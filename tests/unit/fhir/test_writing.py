"""FHIR out: every resource valid by a full model of R4B, tied together, the same bytes for the same answer."""

import json
import re

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationdefinition import OperationDefinition
from fhir.resources.R4B.operationoutcome import OperationOutcome

import resorb
from resorb import examples
from resorb.fhir import capability, operation_definition, operation_outcome, read, to_fhir
from resorb.terms.assessment import Refusal
from resorb.terms.errors import CaseRefused, Problem, UserError
from tests.records import bundle, lab, mineral_record, patient

from .results import made_change, made_measurement

SAID = resorb.assess(resorb.read_case(examples.path("shoulder-infraspinatus-lavage")))


def kinds_of(made):
    return [e["resource"]["resourceType"] for e in made["entry"]]


def resources(made, kind):
    return [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == kind]


def references(part):
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "reference" and isinstance(value, str):
                yield value
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


@pytest.mark.parametrize("name", examples.names())
def test_every_example_answers_in_valid_fhir(name):
    made = to_fhir(resorb.assess(resorb.read_case(examples.path(name))), subject="Patient/12", bundle="transaction")
    Bundle.model_validate(made)
    ids = {e["fullUrl"] for e in made["entry"]}
    assert len(ids) == len(made["entry"])
    assert {r for e in made["entry"] for r in references(e) if r.startswith("urn:uuid:")} <= ids


@pytest.mark.parametrize("result", [made_measurement(), made_change()], ids=["measurement", "change"])
def test_measurements_and_changes_are_valid_fhir(result):
    made = to_fhir(result, subject="Patient/12", when="2026-03-01T12:00:00Z", study="ImagingStudy/7")
    Bundle.model_validate(made)
    assert {r for e in made["entry"] for r in references(e) if r.startswith("urn:uuid:")} <= {e["fullUrl"] for e in made["entry"]}
    for observation in resources(made, "Observation"):
        assert observation["derivedFrom"] == [{"reference": "ImagingStudy/7"}]
        assert observation["issued"] == "2026-03-01T12:00:00Z"
        assert "valueQuantity" not in observation or observation["valueQuantity"]["system"] == "http://unitsofmeasure.org"


def test_the_outlook_is_in_percent_with_its_interval_its_time_and_its_studies():
    made = to_fhir(SAID)
    told = {(r["code"]["text"], p["outcome"]["text"]): p for r in resources(made, "RiskAssessment") for p in r.get("prediction", ())}
    assert told
    names = {k.id: k.name for k in SAID.kinds}
    for e in SAID.outlooks:
        if e.applies not in ("direct", "general") or e.low is None:
            continue
        found = [p for r in resources(made, "RiskAssessment") if names[e.kind] in r["code"]["text"] for p in r.get("prediction", ())]
        ranges = [p["probabilityRange"] for p in found if "probabilityRange" in p]
        assert any(
            r["low"]["value"] == pytest.approx(e.low, rel=1e-4, abs=1e-9) and r["high"]["value"] == pytest.approx(e.high, rel=1e-4)
            for r in ranges
        )
        assert all(r["low"]["code"] == "%" and 0 <= r["low"]["value"] <= r["high"]["value"] <= 100 for r in ranges)
    for risk in resources(made, "RiskAssessment"):
        assert risk["extension"], "an outlook cites its studies"


def test_what_was_studied_in_other_people_is_told_and_not_predicted():
    other = [e for e in SAID.outlooks if e.applies not in ("direct", "general")]
    assert other
    notes = sum(len(r.get("note", ())) for r in resources(to_fhir(SAID), "RiskAssessment"))
    assert notes == len(other)


def test_red_flags_are_detected_issues_and_lead_the_conclusion():
    said = resorb.assess(
        resorb.read_case({"site": "ureter", "findings": ["stone"], "symptoms": ["fever"], "conditions": ["solitary_kidney"]})
    )
    assert said.red_flags
    made = to_fhir(said)
    assert [i["code"]["text"] for i in resources(made, "DetectedIssue")] == [f.name for f in said.red_flags]
    assert resources(made, "DiagnosticReport")[0]["conclusion"].startswith("RED FLAG")


def test_the_report_ties_and_provenance_names_everything():
    made = to_fhir(SAID)
    report = resources(made, "DiagnosticReport")[0]
    tied = set(references(report))
    assert {f"urn:uuid:{r['id']}" for kind in ("RiskAssessment", "Observation") for r in resources(made, kind)} <= tied
    targets = set(references(resources(made, "Provenance")[0]["target"]))
    assert targets == {e["fullUrl"] for e in made["entry"]} - {
        f"urn:uuid:{r['id']}" for k in ("Device", "Provenance") for r in resources(made, k)
    }
    versions = {v["type"]["text"]: v["value"] for v in resources(made, "Device")[0]["version"]}
    assert versions == {"software": SAID.versions.resorb, "evidence": SAID.versions.evidence}


def test_every_sentence_of_medicine_in_it_names_its_source():
    text = resources(to_fhir(SAID), "DiagnosticReport")[0]["text"]["div"]
    for option in SAID.options:
        if option.kind == SAID.kinds[0].id:
            assert option.source[0] in text or "expert opinion" in text
    assert SAID.notice.split(".")[0] in text


def test_the_same_answer_is_the_same_bytes_and_another_person_is_not():
    assert json.dumps(to_fhir(SAID)) == json.dumps(to_fhir(SAID))
    one, two = to_fhir(SAID, subject="Patient/1"), to_fhir(SAID, subject="Patient/2")
    assert not {e["fullUrl"] for e in one["entry"]} & {e["fullUrl"] for e in two["entry"]} - {
        f"urn:uuid:{resources(one, 'Device')[0]['id']}"
    }


def test_no_time_is_told_unless_the_caller_says_one():
    text = json.dumps(to_fhir(SAID))
    assert '"issued"' not in text
    assert '"recorded"' not in text
    assert resources(to_fhir(SAID, when="2026-03-01T12:00:00Z"), "Provenance")[0]["recorded"] == "2026-03-01T12:00:00Z"
    with pytest.raises(UserError, match="with a zone"):
        to_fhir(SAID, when="2026-03-01")


def test_an_answer_from_a_record_knows_its_person_and_its_basis():
    record = mineral_record()
    record["entry"].append({"resource": {"resourceType": "CarePlan", "id": "c"}})
    made = to_fhir(resorb.assess(read(record)))
    risk = resources(made, "RiskAssessment")[0]
    assert risk["subject"] == {"reference": "Patient/p"}
    assert {"reference": "Patient/p"} in risk["basis"]
    assert "Not used of the record" in resources(made, "DiagnosticReport")[0]["text"]["div"]


def test_the_same_facts_written_twice_keep_one_answer():
    raw = json.dumps(mineral_record())
    assert to_fhir(resorb.assess(read(raw))) == to_fhir(resorb.assess(read(json.loads(raw))))


def test_numbers_of_a_measurement_stand_with_their_interval_and_refusals_with_their_reason():
    measured = made_measurement()
    made = to_fhir(measured)
    volume = next(
        o for o in resources(made, "Observation") if o["code"]["text"].startswith("Volume, corrected") and "deposit 1" in o["code"]["text"]
    )
    assert volume["valueQuantity"] == {"value": 65.4, "unit": "mm3", "system": "http://unitsofmeasure.org", "code": "mm3"}
    assert volume["component"][0]["valueRange"]["low"]["value"] == 60.1
    assert volume["code"]["coding"] == [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "122660"}]
    refused = [o for o in resources(made, "Observation") if "dataAbsentReason" in o]
    assert isinstance(measured.deposits[0].agatston, Refusal)
    assert measured.deposits[0].agatston.reason in {o["dataAbsentReason"]["text"] for o in refused}


def test_a_change_tells_before_after_and_what_it_could_have_shown():
    change = made_change()
    made = to_fhir(change)
    mass = next(
        o for o in resources(made, "Observation") if "Mass of hydroxyapatite" in o["code"]["text"] and "deposit 1" in o["code"]["text"]
    )
    parts = {c["code"]["text"]: c.get("valueQuantity", c.get("valueRange")) for c in mass["component"]}
    assert (parts["before"]["value"], parts["after"]["value"], mass["valueQuantity"]["value"]) == (40, 20, -20)
    assert parts["smallest change this pair can show"]["value"] == 6
    assert parts["95 % interval"]["low"]["value"] == -26
    verdicts = [o["valueCodeableConcept"]["text"] for o in resources(made, "Observation") if "valueCodeableConcept" in o]
    assert verdicts == [change.total.verdict, *(d.verdict for d in change.deposits)]


def test_a_server_can_say_what_it_is():
    CapabilityStatement.model_validate(capability("http://127.0.0.1/fhir/"))
    OperationDefinition.model_validate(operation_definition("http://127.0.0.1/fhir"))
    assert capability("http://x/fhir/")["rest"][0]["operation"][0]["definition"] == operation_definition("http://x/fhir")["url"]


def test_errors_are_outcomes_with_a_place():
    refused = CaseRefused([Problem("Bundle.entry[3]", "found text"), Problem("record", "is not valid JSON")])
    made = operation_outcome(refused)
    OperationOutcome.model_validate(made)
    assert [i.get("expression") for i in made["issue"]] == [["Bundle.entry[3]"], None]
    assert operation_outcome("gone", code="not-found")["issue"][0]["code"] == "not-found"
    OperationOutcome.model_validate(operation_outcome([]))


def test_text_from_a_record_is_escaped():
    sly = {**lab("2777-1", 7, "mg/dL"), "code": {"text": "<script>alert(1)</script>"}}
    made = to_fhir(resorb.assess(read(bundle(patient(), sly))))
    assert "<script>" not in json.dumps(made)


def test_what_a_server_says_of_itself_keeps_the_rules_of_r4():
    told, asked = capability("http://127.0.0.1/fhir"), operation_definition("http://127.0.0.1/fhir")
    assert told["kind"] == "instance"
    assert told["implementation"]["description"], "cpb-14 and cpb-15: an instance describes itself"
    assert told["rest"], "cpb-1: rest, messaging or document"
    assert [r["mode"] for r in told["rest"]] == ["server"], "cpb-8: one of each mode"
    assert re.fullmatch(r"[A-Z]([A-Za-z0-9_]){0,254}", asked["name"]), "opd-0: a name for machines"
    assert {p["use"] for p in asked["parameter"]} == {"in", "out"}
    assert all(p["max"] == "*" or int(p["max"]) >= p["min"] for p in asked["parameter"])
    assert asked["code"] == told["rest"][0]["operation"][0]["name"]


def test_a_probability_alone_is_in_percent_too():
    """FHIR R4: decimals are percentages as well, at most 100 (ras-2)."""
    case = {"age": 58, "sex": "female", "site": "breast", "modality": "mammogram", "findings": ["fine_linear_branching"]}
    said = resorb.assess(resorb.read_case(case))
    told = [p for r in resources(to_fhir(said), "RiskAssessment") for p in r.get("prediction", ()) if "probabilityDecimal" in p]
    assert told
    assert all(f"{p['probabilityDecimal']:.3g} %" in p["rationale"] and p["probabilityDecimal"] <= 100 for p in told)
    assert max(p["probabilityDecimal"] for p in told) > 1
