"""What the API hands out of its own: scans, comparisons, jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from . import jobs
from .house import House
from .problems import OneProblem

State = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(BaseModel):
    """Long work. `progress` is 0 to 1, `says` what is being done; `result` leads to what was made, `problems` say why it failed."""

    id: str
    kind: Literal["measure", "compare"]
    subject: str = Field(description="the scan or comparison that is worked on")
    state: State
    progress: float
    says: str
    created: str
    started: str | None
    ended: str | None
    attempts: int
    result: str | None = Field(description="where the result is, once it is done")
    problems: list[OneProblem] = []


class Accepted(BaseModel):
    """An upload was taken; the job measures it."""

    scan: str
    job: str
    links: dict[str, str]


class Compared(BaseModel):
    """A comparison was ordered."""

    comparison: str
    job: str
    links: dict[str, str]


class Scan(BaseModel):
    """A scan on the shelf. `shape` is [slice, row, column], known once it is measured; deleted at `until`."""

    id: str
    job: str
    state: State
    progress: float
    says: str
    created: str
    until: str
    form: str
    files: int
    bytes: int
    shape: list[int] | None
    spacing_mm: list[float | None] | None
    problems: list[OneProblem] = []
    links: dict[str, str]


def moment(seconds: float | None) -> str | None:
    """A time as ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def job_shown(house: House, row: jobs.Row) -> Job:
    """A job as the API shows it."""
    kind, subject = row["kind"], row["subject"]
    result = f"/api/v1/scans/{subject}/measurement" if kind == "measure" else f"/api/v1/comparisons/{subject}"
    return Job(
        id=row["id"], kind=kind, subject=subject, state=row["state"], progress=row["progress"], says=row["says"],
        created=str(moment(row["created"])), started=moment(row["started"]), ended=moment(row["ended"]), attempts=row["attempts"],
        result=result if row["state"] == "done" else None,
        problems=problems_of(house, subject) if row["state"] == "failed" else [],
    )  # fmt: skip


def problems_of(house: House, subject: str) -> list[OneProblem]:
    """Why the work on a thing failed."""
    try:
        told: list[dict[str, Any]] = json.loads((house.shelves.of(subject) / "problem.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [OneProblem.model_validate(one) for one in told]


def scan_links(scan: str) -> dict[str, str]:
    """What there is of a scan."""
    at = f"/api/v1/scans/{scan}"
    names = ("measurement", "report.html", "labels.nii.gz", "preview.nii.gz", "labels_preview.nii.gz")
    return {"self": at} | {name.partition(".")[0]: f"{at}/{name}" for name in names} | {"slices": f"{at}/slices/{{k}}.png"}
