"""Reading from the client's FHIR server where prefetch lacks something: only from those that were named, and in time."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from resorb.web.settings import Hooks

from . import hooks
from .serving import serving

VIEW = "/cds-services/resorb-patient-view"


class Records(BaseHTTPRequestHandler):
    """A FHIR server as small as can be; two pages of conditions."""

    asked: ClassVar[list] = []
    slow = False

    def do_GET(self):
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        type(self).asked.append((self.path, self.headers.get("Authorization")))
        if type(self).slow:
            time.sleep(3)
        kind = path.split("/")[2]
        told, status = hooks.found(), 200
        if kind == "Patient":
            told = hooks.PATIENT
        elif kind == "Condition":
            told = hooks.conditions("hypertension") if "page" not in query else hooks.found(hooks.condition(9, hooks.CPPD[0]))
            if "page" not in query:
                told["link"] = [{"relation": "next", "url": f"http://127.0.0.1:{self.server.server_port}/fhir/Condition?patient=p&page=2"}]
        elif kind == "ImagingStudy":
            told, status = {"resourceType": "OperationOutcome", "issue": []}, 500
        body = json.dumps(told).encode()
        self.send_response(status)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def records():
    Records.asked, Records.slow = [], False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Records)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def reader(records, tmp_path):
    with serving(tmp_path, hooks=Hooks(fhir_servers=(records,), fhir_seconds=1.0)) as running:
        yield running


def test_what_prefetch_lacks_is_read_with_the_token_of_the_call(reader, records):
    cards = reader.client.post(VIEW, json=hooks.call(prefetch={"observations": None}, fhirServer=records + "/")).json()["cards"]
    assert "calcium pyrophosphate deposition" in cards[-1]["summary"], "the second page was not read"
    assert {token for _, token in Records.asked} == {"Bearer opaque"}
    assert not [path for path, _ in Records.asked if path.startswith("/fhir/Observation")], "what was sent is not read again"


def test_nothing_is_read_where_prefetch_is_whole(reader, records):
    assert reader.client.post(VIEW, json=hooks.call(*hooks.CPPD, fhirServer=records)).json()["cards"]
    assert not Records.asked


def test_a_server_that_does_not_answer_in_time_is_412_and_the_service_goes_on(reader, records):
    Records.slow = True
    began = time.monotonic()
    answered = reader.client.post(VIEW, json=hooks.call(prefetch={}, fhirServer=records))
    assert answered.status_code == 412
    assert time.monotonic() - began < 2.5
    assert "within 1 seconds" in answered.text
    assert reader.client.post(VIEW, json=hooks.call(*hooks.CPPD)).json()["cards"]


def test_a_patient_id_that_is_no_id_reaches_no_server(reader, records):
    context = {"userId": "Practitioner/1", "patientId": "p&_include=*/../admin"}
    assert reader.client.post(VIEW, json=hooks.call(prefetch={}, context=context, fhirServer=records)).status_code == 400
    assert not Records.asked
