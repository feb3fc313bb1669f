"""Deployments: what a pipeline says it does, which no collector can see."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from detector.model.clock import print_time

#: What the version of a deployment may be: it becomes the label of ``ENV@LABEL``.
VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
#: A name or an address, as the pipeline has it.
ACTOR: Final = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One version of a service on its way into an environment."""

    #: A ULID.
    id: str
    environment: str
    service: str
    version: str
    commit: str | None = None
    #: Who deploys, as the pipeline says it; else the token that announced it.
    actor: str | None = None
    at: datetime
    finished_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return the deployment as JSON shows it."""
        return {
            "id": self.id,
            "environment": self.environment,
            "service": self.service,
            "version": self.version,
            "commit": self.commit,
            "actor": self.actor,
            "at": print_time(self.at),
            "finished_at": print_time(self.finished_at) if self.finished_at else None,
        }
