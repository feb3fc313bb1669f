"""The closed vocabularies of Parity, as types and as ordered tuples."""

from typing import Final, Literal, get_args

from detector.errors import Reason

Basis = Literal["declared", "built", "running"]
SectionName = Literal[
    "dependencies",
    "backing_services",
    "config",
    "codebase",
    "release",
    "processes",
    "ports",
    "concurrency",
    "disposability",
    "logs",
    "admin",
]
Completeness = Literal["complete", "partial", "failed"]
#: Where a config value comes from; ``image_default`` is ENV inherited from the image.
SourceClass = Literal["literal", "secret_ref", "env_file", "image_default", "platform"]
ComponentKind = Literal["process", "sidecar", "job"]
Traffic = Literal["live", "idle", "canary"]
Tier = Literal["development", "staging", "production", "unknown"]
ServiceKind = Literal["app", "backing_service"]
Severity = Literal["info", "low", "medium", "high", "critical"]
Status = Literal["same", "changed", "left_only", "right_only", "unknown"]
Verdict = Literal["in_sync", "expected", "accepted", "drift", "unknown"]
Pending = Literal["confirm", "skew", "rollout", "flap"]
State = Literal["pending", "open", "accepted", "resolved", "withdrawn"]
Kind = Literal[
    "difference",
    "variant",
    "shared_secret",
    "shared_endpoint",
    "config_source_differs",
    "rebuilt",
    "mixed",
    "floating",
    "contradiction",
    "placeholder",
    "loopback_in_production",
    "read_but_unset",
    "default_in_production",
    "set_but_unread",
    "service_gone",
    "substitution",
    "schema_behind",
    "emulator",
    "literal_secret",
    "environment_switch",
    "nonproduction_host",
    "client_skew",
    "development_server",
]

#: Nearest to reality last, so that ``index`` ranks it.
BASES: Final[tuple[Basis, ...]] = get_args(Basis)
#: The owner's three inventories come first, everywhere.
SECTIONS: Final[tuple[SectionName, ...]] = get_args(SectionName)
INVENTORIES: Final[tuple[SectionName, ...]] = SECTIONS[:3]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
SOURCE_CLASSES: Final[tuple[SourceClass, ...]] = get_args(SourceClass)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
COMPLETENESS: Final[tuple[Completeness, ...]] = get_args(Completeness)
COMPONENT_KINDS: Final[tuple[ComponentKind, ...]] = get_args(ComponentKind)
TRAFFIC: Final[tuple[Traffic, ...]] = get_args(Traffic)
#: The component of a service that has only one, and of a stream that names none.
MAIN: Final = "main"
