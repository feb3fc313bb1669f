"""What the application keeps, under typed keys."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from detector.api.access import Access
from detector.api.bodies import Limits
from detector.api.idempotency import PushKeys
from detector.api.links import Links
from detector.api.metrics import Metrics
from detector.api.templates import Templates
from detector.assembly import Running

RUNNING = web.AppKey("running", Running)
ACCESS = web.AppKey("access", Access)
LIMITS = web.AppKey("limits", Limits)
METRICS = web.AppKey("metrics", Metrics)
PAGES = web.AppKey("pages", Templates)
LINKS = web.AppKey("links", Links)
#: How many more pushes may be read at one time.
PUSHES = web.AppKey("pushes", asyncio.Semaphore)
#: What was pushed under which `Idempotency-Key`.
KEYS = web.AppKey("keys", PushKeys)
#: Set by a handler whose answer is one of many that say the same: the log leaves it out.
SAYS_NOTHING_NEW = web.RequestKey("says_nothing_new", bool)
#: The OpenAPI document.
OPENAPI = web.AppKey("openapi", Mapping[str, Any])
