"""CDS Hooks 2.0 by the letter: discovery, calls, cards, feedback, refusals."""

import uuid

import pytest

from resorb.web.cds.cards import REASONS
from resorb.web.store import FEEDBACK

from . import hooks

VIEW, ORDER = "/cds-services/resorb-patient-view", "/cds-services/resorb-order-select"


def is_outcome(answered, status):
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/fhir+json"
    told = answered.json()
    assert told["resourceType"] == "OperationOutcome"
    assert all(i["severity"] == "error" and i["code"] and i["diagnostics"] for i in told["issue"])
    return " ".join(i["diagnostics"] + i.get("details", {}).get("text", "") for i in told["issue"])


def test_discovery(service):
    services = service.client.get("/cds-services").json()["services"]
    assert {s["hook"] for s in services} == {"patient-view", "order-select"}
    for s in services:
        assert s["id"] and s["title"] and s["description"]
        for template in s["prefetch"].values():
            assert template.replace("{{context.patientId}}", "").count("{{") == 0, "only context tokens may stand in a template"


def check_card(card):
    uuid.UUID(card["uuid"])
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"]
    assert card["source"].get("url", "https://").startswith("http")
    assert "resorb" not in card["source"]["label"].lower() or "opinion" in card["source"]["label"]
    assert "not a medical device" in card["detail"].lower()
    for link in card["links"]:
        assert link["label"] and link["url"].startswith("http") and link["type"] == "absolute"
    assert {r["code"] for r in card["overrideReasons"]} == {code for code, _ in REASONS}
    assert all(r["display"] for r in card["overrideReasons"])
    assert "suggestions" not in card or "selectionBehavior" in card


def test_a_chart_with_a_deposit_gets_a_card_with_its_source(service):
    cards = service.client.post(VIEW, json=hooks.call(*hooks.CPPD)).json()["cards"]
    assert "calcium pyrophosphate deposition" in cards[-1]["summary"]
    for card in cards:
        check_card(card)


