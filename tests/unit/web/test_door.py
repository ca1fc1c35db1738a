"""The porter: hosts, origins, tokens, headers."""

import httpx
import pytest

from resorb.web.access import session_of
from resorb.web.settings import Access

from .serving import serving

SECRET = "a-long-secret-of-the-test"
CASE = {"site": "shoulder.supraspinatus", "findings": ["fluffy_margin"]}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("guarded"), access=Access(token=SECRET)) as running:
        yield running


def test_another_name_for_this_machine_is_refused(service):
    answered = service.client.get("/api/v1/evidence/kinds", headers={"Host": "evil.example"})
    assert answered.status_code == 421
    assert answered.headers["content-type"] == "application/problem+json"
    assert "evil.example" in answered.json()["found"]
    for name in ("localhost", "127.0.0.1:8765", "[::1]:99"):
        assert service.client.get("/healthz", headers={"Host": name}).status_code == 200


def test_a_page_of_another_origin_can_change_nothing(service):
    foreign = {"Origin": "https://evil.example"}
    assert service.client.post("/api/v1/assess", json=CASE, headers=foreign).status_code == 403
    assert service.client.request("DELETE", "/api/v1/scans/s0", headers=foreign).status_code == 403
    read = service.client.get("/api/v1/evidence/kinds", headers=foreign)
    assert "access-control-allow-origin" not in read.headers
    preflight = {**foreign, "Access-Control-Request-Method": "POST"}
    assert service.client.options("/api/v1/assess", headers=preflight).status_code == 403


def test_its_own_page_may(service):
    assert service.client.post("/api/v1/assess", json=CASE, headers={"Origin": service.url}).status_code == 200


def test_every_answer_carries_the_headers_that_protect_it(service):
    for path in ("/api/v1/evidence/kinds", "/healthz", "/nothing", "/"):
        headers = service.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_a_report_can_run_no_script(service):
    policy = service.client.post("/api/v1/assess.html", json=CASE).headers["content-security-policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/form"),
        ("POST", "/api/v1/assess"),
        ("POST", "/api/v1/scans"),
        ("GET", "/api/v1/jobs/j0"),
        ("GET", "/cds-services"),
        ("GET", "/fhir/metadata"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/nothing"),
    ],
)
def test_strangers_are_sent_away_from_everything(guarded, method, path):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {SECRET}"}, {"Cookie": "resorb_session=x"}):
        answered = guarded.client.request(method, path, headers=headers)
        assert answered.status_code == 401
        assert answered.headers["www-authenticate"].startswith("Bearer")
        assert SECRET not in answered.text


def test_health_needs_no_token(guarded):
    assert guarded.client.get("/healthz").json()["status"] == "alive"
    assert guarded.client.get("/readyz").json() == {"status": "ready", "checks": {"database": True, "disk": True, "jobs": True}}


def test_the_token_opens_the_door(guarded):
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert guarded.client.get("/api/v1/evidence/kinds", headers=bearer).status_code == 200
    assert guarded.client.post("/api/v1/assess", json=CASE, headers=bearer).status_code == 200


def test_a_browser_signs_in_and_gets_a_cookie_that_does_not_tell_the_token(guarded):
    with httpx.Client(base_url=guarded.url, trust_env=False) as browser:
        assert browser.post("/api/v1/session", data={"token": "wrong"}).status_code == 401
        answered = browser.post("/api/v1/session", data={"token": SECRET}, headers={"Origin": guarded.url})
        assert answered.status_code == 303
        cookie = answered.headers["set-cookie"]
        assert SECRET not in cookie
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert session_of(SECRET) in cookie
        assert browser.get("/api/v1/evidence/kinds").status_code == 200
        assert browser.post("/api/v1/assess", json=CASE, headers={"Origin": "https://evil.example"}).status_code == 403


def test_what_is_not_there_is_a_problem_with_its_reason(service):
    answered = service.client.get("/api/v1/nothing")
    assert answered.status_code == 404
    told = answered.json()
    assert {"type", "title", "status", "detail", "where", "found", "expected", "try", "problems"} <= set(told)
    assert service.client.put("/api/v1/assess").status_code == 405
