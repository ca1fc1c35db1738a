"""Two hundred uploads at once: each is taken whole, by whichever process, and the service goes on answering."""

import asyncio
import hashlib

import httpx

from .running import left_behind, lives, running

MANY = 200


async def send_all(url, files):
    limits = httpx.Limits(max_connections=MANY, max_keepalive_connections=MANY)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits, trust_env=False) as client:
        told = {"Content-Type": "application/zip"}
        return await asyncio.gather(*(client.post("/api/v1/scans", content=raw, headers=told) for raw in files))


def test_two_hundred_at_once(tmp_path, small):
    files = [small + bytes([n]) * (n + 1) for n in range(MANY)]  # a zip may have a tail; each is another
    with running(tmp_path / "data", "--processes", "2") as service:
        answers = asyncio.run(send_all(f"http://127.0.0.1:{service.port}", files))
        assert {a.status_code for a in answers} == {202}
        scans = [a.json()["scan"] for a in answers]
        assert len(set(scans)) == MANY
        for scan, raw in zip(scans, files, strict=True):
            (stored,) = (service.data / "scans" / scan / "upload").iterdir()
            assert hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(raw).digest()
        assert not [p for p in left_behind(service.data) if "incoming" in p]
        assert service.ended(answers[0].json()["job"])["state"] == "done"
        states = {service.job(a.json()["job"])["state"] for a in answers[::10]}
        assert states <= {"queued", "running", "done"}
        assert service.status("/readyz") == 200
        workers = service.children()
        service.kill()
        service.until(lambda: not any(map(lives, workers)), 30, "ended with the process that started them")