def test_a_coded_problem_list_is_read_as_it_stands_in_a_record_system(service):
    stone = hooks.condition(1, "x") | {"code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "N20.0"}]}}
    prefetch = {"patient": hooks.PATIENT, "conditions": hooks.found(stone), "observations": None}
    cards = service.client.post(VIEW, json=hooks.call(prefetch=prefetch)).json()["cards"]
    assert cards[-1]["summary"].startswith("Fits with kidney stone")
    check_card(cards[-1])


@pytest.mark.parametrize("texts", [(), ("hypertension",), ("bladder cancer",), ("osteoarthritis", "diabetes")])
def test_a_chart_without_a_deposit_gets_none(service, texts):
    answered = service.client.post(VIEW, json=hooks.call(*texts))
    assert answered.status_code == 200
    assert answered.json() == {"cards": []}


def test_the_same_chart_gets_the_same_cards(service):
    first, second = (service.client.post(VIEW, json=hooks.call(*hooks.CPPD)).content for _ in range(2))
    assert first == second
    other = service.client.post(VIEW, json=hooks.call(*hooks.CPPD, "diabetes")).json()["cards"]
    assert other[-1]["uuid"] != service.client.post(VIEW, json=hooks.call(*hooks.CPPD)).json()["cards"][-1]["uuid"]


def test_an_order_that_does_not_help_is_told(service):
    cards = service.client.post(ORDER, json=hooks.order("methotrexate", *hooks.CPPD)).json()["cards"]
    assert [(c["summary"], c["indicator"]) for c in cards] == [("Methotrexate for calcium pyrophosphate deposition: no benefit", "warning")]
    check_card(cards[0])


def test_an_order_that_changes_what_should_be_done_is_told(service):
    cards = service.client.post(ORDER, json=hooks.order("warfarin", *hooks.CALCIPHYLAXIS)).json()["cards"]
    assert any("in place of warfarin" in c["summary"] and c["summary"].startswith("With this order") for c in cards)
    for card in cards:
        check_card(card)


@pytest.mark.parametrize("medicine", ["cholecalciferol", "calcium carbonate", "calcitriol"])
def test_an_order_of_what_should_be_stopped_is_told(service, medicine):
    (card,) = service.client.post(ORDER, json=hooks.order(medicine, *hooks.CALCIPHYLAXIS)).json()["cards"]
    assert card["summary"] == "Against this order: Stopping calcium and vitamin D for calciphylaxis: first"
    assert card["indicator"] == "warning"
    check_card(card)


def test_an_order_in_the_words_of_a_service_catalogue_is_known_with_its_forms(service):
    order = hooks.order("x", "calcific tendinopathy", "shoulder")
    for words, expected in (
        ("Extracorporeal shock wave therapy of the right shoulder", {"High-energy", "Low-energy"}),
        ("High-energy shock waves, 3 sessions", {"High-energy"}),
        ("Physiotherapy", {"Physiotherapy"}),
        ("Chest X-ray at rest", set()),
    ):
        draft = {"resourceType": "ServiceRequest", "id": "d1", "status": "draft", "intent": "order", "code": {"text": words}}
        order["context"] |= {"selections": ["ServiceRequest/d1"], "draftOrders": hooks.found(draft)}
        cards = service.client.post(ORDER, json=order).json()["cards"]
        assert {c["summary"].split()[0] for c in cards} == expected


@pytest.mark.parametrize(
    ("medicine", "texts", "selected"),
    [
        ("methotrexate", hooks.CPPD, ()),
        ("methotrexate", hooks.CPPD, ("MedicationRequest/another",)),
        ("paracetamol", hooks.CPPD, ("MedicationRequest/d1",)),
        ("warfarin", ("hypertension",), ("MedicationRequest/d1",)),
    ],
)
def test_an_order_without_anything_to_say_gets_no_card(service, medicine, texts, selected):
    assert service.client.post(ORDER, json=hooks.order(medicine, *texts, selected=selected)).json() == {"cards": []}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"hook": "order-sign"}, "hook"),
        ({"hook": ...}, "hook"),
        ({"hookInstance": ...}, "hookInstance"),
        ({"hookInstance": "not-a-uuid"}, "hookInstance"),
        ({"context": ...}, "context"),
        ({"context": {"userId": "Practitioner/1"}}, "context.patientId"),
        ({"context": {"patientId": "p"}}, "context.userId"),
        ({"fhirServer": ...}, "fhirServer"),
        ({"fhirServer": 7}, "fhirServer"),
        ({"fhirAuthorization": {"token_type": "Bearer"}}, "fhirAuthorization"),
        ({"prefetch": [1]}, "prefetch"),
        ({"prefetch": {"patient": "p"}}, "prefetch"),
        ({"prefetch": {"patient": {**hooks.PATIENT, "id": "someone-else"}, "conditions": None, "observations": None}}, "another patient"),
    ],
)
def test_a_malformed_call_is_told_what_is_wrong_with_it(service, change, names):
    assert names in is_outcome(service.client.post(VIEW, json=hooks.call(*hooks.CPPD, **change)), 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_what_is_no_json_object_is_a_malformed_call(service, body):
    is_outcome(service.client.post(VIEW, content=body, headers={"Content-Type": "application/json"}), 400)


def test_order_select_needs_selections_and_drafts(service):
    said = is_outcome(service.client.post(ORDER, json=hooks.call(*hooks.CPPD, hook="order-select")), 400)
    assert "context.selections" in said
    assert "context.draftOrders" in said


def test_an_unknown_service_is_not_found(service):
    assert "resorb-patient-view" in is_outcome(service.client.post("/cds-services/other", json=hooks.call()), 404)


def test_what_is_needed_and_can_be_had_from_nowhere_is_named(service):
    prefetch = {"patient": hooks.PATIENT, "conditions": {"resourceType": "OperationOutcome", "issue": []}}
    no_server = hooks.call(prefetch=prefetch, fhirServer=..., fhirAuthorization=...)
    said = is_outcome(service.client.post(VIEW, json=no_server), 412)
    assert "conditions" in said
    assert "observations" in said
    assert "patient," not in said
    assert "--fhir-server" in is_outcome(service.client.post(VIEW, json=hooks.call(prefetch=prefetch)), 412)


def test_no_other_address_is_ever_asked(service):
    for server in ("http://127.0.0.1:1", "http://169.254.169.254/latest", "https://ehr.example/fhir"):
        assert service.client.post(VIEW, json=hooks.call(prefetch={}, fhirServer=server)).status_code == 412


def test_browsers_of_any_origin_may_ask(service):
    origin = {"Origin": "https://sandbox.cds-hooks.example"}
    asks = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = service.client.options(VIEW, headers=asks)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin["Origin"]
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    answered = service.client.post(VIEW, json=hooks.call(), headers={**origin, "Authorization": "Bearer x.y.z"})
    assert answered.status_code == 200
    assert answered.headers["access-control-allow-origin"] == origin["Origin"]


def test_feedback_is_kept_without_the_free_words(service):
    card = service.client.post(VIEW, json=hooks.call(*hooks.CPPD)).json()["cards"][0]["uuid"]
    reason = {"reason": {"code": "known", "system": "urn:uuid:x"}, "userComment": "Zebedee Quux has had this since 1987"}
    at = "2026-11-22T05:00:00Z"
    sent = [
        {"card": card, "outcome": "overridden", "overrideReason": reason, "outcomeTimestamp": at},
        {"card": card, "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}], "outcomeTimestamp": at},
    ]
    assert service.client.post(f"{VIEW}/feedback", json={"feedback": sent}).status_code == 200
    with service.house.store.begin() as connection:
        rows = [r for r in connection.execute(FEEDBACK.select()).mappings() if r["card"] == card]
    assert [(r["outcome"], r["reason"], r["commented"]) for r in rows] == [("overridden", "known", 1), ("accepted", "", 0)]
    assert "Quux" not in repr(rows)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"card": "x", "outcome": "ignored", "outcomeTimestamp": "2026-11-22T05:00:00Z"},
        {"card": "x", "outcome": "overridden", "outcomeTimestamp": "yesterday"},
        {"card": "x", "outcome": "accepted", "outcomeTimestamp": "2026-11-22T05:00:00Z"},
        {"outcome": "overridden", "outcomeTimestamp": "2026-11-22T05:00:00Z"},
        3,
    ],
)
def test_malformed_feedback_is_refused(service, entry):
    is_outcome(service.client.post(f"{VIEW}/feedback", json={"feedback": [entry]}), 400)


def test_feedback_for_no_service_is_not_found(service):
    is_outcome(service.client.post("/cds-services/other/feedback", json={"feedback": []}), 404)
