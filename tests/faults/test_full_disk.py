"""A disk that is full (files can grow no further): a clear answer, nothing half-written, and the service goes on."""

import pytest

from .running import left_behind, running

ZIP = {"Content-Type": "application/zip"}
MIB = 2**20


@pytest.fixture(scope="module")
def tight(tmp_path_factory):
    """A service that can write no file beyond 4 MiB."""
    with running(tmp_path_factory.mktemp("tight") / "data", file_bytes=4 * MIB) as service:
        yield service


def test_an_upload_that_finds_no_room_is_refused_whole(tight, small):
    answered = tight.client.post("/api/v1/scans", content=b"x" * 5 * MIB, headers=ZIP)
    assert answered.status_code == 507
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.headers["retry-after"]
    assert "room" in answered.json()["found"]
    assert not left_behind(tight.data)
    assert not list((tight.data / "scans").iterdir())
    accepted = tight.client.post("/api/v1/scans", content=small, headers=ZIP).json()
    assert tight.ended(accepted["job"])["state"] == "done"


def test_a_result_that_finds_no_room_fails_and_can_be_made_later(tight, large):
    assert len(large) < 4 * MIB
    accepted = tight.client.post("/api/v1/scans", content=large, headers=ZIP).json()
    told = tight.ended(accepted["job"])
    assert (told["state"], told["says"]) == ("failed", "the disk is full")
    assert not left_behind(tight.data)
    assert not (tight.data / "scans" / accepted["scan"] / "result").exists()
    tight.stop()
    with running(tight.data) as roomy:
        again = roomy.client.post(f"/api/v1/jobs/{accepted['job']}/again").json()
        assert roomy.ended(again["id"])["state"] == "done"
