"""Jobs: look, cancel, start again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from . import jobs
from .describe import problem_answers
from .house import House, house_of
from .problems import Refused
from .resources import Job, job_shown

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
AHouse = Annotated[House, Depends(house_of)]
JobId = Annotated[str, Path(max_length=40)]


@router.get("/{id}", summary="How a job stands", responses=problem_answers(404))
def look(id: JobId, house: AHouse) -> Job:  # noqa: A002
    """State, progress, what is being done, and where the result is or why there is none."""
    return job_shown(house, jobs.find(house.store, id))


@router.delete("/{id}", summary="Cancel a job", responses=problem_answers(404))
def cancel(id: JobId, house: AHouse) -> Job:  # noqa: A002
    """Stops it within a second or so. A job that has ended stays as it is."""
    jobs.find(house.store, id)
    return job_shown(house, jobs.cancel(house.store, id))


@router.post("/{id}/again", status_code=202, summary="Start a failed or cancelled job again", responses=problem_answers(404, 409))
def again(id: JobId, house: AHouse) -> Job:  # noqa: A002
    """For work that failed for want of room or memory: the upload need not be sent again."""
    state = jobs.find(house.store, id)["state"]
    if state not in ("failed", "cancelled"):
        raise Refused(409, "id", f"a job that is {state}", "one that failed or was cancelled")
    row = jobs.again(house.store, id)
    house.hands.wake()
    return job_shown(house, row)
