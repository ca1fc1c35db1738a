"""Kill -9 during a job, during an upload, and of the process that does the work: nothing lost, nothing half-made."""

import os
import signal

from .running import Running, half_an_upload, left_behind, lives, running

ZIP = {"Content-Type": "application/zip"}


def test_killed_during_a_job_and_an_upload(tmp_path, small, large):
    data = tmp_path / "data"
    service = Running(data).until_ready()
    whole = service.client.post("/api/v1/scans", content=large, headers=ZIP).json()
    service.until(lambda: service.job(whole["job"])["progress"] >= 0.02, 60, "at work")
    waiting = service.client.post("/api/v1/scans", content=small, headers=ZIP).json()
    half = half_an_upload(service.port, large)
    service.until(lambda: any(p.stat().st_size for p in data.glob("incoming/*/s*/upload/*")), 20, "half uploaded")
    workers = service.children()
    assert workers
    assert service.job(whole["job"])["state"] == "running"
    service.kill()
    half.close()
    with running(data) as again:
        for accepted in (whole, waiting):
            told = again.ended(accepted["job"])
            assert told["state"] == "done", told
            assert again.client.get(f"/api/v1/scans/{accepted['scan']}/measurement").status_code == 200
        assert again.job(whole["job"])["attempts"] == 2
        assert not any(map(lives, workers)), "a worker outlived its service"
        assert not left_behind(data)
        assert {p.name for p in (data / "scans").iterdir()} == {whole["scan"], waiting["scan"]}


def test_work_whose_process_dies_is_tried_again_and_given_up_at_last(tmp_path, large):
    with running(tmp_path / "data") as service:
        accepted = service.client.post("/api/v1/scans", content=large, headers=ZIP).json()
        killed = 0
        while killed < 4 and service.job(accepted["job"])["state"] in ("queued", "running"):
            for worker in service.children():
                os.kill(worker, signal.SIGKILL)
                killed += 1
                service.until(lambda w=worker: not lives(w), 10, "dead")
        told = service.ended(accepted["job"])
        assert told["state"] == "failed"
        assert "three times" in told["problems"][0]["found"]
        again = service.client.post(f"/api/v1/jobs/{accepted['job']}/again").json()
        assert service.ended(again["id"])["state"] == "done"


def test_a_stopped_service_gives_its_work_back(tmp_path, large):
    data = tmp_path / "data"
    with running(data) as service:
        accepted = service.client.post("/api/v1/scans", content=large, headers=ZIP).json()
        service.until(lambda: service.job(accepted["job"])["state"] == "running", 60, "at work")
    with running(data) as again:
        assert again.ended(accepted["job"])["state"] == "done"
        assert again.job(accepted["job"])["attempts"] == 1, "a stop is no failure"
        assert not left_behind(data)
