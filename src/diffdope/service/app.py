"""The service's paths: what HTTP has becomes bytes and texts, and errors become status codes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer
from starlette.requests import ClientDisconnect

from diffdope.errors import DiffDopeError
from diffdope.scene.observation import Observation
from diffdope.service.asked import Asked, asked_of
from diffdope.service.asked_scene import is_picture_of_scene, scene_of
from diffdope.service.bodies import ASKED_BODY, MESH_BODY, SCENE_BODY, asked_parts, mesh_parts
from diffdope.service.guard import RETRY, UNTIL, Guard
from diffdope.service.limits import Limits
from diffdope.service.metrics import MetricsMiddleware, RequestMetrics
from diffdope.service.pool import WorkerEndedError
from diffdope.service.service import Service
from diffdope.service.store import UnderwayError, UnknownError
from diffdope.service.uploads import observation_of
from diffdope.service.uploads_scene import seen_of
from diffdope.service.wording import in_keys
from diffdope.service.work import Busy

Seen = TypeVar("Seen")
TrackName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="a name of your own")]
_AHEAD = 1  # observations that wait decoded, which are many times as large as their files
ABOUT = (
    "Poses of known objects in pictures. Answers of /locate, /refine and /track are as result.json has them, those of "
    "/scene as scene.json."
)


def create_app(
    limits: Limits | None = None,
    *,
    token: str | None = None,
    processes: bool = False,
    log: Callable[[str], None] | None = None,
) -> Any:
    """The application, for uvicorn or another server of ASGI.

    Args:
        limits: of sizes, numbers and time.
        token: that requests must bear; None for none.
        processes: whether each worker is a process of its own, which `app.state.service.workers.start` starts.
        log: takes a line a request; None for no log.
    """
    from diffdope import __version__

    limits = Limits() if limits is None else limits
    service = Service(limits, processes=processes)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        service.close()

    shown = [Depends(HTTPBearer(auto_error=False))] if token else []  # the guard checks it; here it is documented
    app = FastAPI(title="diffdope", version=__version__, description=ABOUT, lifespan=lifespan, dependencies=shown)
    app.state.service = service
    app.state.ending = asyncio.Event()  # to be set by whoever ends the server
    app.state.decoded = asyncio.Semaphore(limits.workers + _AHEAD)
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/metrics", metrics, methods=["GET"], response_class=PlainTextResponse)
    app.add_api_route("/meshes", post_mesh, methods=["POST"], status_code=201, openapi_extra=MESH_BODY)
    app.add_api_route("/meshes/{name}", delete_mesh, methods=["DELETE"], status_code=204)
    app.add_api_route("/locate", post_locate, methods=["POST"], openapi_extra=ASKED_BODY)
    app.add_api_route("/refine", post_refine, methods=["POST"], openapi_extra=ASKED_BODY)
    app.add_api_route("/scene", post_scene, methods=["POST"], openapi_extra=SCENE_BODY)
    app.add_api_route("/track/{name}", post_track, methods=["POST"], openapi_extra=ASKED_BODY)
    app.add_api_route("/track/{name}", delete_track, methods=["DELETE"], status_code=204)
    for kind, answer in _ERRORS.items():
        app.add_exception_handler(kind, answer)
    app.add_middleware(Guard, limits=limits, token=token, ending=app.state.ending)
    app.state.metrics = RequestMetrics(route.path for route in app.routes)
    app.add_middleware(MetricsMiddleware, metrics=app.state.metrics, log=log)  # the last one added is the outermost
    return app


async def health(request: Request) -> JSONResponse:
    """Whether the service is up, and how much it has to do."""
    from diffdope import __version__

    kept = _now(_service(request))
    return JSONResponse({"status": "ok", "version": __version__, "workers": kept.pop("workers"), **kept})


async def metrics(request: Request) -> Response:
    """Requests, seconds and what is kept, in the text format of Prometheus."""
    text, media_type = request.app.state.metrics.exposition(_now(_service(request)), request.headers.get("accept", ""))
    return Response(text, media_type=media_type)


def _now(service: Service) -> dict[str, int]:
    kept = {"meshes": len(service.meshes), "tracks": len(service.tracks), "working": len(service.work)}
    return {"workers": service.limits.workers, **kept, "restarts": service.workers.restarts}


async def post_mesh(request: Request) -> JSONResponse:
    """Registers a mesh; `id` of the answer names it. The same file with the same settings has the same id."""
    parts = await mesh_parts(request)
    register = partial(_service(request).register, parts.name, parts.data, parts.beside, **parts.how)
    return JSONResponse(await _worked(request, register), 201)


async def delete_mesh(request: Request, name: str) -> Response:
    """Forgets a mesh; its tracks go on."""
    _service(request).meshes.drop(name)
    return Response(status_code=204)


async def post_locate(request: Request) -> Response:
    """Finds the object with no start: in its mask, in a box, or anywhere (with depth)."""
    return await _answered(request, _service(request).locate)


async def post_refine(request: Request) -> Response:
    """Refines the pose `start`, or the best of several."""
    return await _answered(request, _service(request).refine)


async def post_scene(request: Request) -> Response:
    """Finds several objects in one picture, or in those of several cameras; the answer is as scene.json has it."""
    service = _service(request)
    given, images = await asked_parts(request, is_picture_of_scene)
    asked = scene_of(given, most_searches=service.limits.searches)
    read = partial(seen_of, asked, images, most_pixels=service.limits.max_pixels)
    return await _decoded_and_worked(request, read, lambda seen: service.scene(asked, seen))


async def post_track(request: Request, name: TrackName) -> Response:
    """Follows the object into the next frame. The first one needs `mesh`, and a `start` or a mask."""
    return await _answered(request, partial(_service(request).track, name))


async def delete_track(request: Request, name: TrackName) -> Response:
    """Ends a track."""
    _service(request).tracks.drop(name)
    return Response(status_code=204)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _answered(request: Request, call: Callable[[Asked, Observation], bytes]) -> Response:
    given, images = await asked_parts(request)
    asked = asked_of(given)
    read = partial(observation_of, asked, images, most_pixels=_service(request).limits.max_pixels)
    return await _decoded_and_worked(request, read, lambda seen: call(asked, seen))


async def _decoded_and_worked(request: Request, read: Callable[[], Seen], call: Callable[[Seen], bytes]) -> Response:
    """Pictures are decoded beside the worker, so that it has not to wait for that, but not long before their turn."""
    async with asyncio.timeout(max(request.scope[UNTIL] - time.monotonic(), 0.0)), request.app.state.decoded:
        seen = await asyncio.to_thread(read)
        text = await _worked(request, lambda: call(seen))
    return Response(text, media_type="application/json")


async def _worked(request: Request, call: Callable[[], Any]) -> Any:
    return await _service(request).work.run(call, until=request.scope[UNTIL])


async def _refused(_: Request, error: Exception) -> JSONResponse:
    code = 404 if isinstance(error, UnknownError) else 409 if isinstance(error, UnderwayError) else 422
    return JSONResponse({"detail": in_keys(str(error))}, code)


async def _invalid(_: Request, error: Any) -> JSONResponse:
    """The parts that are missing or of another kind; what came is not repeated, since it may be anything."""
    told = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
    return JSONResponse({"detail": "; ".join(told).encode("utf-8", "replace").decode()}, 422)


async def _busy(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the queue is full"}, 503, RETRY)


async def _ended(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, RETRY)


async def _late(request: Request, _: Exception) -> JSONResponse:
    seconds = _service(request).limits.timeout_s
    return JSONResponse({"detail": f"no result within {seconds:g} s"}, 504)


async def _hung_up(_: Request, __: Exception) -> JSONResponse:
    """Nobody reads it: the client closed the connection before its request was whole."""
    return JSONResponse({"detail": "the request ended early"}, 400)


_ERRORS: dict[Any, Any] = {
    ClientDisconnect: _hung_up,
    DiffDopeError: _refused,
    RequestValidationError: _invalid,
    Busy: _busy,
    WorkerEndedError: _ended,
    TimeoutError: _late,
}
