"""What Slack's refusals mean: gone for good, refused as it is written, or worth another try.

Words after the error tables of https://docs.slack.dev/reference/methods/chat.postMessage and
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from detector.errors import DeliveryError

#: Error word -> what a person does about it. Nothing else mends these.
PERMANENT: Final = {
    "not_authed": "give the receiver a bot token",
    "invalid_auth": "give the receiver a bot token of this workspace",
    "invalid_token": "make a new webhook",
    "token_revoked": "make a new bot token",
    "token_expired": "make a new bot token",
    "account_inactive": "the app was removed: install it again",
    "org_login_required": "the workspace moved: make a new bot token",
    "team_access_not_granted": "grant the app access to the workspace",
    "ekm_access_denied": "the workspace's administrators stopped it",
    "access_denied": "grant the app access to the channel",
    "missing_scope": "grant the app the scope chat:write",
    "no_permission": "grant the app the scope chat:write",
    "channel_not_found": "check the channel's id, and invite the app if it is private",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "choose another channel: this one is archived",
    "channel_is_archived": "choose another channel: this one is archived",
    "restricted_action": "the workspace's settings forbid the app to post there",
    "restricted_action_read_only_channel": "choose another channel: this one is read-only",
    "posting_to_general_channel_denied": "choose another channel: this one is for administrators",
    "action_prohibited": "the workspace's settings forbid the app to post there",
    "no_service": "make a new webhook: this one is disabled or gone",
    "no_active_hooks": "make a new webhook: this one is disabled or gone",
    "no_team": "make a new webhook: its workspace is gone",
    "team_disabled": "make a new webhook: its workspace is gone",
}
#: Slack understood who asks and where to, and did not like the form.
UNWANTED_FORM: Final = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_payload",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
    }
)
#: The message that should be edited cannot be: a new one takes its place.
NO_EDIT: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_RETRIED: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "rollup_error"}
)


class Refusal(DeliveryError):
    """Slack answered, and did not take it. ``error`` is its word, printed only where it is in a table."""

    def __init__(self, error: str, *, status: int, retry_after: float | None = None) -> None:
        self.error = error
        if error in PERMANENT:
            reason = f"{error}: {PERMANENT[error]}"
        elif error in UNWANTED_FORM or error in NO_EDIT or error in _RETRIED:
            reason = error
        else:
            reason = f"HTTP {status}"
        permanent = error in PERMANENT or error in UNWANTED_FORM
        super().__init__(f"Slack refused ({reason})", permanent=permanent, retry_after=retry_after)


def seconds_to_wait(retry_after: str | None, now: datetime) -> float | None:
    """Return what a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3). None for other texts.

    The number is as it was asked, however large or small: whoever waits has bounds.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])  # longer ones say no more
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError):  # TypeError: a date without a zone
        return None
