"""One service for the tests that only ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the service needs the extra `server`")
pytest.importorskip("httpx")

from .serving import Service, serving


@pytest.fixture(scope="session")
def service(tmp_path_factory: Any) -> Iterator[Service]:
    """A service on this machine, without a token."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running
