"""The shape of ``alerting``: who hears, what is sent to whom, and when it is said again."""

from datetime import timedelta
from typing import Literal

from pydantic import ConfigDict, Field

from detector.config.fields import Cron, Duration, Name, Runs, Strict, Timezone
from detector.config.rules import MatchEntry


class ReceiverEntry(Strict):
    """Who hears. Beside the name stands one notifier with its options, such as ``slack: {…}``."""

    model_config = ConfigDict(extra="allow")

    name: Name


class Digest(Strict):
    """Messages that are gathered and sent at set times."""

    cron: Cron
    timezone: Timezone = "UTC"


class Route(Strict):
    """Which causes go to which receiver. The first that matches ends the search unless it says continue."""

    match: MatchEntry
    to: Name
    goes_on: bool = Field(default=False, alias="continue")
    digest: Digest | None = None


class AlertingEntry(Strict):
    """Who hears what, and when."""

    confirm_after: Runs = 2
    rollout: Duration = timedelta(minutes=30)
    platform: Name | None = Field(
        default=None, description="Receiver of stale sources, failed reloads and broken channels"
    )
    group_by: tuple[Literal["comparison", "owner", "service", "section"], ...] = ("comparison", "owner")
    renotify_after: Duration | None = None
    receivers: tuple[ReceiverEntry, ...] = ()
    routes: tuple[Route, ...] = ()
