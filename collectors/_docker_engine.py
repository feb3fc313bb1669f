"""The way to a Docker engine: one client, GET alone, errors in our words. Blocking: for threads."""

import asyncio
import stat
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from collectors._extras import missing_extra
from detector.collector import Context
from detector.errors import UnseenError

if TYPE_CHECKING:
    from docker import APIClient

R = TypeVar("R")
_CHUNK: Final = 256 * 1024
_LONGEST_CALL: Final = 20.0
#: Seconds of a run that are left for what comes after its last long answer.
_KEPT_FOR_THE_REST: Final = 1.0


def connect(host: str, timeout: float) -> "APIClient":
    """Return a client of the engine, whose every call ends after ``timeout`` seconds."""
    try:
        from docker import APIClient  # noqa: PLC0415 - an extra
    except ImportError:
        raise missing_extra("docker", "docker") from None

    def opened() -> APIClient:
        if host.startswith("unix://") and not stat.S_ISSOCK(
            Path(host.removeprefix("unix://")).stat().st_mode
        ):
            raise UnseenError("unreachable", f"{host} is no socket")
        return APIClient(base_url=host, version="auto", timeout=timeout)  # type: ignore[arg-type]

    client = answer(host, opened)
    client.trust_env = False  # no proxy stands between an engine and its reader
    return client


def seconds_left(context: Context) -> float:
    """Return how long one call may take."""
    return max(1.0, min(_LONGEST_CALL, context.deadline - asyncio.get_running_loop().time()))


def in_time(context: Context) -> Callable[[], None]:
    """Return what ends a long answer shortly before the host would end the run, and all that it saw."""
    now, last = asyncio.get_running_loop().time, context.deadline - _KEPT_FOR_THE_REST

    def check() -> None:
        if now() > last:
            raise UnseenError("timeout", "there was no time left to read all of it: raise `timeout`")

    return check


def answer(host: str, call: Callable[..., R], *words: object) -> R:
    """Return what a call answers. Raises UnseenError instead of errors of docker-py and what is below it."""
    from docker.errors import DockerException  # noqa: PLC0415 - an extra
    from requests.exceptions import RequestException  # noqa: PLC0415 - comes with docker

    try:
        return call(*words)
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise _reduced(host, error) from None


def inspected(inspect: Callable[[str], Mapping[str, Any]], identity: str) -> Mapping[str, Any] | None:
    """Return the answer about one container or image, or None where it is gone."""
    from docker.errors import NotFound  # noqa: PLC0415 - an extra

    try:
        return inspect(identity)
    except NotFound:
        return None


def streamed(client: "APIClient", path: str, route: str) -> Generator[bytes, None, None]:
    """Return the chunks of a long answer, with the time limit that docker-py's own calls take away.

    ``route`` is what a proxy has to let pass, for messages.
    """
    url = f"{client.base_url}/v{client.api_version}{path}"
    response = client.get(url, stream=True, timeout=client.timeout)
    if response.status_code == 200:
        return _chunks(response)
    with closing(response):
        if response.status_code in {401, 403}:
            raise UnseenError("denied", f"GET {route}: let the socket proxy pass it")
        if response.status_code == 404:
            raise UnseenError("not_in_view", f"GET {route}: it is gone")
        raise UnseenError("unreachable", f"GET {route} answered {response.status_code}")


def _chunks(response: Any) -> Generator[bytes, None, None]:
    with closing(response):
        yield from response.iter_content(_CHUNK)


def _reduced(host: str, error: BaseException) -> UnseenError:
    from docker.errors import APIError  # noqa: PLC0415 - an extra
    from requests.exceptions import ConnectionError as RequestsConnectionError  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    causes = list(_causes(error))
    status = next((cause.status_code for cause in causes if isinstance(cause, APIError)), None)
    if status in {401, 403}:
        return UnseenError("denied", f"{host} refuses this request: let the socket proxy pass GET")
    if status is not None:
        return UnseenError("unreachable", f"{host} answered {status}")
    if any(isinstance(cause, PermissionError) for cause in causes):
        remedy = "join the group that owns the socket, or use a read-only socket proxy"
        return UnseenError("denied", f"no permission on {host}: {remedy}")
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        return UnseenError("timeout", f"{host} did not answer in time")
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return UnseenError("unreachable", f"no socket at {host}: is the engine started? else set `host`")
    # Every error of requests is an OSError by inheritance.
    if any(
        isinstance(cause, RequestsConnectionError)
        or (isinstance(cause, OSError) and not isinstance(cause, RequestException))
        for cause in causes
    ):
        return UnseenError("unreachable", f"no Docker engine answers at {host}")
    return UnseenError("malformed", f"what answers at {host} is no Docker engine")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps, as requests and urllib3 do by argument."""
    pending, known = [error], set[int]()
    while pending:
        one = pending.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        pending += [cause for cause in inner if isinstance(cause, BaseException)]
