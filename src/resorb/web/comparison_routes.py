"""Comparisons: two scans on the shelf, one job, one change."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select
from starlette.concurrency import run_in_threadpool

from . import jobs
from .describe import as_json, bytes_of, json_of, page_of, problem_answers
from .guard import REPORT_POLICY
from .house import House, house_of
from .problems import Refused
from .resources import Compared
from .scan_routes import Level, Window, row_of
from .scan_routes import made as scan_file
from .shelves import new_id
from .store import COMPARISONS, JOBS, now

router = APIRouter(prefix="/api/v1/comparisons", tags=["comparisons"])
AHouse = Annotated[House, Depends(house_of)]
Side = Literal["baseline", "followup"]
ComparisonId = Annotated[str, Path(max_length=40)]


class Pair(BaseModel):
    """Two scans of one person, by their ids here, and what is stated of the pair.

    `months` between them, where no header has the dates; `same_person` where the headers' IDs differ and it is one person all the same.
    """

    model_config = ConfigDict(extra="forbid")

    baseline: str = Field(max_length=40)
    followup: str = Field(max_length=40)
    months: float | None = Field(None, ge=0, lt=1500)
    same_person: bool = False
    bmi: float | None = Field(None, gt=5, lt=200, description="kg/m2, for published rules that need it")


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
            stated = pair.model_dump_json(include={"months", "same_person", "bmi"})
            connection.execute(insert(COMPARISONS).values(**row, job=job, settings=stated))
    except BaseException:
        house.shelves.remove(comparison)
        raise
    at = f"/api/v1/comparisons/{comparison}"
    links = {"self": at, "report": f"{at}/report.html", "slices": f"{at}/slices/{{side}}/{{k}}.png", "job": f"/api/v1/jobs/{job}"}
    return Compared(comparison=comparison, job=job, links=links)


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


@router.get(
    "/{id}/slices/{side}/{k}.png",
    summary="One slice of one side, on the baseline's grid",
    responses=bytes_of("image/png") | problem_answers(404, 409),
)
def slice_picture(  # noqa: PLR0913, PLR0917  (each is a parameter of the address)
    id: ComparisonId, side: Side, k: int, house: AHouse, window: Window = 800.0, level: Level = 250.0, outline: bool = False,  # noqa: A002
) -> Response:  # fmt: skip
    """Slice k of the baseline, or the follow-up laid on it: pixel for pixel the same places."""
    from ..ct.viewing import picture_of

    hu, marks = _slice(house, id, side, k)
    shown = picture_of(hu, marks if outline else None, window, level)
    return Response(shown, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.get(
    "/{id}/slices/{side}/{k}.json", summary="The deposits of that slice", responses=json_of("PairSlice") | problem_answers(404, 409)
)
def slice_deposits(id: ComparisonId, side: Side, k: int, house: AHouse) -> Response:  # noqa: A002
    """Each deposit with its border as an SVG path in the baseline's voxels, and the number of its row in `deposits` of the change."""
    from ..ct.viewing import outlines_of

    _, marks = _slice(house, id, side, k)
    rows = _pair_view(house, id).rows[side]
    deposits = [{**one, "row": rows.get(one["deposit"])} for one in outlines_of(marks)]
    return as_json({"slice": k, "side": side, "deposits": deposits})


def _slice(house: House, comparison: str, side: str, k: int) -> tuple[Any, Any]:
    """HU and ids of deposits of one slice."""
    from ..followup.viewing import followup_slice

    pair = _pair_view(house, comparison)
    if not 0 <= k < len(pair.baseline.hu):
        raise Refused(404, "k", f"slice {k}", f"0 to {len(pair.baseline.hu) - 1}")
    if side == "baseline":
        return pair.baseline.hu[k], pair.baseline.marks(k)
    if pair.lattice is None:
        raise Refused(
            404, "side", "scans that could not be laid on each other", "a pair that is aligned", "look at the slices of the scan itself"
        )
    return followup_slice(pair, k)


def _pair_view(house: House, comparison: str) -> Any:
    """The kept view of a comparison that is done."""
    from ..ct.viewing import open_view
    from ..followup.viewing import open_pair_view

    folder = made(house, comparison, "view.json").parent
    row = _row(house, comparison)
    views = [open_view(scan_file(house, row[name], "view.json").parent) for name in ("baseline", "followup")]
    return open_pair_view(folder, views[0], views[1])


@router.delete("/{id}", status_code=204, summary="Delete a comparison", responses=problem_answers(404))
def forget(id: ComparisonId, house: AHouse) -> Response:  # noqa: A002
    """Its scans stay."""
    jobs.cancel(house.store, _row(house, id)["job"])
    for gone in jobs.forget(house.store, id):
        house.shelves.remove(gone)
    return Response(status_code=204)
