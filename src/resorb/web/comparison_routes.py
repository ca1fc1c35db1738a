"""Comparisons: two scans on the shelf, one job, one change."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel
from sqlalchemy import insert, select
from starlette.concurrency import run_in_threadpool

from . import jobs
from .describe import json_of, page_of, problem_answers
from .guard import REPORT_POLICY
from .house import House, house_of
from .problems import Refused
from .resources import Compared
from .scan_routes import row_of
from .shelves import new_id
from .store import COMPARISONS, JOBS, now

router = APIRouter(prefix="/api/v1/comparisons", tags=["comparisons"])
AHouse = Annotated[House, Depends(house_of)]
ComparisonId = Annotated[str, Path(max_length=40)]


class Pair(BaseModel):
    """Two scans of one person, by their ids here."""

    baseline: str
    followup: str


@router.post("", status_code=202, summary="Compare two scans", response_model=Compared, responses=problem_answers(404, 422, 503, 507))
async def compare(pair: Pair, request: Request, house: AHouse) -> JSONResponse:
    """A job aligns the follow-up with the baseline and judges every deposit."""
    made = await run_in_threadpool(_keep, house, pair, str(request.state.who)[:80])
    house.hands.wake()
    request.state.subject = made.comparison
    return JSONResponse(made.model_dump(), 202, {"Location": f"/api/v1/jobs/{made.job}"})


def _keep(house: House, pair: Pair, who: str) -> Compared:
    for scan in (pair.baseline, pair.followup):
        row_of(house, scan)
    house.shelves.check_room()
    comparison = new_id("c")
    house.shelves.of(comparison).mkdir(mode=0o700)
    try:
        with house.store.begin() as connection:
            job = jobs.add(connection, "compare", comparison, house.settings.limits)
            row = {"id": comparison, "created": now(), "baseline": pair.baseline, "followup": pair.followup, "owner": who}
            connection.execute(insert(COMPARISONS).values(**row, job=job))
    except BaseException:
        house.shelves.remove(comparison)
        raise
    at = f"/api/v1/comparisons/{comparison}"
    return Compared(comparison=comparison, job=job, links={"self": at, "report": f"{at}/report.html", "job": f"/api/v1/jobs/{job}"})


def _row(house: House, comparison: str) -> dict[str, Any]:
    columns = (*COMPARISONS.c, JOBS.c.state)
    joined = select(*columns).join(JOBS, JOBS.c.id == COMPARISONS.c.job).where(COMPARISONS.c.id == comparison)
    with house.store.begin() as connection:
        row = connection.execute(joined).mappings().first()
    if row is None:
        raise Refused(404, "id", "no such comparison", "an id that this service gave, not deleted since")
    return dict(row)


def made(house: House, comparison: str, name: str) -> Any:
    """A file of a comparison. Raises Refused: 404 no such comparison, 409 not done."""
    row = _row(house, comparison)
    if row["state"] != "done":
        raise Refused(
            409, "id", f"a comparison whose job is {row['state']}", "one that is done", f"GET /api/v1/jobs/{row['job']}", Retry_After="2"
        )
    return house.shelves.result(comparison, name)


@router.get("/{id}", summary="The change", responses=json_of("Change") | problem_answers(404, 409))
def change(id: ComparisonId, house: AHouse) -> FileResponse:  # noqa: A002
    """The same as `resorb compare BASELINE FOLLOWUP --json`."""
    return FileResponse(made(house, id, "change.json"), media_type="application/json")


@router.get("/{id}/report.html", summary="The change as a page", responses=page_of() | problem_answers(404, 409))
def report(id: ComparisonId, house: AHouse) -> FileResponse:  # noqa: A002
    """The page that `resorb compare --html` writes."""
    return FileResponse(made(house, id, "report.html"), media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})


@router.delete("/{id}", status_code=204, summary="Delete a comparison", responses=problem_answers(404))
def forget(id: ComparisonId, house: AHouse) -> Response:  # noqa: A002
    """Its scans stay."""
    jobs.cancel(house.store, _row(house, id)["job"])
    for gone in jobs.forget(house.store, id):
        house.shelves.remove(gone)
    return Response(status_code=204)
