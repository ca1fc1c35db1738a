"""Cases and the library over HTTP: the same answers as the verbs, and refusals for people."""

import json

import pytest

import resorb
from resorb import examples
from resorb.consult import ask, table
from resorb.evidence.quantities import parse
from resorb.report import schema, to_html, to_json

CASE = {"age": 48, "site": "shoulder.supraspinatus", "findings": ["fluffy_margin"], "symptoms": ["pain"]}


def told(text):
    return {"where", "found", "expected", "try"} <= set(text) and bool(text["where"]) and bool(text["found"])


def test_an_answer_is_that_of_the_verb_byte_for_byte(service):
    answered = service.client.post("/api/v1/assess", json=CASE)
    assert answered.text == to_json(resorb.assess(resorb.read_case(CASE))) + "\n"
    page = service.client.post("/api/v1/assess.html", json=CASE)
    assert page.text == to_html(resorb.assess(resorb.read_case(CASE)))


def test_a_case_may_be_yaml(service):
    text = "age: 48\nsite: shoulder.supraspinatus\nfindings: [fluffy_margin]\nsymptoms: [pain]\n"
    answered = service.client.post("/api/v1/assess", content=text, headers={"Content-Type": "application/yaml"})
    assert answered.text == service.client.post("/api/v1/assess", json=CASE).text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"site": "nowhere_at_all"}', "application/json", 422),
        (b'{"labs": {"phosphate": "9 apples"}}', "application/json", 422),
        (b"{}", "application/json", 422),
        (b"[1]", "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
        (b"a: 1", "text/plain", 415),
        (b"", "", 415),
        (b'{"about": "' + b"x" * 5_000_000 + b'"}', "application/json", 413),
        (b'{"resourceType": "Bundle", "entry": 3', "application/fhir+json", 422),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_reason(service, body, kind, status):
    answered = service.client.post("/api/v1/assess", content=body, headers={"Content-Type": kind})
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    assert told(answered.json())


def test_every_problem_of_a_case_is_told_at_once(service):
    wrong = {"site": "nowhere_at_all", "labs": {"phosphate": "9 apples"}, "colour": "red"}
    problems = service.client.post("/api/v1/assess", json=wrong).json()["problems"]
    assert {p["where"].split(".")[0] for p in problems} >= {"site", "labs", "colour"} or len(problems) == 3


def test_the_form_holds_every_word_of_the_cards(service, shelf):
    form = service.client.get("/api/v1/form").json()
    fields = {f["field"]: f for f in form["fields"]}
    said = {w["id"] for f in form["fields"] for w in f.get("words", ())}
    groups = {f["group"] for f in form["fields"] if f["takes"] == "words"}
    assert said == {w.id for w in shelf.decks.words if w.group in groups}
    assert all(w["label"] for f in form["fields"] for w in f.get("words", ()))
    counted = [w for f in form["fields"] for w in f.get("words", ()) if w["counts"]]
    assert counted
    assert fields["labs"]["quantities"]
    assert {o["id"] for o in fields["done"]["options"]} == set(shelf.options)


def test_every_unit_of_the_form_is_read(service, shelf):
    form = service.client.get("/api/v1/form").json()
    quantities = [q for f in form["fields"] for q in (*f.get("quantities", ()), *([f["quantity"]] if "quantity" in f else ()))]
    for q in quantities:
        for unit in q["units"]:
            middle = (q["lowest"] + q["highest"]) / 2 / shelf.quantities[q["id"]].units.get(unit, 1.0)
            parse(f"{middle:f} {unit}", shelf.quantities[q["id"]])


def test_every_site_stands_in_the_tree(service, shelf):
    found = set()

    def walk(branches):
        for branch in branches:
            found.add(branch["id"])
            walk(branch["narrower"])

    walk(service.client.get("/api/v1/form").json()["sites"])
    assert found == {w.id for w in shelf.decks.words if w.group == "site"}


def test_an_unchanged_form_is_not_sent_twice(service):
    first = service.client.get("/api/v1/form")
    again = service.client.get("/api/v1/form", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


def test_the_published_cases_can_be_sent_as_they_are(service):
    listed = service.client.get("/api/v1/examples").json()
    assert [e["name"] for e in listed] == examples.names()
    for example in listed[:3]:
        answered = service.client.post("/api/v1/assess", json=example["case"])
        assert answered.text == to_json(resorb.assess(resorb.read_case(examples.path(example["name"])))) + "\n"


def test_the_library_is_that_of_the_cards(service, shelf):
    kinds = service.client.get("/api/v1/evidence/kinds").json()
    assert {k["id"] for k in kinds} == set(shelf.kinds)
    card = service.client.get("/api/v1/evidence/calcific_tendinopathy").json()
    assert card["deck"] == "kinds"
    assert card["card"]["name"] == shelf.kinds["calcific_tendinopathy"].name
    assert {s["id"] for s in card["sources"]} <= set(shelf.sources)
    assert card["sources"]
    assert service.client.get("/api/v1/evidence/table").text == to_json({"rows": table(shelf)}) + "\n"


def test_questions_are_answered_or_said_not_to_be_covered(service, shelf):
    question = "does vitamin K2 dissolve plaque?"
    assert service.client.get("/api/v1/evidence/ask", params={"q": question}).text == to_json(ask(question, shelf)) + "\n"
    assert service.client.get("/api/v1/evidence/ask", params={"q": "who won the cup"}).json()["covered"] is False
    assert service.client.get("/api/v1/evidence/ask").status_code == 422


def test_an_unknown_card_names_its_neighbours(service):
    answered = service.client.get("/api/v1/evidence/calcific_tendinopaty")
    assert answered.status_code == 404
    assert "calcific_tendinopathy" in answered.json()["try"]


def test_the_openapi_describes_the_answers_with_the_published_schema(service):
    told = service.client.get("/api/v1/openapi.json").json()
    parts = told["components"]["schemas"]
    assert set(schema()["$defs"]) <= set(parts)
    text = json.dumps(told)
    used = {piece.split('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
    assert used <= set(parts), "a reference leads nowhere"
    for path, methods in told["paths"].items():
        for method, about in methods.items():
            assert about.get("summary"), f"{method} {path} says nothing of itself"
            good = next(r for code, r in about["responses"].items() if code[0] in "23")
            assert "content" in good or path.endswith(("session", "{id}", "/again")), f"{method} {path} does not say what it answers"
