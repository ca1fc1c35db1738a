"""The service under load: `patient-view` asked by a process of its own, at a steady rate whether or not answers come.

Latency runs from the moment a request was due, so that a service that stalls cannot hide it. Every patient is another one.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

RATE, SECONDS, CONNECTIONS = 100, 20, 32
PATH = "/cds-services/resorb-patient-view"
DEPOSITS = (
    "calcium pyrophosphate crystals in joint fluid",
    "calcified small arteries in skin fat under the microscope",
    "stone branching through the collecting system",
)
TEXTS = ("end-stage kidney disease", "hypertension", "diabetes", "osteoarthritis", "gout", "epilepsy", "anaemia", "stroke")
LABS = (
    ("2160-0", 0.5, 3.0, "mg/dL"),
    ("17861-6", 8.0, 11.0, "mg/dL"),
    ("2777-1", 2.0, 6.0, "mg/dL"),
    ("1751-7", 3.0, 5.0, "g/dL"),
    ("718-7", 9, 16, "g/dL"),
)


@dataclass(frozen=True)
class Line:
    what: str
    figure: str


def request(n: int) -> bytes:
    """The call for patient n: 50 resources in prefetch; one chart in four tells of a deposit."""
    draw = random.Random(n)
    told = draw.sample(DEPOSITS, 1) if n % 4 == 0 else []
    who = f"p{n}"
    about = {"reference": f"Patient/{who}"}
    conditions = [
        {"resourceType": "Condition", "id": f"c{i}", "subject": about, "clinicalStatus": {"coding": [{"code": "active"}]},
         "recordedDate": "2025-03-01", "code": {"text": text}}
        for i, text in enumerate([*told, *draw.sample(TEXTS, 4 - len(told))])
    ]  # fmt: skip
    labs = [
        {"resourceType": "Observation", "id": f"o{i}", "status": "final", "subject": about,
         "effectiveDateTime": f"2025-{i % 12 + 1:02d}-03", "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
         "valueQuantity": {"value": round(draw.uniform(low, high), 2), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}
        for i in range(45) for code, low, high, unit in (LABS[i % len(LABS)],)
    ]  # fmt: skip
    patient = {
        "resourceType": "Patient",
        "id": who,
        "gender": draw.choice(("female", "male")),
        "birthDate": f"{draw.randint(1935, 2000)}-05-05",
    }
    prefetch = {"patient": patient, "conditions": _found(conditions), "observations": _found(labs), "medications": None, "procedures": None}
    body = {"hook": "patient-view", "hookInstance": str(uuid.UUID(int=draw.getrandbits(128), version=4)), "prefetch": prefetch,
            "context": {"userId": "Practitioner/1", "patientId": who}}  # fmt: skip
    raw = json.dumps(body).encode()
    return f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


def _found(resources: list[object]) -> dict[str, object]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> int:
    """One request on an open connection; the status."""
    writer.write(raw)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    await reader.readexactly(length)
    return int(head.split()[1])


async def load(port: int, rate: float, seconds: float) -> dict[str, object]:
    """Ask at a steady rate (0: as fast as answers come); latencies in ms and how many were good."""
    raws = [request(n) for n in range(int((rate or 150) * seconds))]
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS if rate else 8):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    took: list[float] = []
    good = 0

    async def one(due: float, raw: bytes) -> None:
        nonlocal good
        held = await free.get()
        begun = time.perf_counter() if not rate else due
        answered = await ask(*held, raw)
        good += answered == 200
        took.append(1000 * (time.perf_counter() - begun))
        free.put_nowait(held)

    start = time.perf_counter() + 0.1
    tasks = []
    for n, raw in enumerate(raws):
        due = start + n / rate if rate else start
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due, raw)))
    await asyncio.gather(*tasks)
    return {"took": sorted(took), "good": good, "asked": len(raws), "seconds": time.perf_counter() - start}


def measured(port: int, rate: float, seconds: float) -> dict[str, object]:
    """The load, from another process."""
    told = subprocess.run([sys.executable, "-m", "bench.service", str(port), str(rate), str(seconds)], capture_output=True, check=True)
    return json.loads(told.stdout)


def lines(processes: int = 1) -> list[Line]:
    """The table of one way to run the service."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "resorb", "serve", "--port", str(port), "--data", folder, "--processes", str(processes)]
        service = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            measured(port, 20, 2)
            before = _processor_seconds(service.pid)
            steady = measured(port, RATE, SECONDS)
            spent = _processor_seconds(service.pid) - before
            flat_out = measured(port, 0, 8)
        finally:
            service.terminate()
            service.wait(20)
    took = steady["took"]
    at = {p: took[min(len(took) - 1, int(len(took) * p))] for p in (0.5, 0.99)}
    name = f"patient-view, 50 resources each, {processes} process{'es' if processes > 1 else ''}"
    return [
        Line(f"{name}: asked at {RATE} a second for {SECONDS} s", f"{steady['good']} of {steady['asked']} answered"),
        Line("latency: median, 99th percentile, longest", f"{at[0.5]:.1f}, {at[0.99]:.1f}, {took[-1]:.1f} ms"),
        Line("processor time for each call", f"{1000 * spent / steady['asked']:.1f} ms" if processes == 1 else "not measured"),
        Line("as fast as answers come, 8 callers", f"{flat_out['good'] / flat_out['seconds']:.0f} a second"),
    ]


def _processor_seconds(pid: int) -> float:
    """What a process has used so far; unlike latency it does not depend on what else the machine does."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the service did not start")


def main() -> None:
    """Print the table."""
    print("### The service\n\n| what | figure |\n|---|---|")
    for processes in (1, 2):
        for line in lines(processes):
            print(f"| {line.what} | {line.figure} |")
    print()


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(asyncio.run(load(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))))
    else:
        main()
