"""Refusals as RFC 9457 problems: which one, what to do next, and never an echo of what was sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web

from detector.errors import NotFoundError, ParityError, StoreBusyError, StoreError, UsageError
from detector.model.wire import WireError

MEDIA_TYPE: Final = "application/problem+json"
#: Seconds after which a store that is locked or full may work again.
_RETRY_AFTER: Final = "5"
#: Faults of a document that make it no JSON at all, too much of it or none that is read; any other is 422.
_STATUS_OF_FAULT: Final = {
    "malformed-json": 400,
    "too-deep": 400,
    "duplicate-key": 400,
    "too-many-items": 413,
    "malformed-xml": 400,
    "unsupported-format": 415,
    "unsupported-media-type": 415,
}
#: What aiohttp refuses by itself.
_SLUGS: Final = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "payload-too-large",
    417: "expectation-failed",
}


class RefusalError(ParityError):
    """A request that is answered with a problem. ``slug`` names its kind: ``/problems/<slug>``."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        super().__init__(detail)

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the problem as JSON shows it."""
        return {
            "type": f"/problems/{self.slug}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": request_id,
            **({"errors": list(self.errors)} if self.errors else {}),
        }

    def response(self, request_id: str) -> web.Response:
        """Return the problem as an answer."""
        body = orjson.dumps(self.document(request_id))
        return web.Response(
            status=self.status, body=body, headers={**self.headers, "Content-Type": MEDIA_TYPE}
        )


def invalid(pointer: str, message: str) -> RefusalError:
    """Return the refusal of one field or parameter."""
    errors = [{"pointer": pointer, "code": "validation-failed", "message": message}]
    place = pointer.strip("/") or "document"
    return RefusalError(422, "validation-failed", f"{place}: {message}", errors=errors)


def refusal_of(error: ParityError) -> RefusalError:
    """Return what is answered when one of our own errors reaches the door."""
    match error:
        case RefusalError():
            return error
        case WireError():
            code = error.faults[0].code
            return RefusalError(_STATUS_OF_FAULT.get(code, 422), code, str(error), errors=error.errors)
        case NotFoundError():
            return RefusalError(404, "not-found", str(error))
        case UsageError():
            return RefusalError(422, "validation-failed", str(error))
        case StoreBusyError():
            return RefusalError(503, "storage-busy", str(error), headers={"Retry-After": _RETRY_AFTER})
        case StoreError():
            return RefusalError(503, "storage-failed", str(error), headers={"Retry-After": _RETRY_AFTER})
        case _:
            return RefusalError(422, "validation-failed", str(error))


def refusal_of_http(error: web.HTTPException) -> RefusalError:
    """Return what is answered when aiohttp itself refuses: no route, no such method, too large a body."""
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    slug = _SLUGS.get(error.status, "malformed-request")
    details = {
        404: "nothing is here; /api/v1/openapi.json lists every route",
        405: f"this address knows {headers.get('Allow', 'other methods')}",
        413: "the body is larger than this server takes",
    }
    return RefusalError(
        error.status, slug, details.get(error.status, "the request is malformed"), headers=headers
    )
