"""A route class for hot doors: what FastAPI's solver would find out for each request is found out once.

    router = APIRouter(route_class=DirectRoute)

    @router.post("/v1/complaints", status_code=201, response_model=Receipt)
    async def receive(
        principal: Annotated[Principal, Depends(allow(Role.ADAPTER))],
        body: Annotated[NewComplaint, Depends(JsonBody(NewComplaint))],
        once: OnceDep,
        deps: DepsDep,
    ) -> Response:

The signature is written as for any other route, and the OpenAPI document is made from it. Every dependency must be
async and take the request alone, and the endpoint must return a `Response`; otherwise the route cannot be declared.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.web.auth import Allow

Step = tuple[str | None, Callable[..., Awaitable[Any]], str]


class DirectRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        dependant = self.dependant
        _only_the_request(dependant, self.path)
        endpoint = self.endpoint
        request_name = dependant.request_param_name
        # Who is calling comes before what they say.
        ordered = sorted(dependant.dependencies, key=lambda inner: not isinstance(inner.call, Allow))
        steps = [_step(inner, self.path) for inner in ordered]

        async def handle(request: Request) -> Response:
            values: dict[str, Any] = {request_name: request} if request_name else {}
            for name, call, parameter in steps:
                found = await call(**{parameter: request})
                if name is not None:
                    values[name] = found
            answered: Response = await endpoint(**values)
            return answered

        return handle


def _step(inner: Dependant, path: str) -> Step:
    _only_the_request(inner, path)
    if inner.dependencies or inner.call is None or inner.request_param_name is None:
        raise TypeError(f"{path}: the dependency {inner.name or inner.call} must take the request, and it alone")
    return inner.name, inner.call, inner.request_param_name


def _only_the_request(dependant: Dependant, path: str) -> None:
    read = [
        *dependant.path_params,
        *dependant.query_params,
        *dependant.header_params,
        *dependant.cookie_params,
        *dependant.body_params,
    ]
    if read:
        raise TypeError(f"{path}: {read[0].name} would have to be read by FastAPI; use APIRoute")
