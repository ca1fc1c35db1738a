"""The database goes away and comes back: what needs it says so, what does not goes on, nothing is lost."""

from ..unit.web import hooks
from .running import Running, left_behind, running

ZIP = {"Content-Type": "application/zip"}
CASE = {"site": "shoulder.supraspinatus", "findings": ["fluffy_margin"]}
VIEW = "/cds-services/resorb-patient-view"


def test_away_and_back_and_away_at_the_start(tmp_path, database, small, large):
    with running(tmp_path / "data", "--database", database.url) as service:
        first = service.client.post("/api/v1/scans", content=small, headers=ZIP).json()
        assert service.ended(first["job"])["state"] == "done"
        at_work = service.client.post("/api/v1/scans", content=large, headers=ZIP).json()
        service.until(lambda: service.job(at_work["job"])["state"] == "running", 60, "at work")
        on_shelves = {p.name for p in (service.data / "scans").iterdir()}

        database.stop()
        assert service.status("/healthz") == 200
        assert service.status("/readyz") == 503
        for answered in (
            service.client.get(f"/api/v1/scans/{first['scan']}"),
            service.client.post("/api/v1/scans", content=small, headers=ZIP),
        ):
            assert answered.status_code == 503
            assert answered.headers["retry-after"]
            assert answered.json()["where"] == "database"
        assert service.client.post("/api/v1/assess", json=CASE).status_code == 200
        assert service.client.post(VIEW, json=hooks.call(*hooks.CPPD)).json()["cards"]
        assert {p.name for p in (service.data / "scans").iterdir()} == on_shelves
        assert not [p for p in left_behind(service.data) if "incoming" in p]

        database.start()
        service.until(lambda: service.status("/readyz") == 200, 30, "ready again")
        assert service.ended(at_work["job"])["state"] == "done"
        assert service.client.get(f"/api/v1/scans/{first['scan']}/measurement").status_code == 200
        assert not left_behind(service.data)

    database.stop()
    away = Running(tmp_path / "data", "--database", database.url)
    assert away.process.wait(60) == 1
    (said,) = away.log.read_text().splitlines()
    assert said.startswith("resorb: --database: cannot be reached (")
    assert said.endswith("Connection refused); expected a database that answers")
    away.stop()
