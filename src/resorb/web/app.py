"""The service: routes, the porter, how it starts and ends."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from .. import __version__
from ..terms.errors import ResorbError
from . import case_routes, comparison_routes, evidence_routes, fhir_routes, health, job_routes, pages, problems, scan_routes
from .audit import log_as_json, say
from .cds import routes as cds_routes
from .describe import describe
from .guard import Guard
from .house import House
from .page_routes import add_page
from .settings import Settings, checked
from .shelves import MIGRATING, Shelves
from .store import Store, migrate

FROM = "RESORB_SERVE"
ROUTERS = (  # in the order in which they are tried: hooks, of which there are most, first
    cds_routes.router,
    health.router,
    case_routes.router,
    evidence_routes.router,
    scan_routes.router,
    comparison_routes.router,
    job_routes.router,
    fhir_routes.router,
    pages.router,
)


def create(settings: Settings) -> FastAPI:
    """The service as an ASGI app. Raises UserError for settings that would open it to strangers."""
    house = House.built(checked(settings))

    @contextlib.asynccontextmanager
    async def open_house(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(house.open)
        say("open", version=__version__)
        try:
            yield
        finally:
            await run_in_threadpool(house.close)
            say("closed")

    app = FastAPI(
        title="resorb", version=__version__, lifespan=open_house, openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.house = house
    for router in ROUTERS[:1]:
        app.include_router(router)
    add_page(app)
    for router in ROUTERS[1:]:
        app.include_router(router)
    app.add_middleware(Guard, house=house)
    app.add_exception_handler(ResorbError, in_its_form(problems.on_error, fhir_routes.on_error))
    app.add_exception_handler(HTTPException, in_its_form(problems.on_http, fhir_routes.on_http))
    app.add_exception_handler(RequestValidationError, in_its_form(problems.on_invalid, fhir_routes.on_invalid))
    describe(app)
    return app


def prepare(settings: Settings) -> None:
    """Make the folder and the tables before anything listens. Raises ResorbError where that cannot be done."""
    shelves, store = Shelves(settings.folder, settings.limits), Store(settings.database_url)
    try:
        store.reach()
        migrate(store, shelves.root / MIGRATING)
    finally:
        store.close()
        shelves.close()


def in_its_form(plain: Any, as_fhir: Any) -> Any:
    """An error handler that answers FHIR callers with an OperationOutcome and the others with a problem."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        answered: JSONResponse = await (as_fhir if fhir_routes.speaks_fhir(request) else plain)(request, error)
        return answered

    return handle


def from_environment() -> FastAPI:
    """The app of one of several processes, told its settings by the process that started it."""
    log_as_json()
    threading.Thread(target=_end_with, args=(os.getppid(),), name="parent", daemon=True).start()
    return create(msgspec.json.decode(os.environ[FROM], type=Settings))


def _end_with(parent: int) -> None:
    """End when the process that started us has been killed: nobody would stop us, and the port would stay taken."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
