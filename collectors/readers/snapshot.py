"""Files of observations: what ``parity snapshot --format json`` prints and what a push sends."""

from typing import Any, ClassVar, Final

from detector.errors import Reason, UnseenError
from detector.model.clock import print_time
from detector.model.facts import Observation
from detector.model.fingerprints import Fingerprinter
from detector.model.wire import WireError, json_document, observations_from
from detector.reader import API, Part, Read

#: Slugs of what is beyond all use rather than wrong.
_TOO_LARGE: Final = frozenset({"too-deep", "too-many-items"})
_MOST_FAULTS: Final = 5


class SnapshotReader:
    """Reads ``parity.observation/v1``: one observation, or a list of them, of one environment or several."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "snapshot"

    def matches(self, name: str) -> bool:
        return name.endswith((".parity.json", ".observation.json"))

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        try:
            document = json_document(data)
        except WireError as error:
            raise _unseen(error, name) from None
        return read_document(document, name)


def read_document(document: Any, name: str) -> Read:
    """Return what a JSON document of observations says. Raises UnseenError."""
    try:
        observations = observations_from(document)
    except WireError as error:
        raise _unseen(error, name) from None
    live = [observation for observation in observations if observation.traffic == "live"]
    warnings: tuple[str, ...] = ()
    if len(live) < len(observations):
        left_out = len(observations) - len(live)
        warnings = (f"{left_out} observations of idle or canary traffic are not compared",)
    return Read(parts=tuple(_part(observation) for observation in live), warnings=warnings)


def _part(observation: Observation) -> Part:
    return Part(
        sections=observation.sections,
        service=observation.service,
        component=observation.component,
        component_kind=observation.component_kind,
        environment=observation.environment,
        observed_at=print_time(observation.observed_at),
    )


def _unseen(error: WireError, name: str) -> UnseenError:
    reason: Reason = "too_large" if all(fault.code in _TOO_LARGE for fault in error.faults) else "malformed"
    told = [f"{name}{fault.pointer}: {fault.message} [{fault.code}]" for fault in error.faults[:_MOST_FAULTS]]
    if len(error.faults) > _MOST_FAULTS:
        told.append(f"{len(error.faults) - _MOST_FAULTS} more")
    return UnseenError(reason, "; ".join(told))
