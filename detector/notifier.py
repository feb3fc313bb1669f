"""The public contract of notifiers: each sends one prepared message to one kind of receiver."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import aiohttp

API: Final = 1


class NotifierOptions(BaseModel):
    """Options of a receiver, as they stand in parity.yml under the notifier's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What shall be said, before any channel's form is given to it.

    ``key`` names the conversation (comparison and owner): a second message with the same key edits the
    first. ``body`` is the summary record of `detector.alerts.summary`.
    """

    id: str
    key: str
    body: Mapping[str, Any]
    #: Where the message of this key already stands, as the notifier said in its last Receipt.
    handle: Mapping[str, str] | None = None
    #: Said as a reply of its own beside the edit: an escalation or a reopening.
    reply: str | None = None
    #: An earlier try may have arrived: look before sending again, where the channel can tell.
    in_doubt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that a message arrived.

    ``handle`` is what the next message of the conversation needs, such as the place to edit; None where
    nothing stands there.
    """

    handle: Mapping[str, str] | None = None


class Notifier(Protocol):
    """Sends messages of one receiver."""

    API: ClassVar[int]
    name: ClassVar[str]
    Options: ClassVar[type[NotifierOptions]]

    def __init__(self, options: Any, session: "aiohttp.ClientSession") -> None: ...

    async def send(self, message: Message) -> Receipt:
        """Deliver, or raise DeliveryError."""
        ...
