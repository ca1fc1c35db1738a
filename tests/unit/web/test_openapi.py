"""Every operation of the OpenAPI, asked with generated input: never a fault of the service, always the answer it describes."""

import pytest

pytest.importorskip("schemathesis")

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
STEADY = settings(
    max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


def test_every_operation_keeps_its_word(service):
    schema = schemathesis.openapi.from_url(f"{service.url}/api/v1/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 25
    for operation in operations:

        @STEADY
        @given(case=operation.as_strategy())
        def keeps_its_word(case):
            case.call_and_validate(checks=CHECKS, timeout=20)

        keeps_its_word()
    assert service.client.get("/readyz").status_code == 200
