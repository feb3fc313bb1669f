"""The shipped pack: what Parity thinks of a difference before anybody wrote a rule.

Each rule prints like one of parity.yml, and any of them is overruled by a later one.
"""

from datetime import timedelta
from typing import Final

from detector.engine.rules import Allowance, Match, Outcome, Rule
from detector.engine.values import IMAGE_IDENTITY

DATABASES: Final = (
    *("postgresql", "aurora-postgresql", "mysql", "mariadb", "aurora-mysql", "sqlserver", "oracle"),
    *("mongodb", "clickhouse", "cassandra"),
)
#: Settings of a server that follow its size and say nothing of its behaviour.
# fmt: off
SIZE_SETTINGS: Final = (
    "max_connections", "shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem",
    "max_worker_processes", "max_parallel_workers", "wal_buffers", "min_wal_size", "max_wal_size",
    "maxmemory", "maxclients", "innodb_buffer_pool_size", "table_open_cache", "thread_cache_size",
)
# fmt: on
#: Keys that a platform injects into every process; nobody configured them.
# fmt: off
PLATFORM_KEYS: Final = (
    "PATH", "HOME", "HOSTNAME", "PWD", "SHLVL", "OLDPWD", "TERM", "_", "PORT", "K_SERVICE",
    "K_REVISION", "K_CONFIGURATION", "DYNO", "KUBERNETES_*", "*_SERVICE_HOST", "*_SERVICE_PORT",
    "*_SERVICE_PORT_*", "ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4", "ECS_AGENT_URI",
    "AWS_EXECUTION_ENV", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_REGION", "AWS_DEFAULT_REGION",
)
# fmt: on


def _days(count: int) -> Allowance:
    return Allowance(span=timedelta(days=count))


def _unless_major(count: int) -> Allowance:
    return Allowance(
        span=timedelta(days=count), distances=("minor", "patch", "prerelease", "revision", "build")
    )


def _rule(name: str, match: Match, outcome: Outcome) -> Rule:
    return Rule(name=f"default/{name}", match=match, outcome=outcome)


_LEFT_ONLY: Final = ("left_only",)
_RIGHT_ONLY: Final = ("right_only",)
_BACKING: Final = ("backing_services",)
_DEPENDENCIES: Final = ("dependencies",)
_CONFIG: Final = ("config",)
_RELEASE: Final = ("release",)

PACK: Final[tuple[Rule, ...]] = (
    _rule("rest", Match(), Outcome(severity={"*": "info"}, expect="equal")),
    # -- backing services: the same type and version in all deploys -------------------------------------
    _rule(
        "backing_services",
        Match(section=_BACKING),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "backing_services/product",
        Match(section=_BACKING, item=("*#product",)),
        Outcome(severity={"*": "critical"}),
    ),
    _rule(
        "backing_services/variant",
        Match(section=_BACKING, kind=("variant",)),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "backing_services/version",
        Match(section=_BACKING, item=("*#version",)),
        Outcome(
            severity={
                "major": "high",
                "minor": "medium",
                "patch": "low",
                "prerelease": "low",
                "revision": "info",
                "build": "info",
                "*": "medium",
            },
            allow_skew=_unless_major(3),
        ),
    ),
    _rule(
        "backing_services/database",
        Match(section=_BACKING, item=("*#version",), product=DATABASES),
        Outcome(severity={"major": "critical"}),
    ),
    _rule(
        "backing_services/managed",
        Match(section=_BACKING, item=("*#version",), managed=True),
        Outcome(allow_skew=_unless_major(10)),
    ),
    _rule(
        "backing_services/size",
        Match(section=_BACKING, item=tuple(f"*#setting/{name}" for name in SIZE_SETTINGS)),
        Outcome(severity={"*": "info"}, expect="any"),
    ),
    _rule(
        "backing_services/endpoint",
        Match(section=_BACKING, item=("*#endpoint_class",)),
        Outcome(expect="any"),
    ),
    _rule(
        "backing_services/image_variant",
        Match(section=_BACKING, item=("*#variant",)),
        Outcome(severity={"*": "info"}),
    ),
    # -- dependencies -----------------------------------------------------------------------------------
    _rule(
        "dependencies",
        Match(section=_DEPENDENCIES),
        Outcome(
            severity={
                "major": "high",
                "minor": "medium",
                "patch": "low",
                "prerelease": "low",
                "revision": "info",
                "build": "info",
                "copies": "low",
                "*": "medium",
            },
            allow_ahead=_days(14),
        ),
    ),
    _rule(
        "dependencies/only_left",
        Match(section=_DEPENDENCIES, status=_LEFT_ONLY),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "dependencies/only_right",
        Match(section=_DEPENDENCIES, status=_RIGHT_ONLY),
        Outcome(severity={"*": "info"}),
    ),
    _rule(
        "dependencies/development",
        Match(section=_DEPENDENCIES, scope=("dev",)),
        Outcome(ignore=True),
    ),
    _rule(
        "dependencies/development_in_production",
        Match(
            section=_DEPENDENCIES,
            scope=("dev",),
            status=_RIGHT_ONLY,
            right_tier=("production",),
            basis=("built", "running"),  # a lockfile names what development needs, and production leaves out
        ),
        Outcome(ignore=False, severity={"*": "medium"}),
    ),
    _rule(
        "dependencies/architecture",
        Match(section=_DEPENDENCIES, item=("os#arch",)),
        Outcome(severity={"*": "medium"}),
    ),
    # Of machines that run the same containers, the kernel and the tools beside them mean little.
    _rule(
        "dependencies/machine",
        Match(section=_DEPENDENCIES, item=("tool#*", "os#timezone", "os#locale")),
        Outcome(severity={"major": "medium", "*": "low"}),
    ),
    _rule(
        "dependencies/kernel",
        Match(section=_DEPENDENCIES, item=("os#kernel",)),
        Outcome(severity={"*": "info"}),
    ),
    _rule("dependencies/lockfile", Match(section=_DEPENDENCIES, item=("lockfile#*",)), Outcome(ignore=True)),
    # -- config -----------------------------------------------------------------------------------------
    _rule("config", Match(section=_CONFIG), Outcome(severity={"*": "medium"}, expect="presence")),
    _rule(
        "config/missing_on_the_right",
        Match(section=_CONFIG, status=_LEFT_ONLY),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "config/missing_after_development",
        Match(section=_CONFIG, status=_LEFT_ONLY, left_tier=("development",)),
        Outcome(severity={"*": "info"}),
    ),
    _rule(
        "config/missing_in_production",
        Match(section=_CONFIG, status=_LEFT_ONLY, right_tier=("production",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule(
        "config/missing_on_the_left",
        Match(section=_CONFIG, status=_RIGHT_ONLY),
        Outcome(severity={"*": "info"}),
    ),
    _rule(
        "config/only_in_production",
        Match(section=_CONFIG, status=_RIGHT_ONLY, right_tier=("production",)),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "config/read_with_default",
        Match(section=_CONFIG, status=("left_only", "right_only"), read=("optional", "unread")),
        Outcome(severity={"*": "info"}),
    ),
    _rule(
        "config/read_without_default",
        Match(section=_CONFIG, status=("left_only", "right_only"), read=("required",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule(
        "config/read_with_stand_in",
        Match(section=_CONFIG, status=_LEFT_ONLY, read=("stand_in",)),
        Outcome(severity={"*": "info"}),
    ),
    _rule(
        "config/stand_in_in_production",
        Match(section=_CONFIG, status=_LEFT_ONLY, read=("stand_in",), right_tier=("production",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule("config/read_but_unset", Match(kind=("read_but_unset",)), Outcome(severity={"*": "medium"})),
    _rule(
        "config/read_but_unset_in_production",
        Match(kind=("read_but_unset",), right_tier=("production",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule(
        "config/default_in_production",
        Match(kind=("default_in_production",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule("config/set_but_unread", Match(kind=("set_but_unread",)), Outcome(severity={"*": "info"})),
    _rule("config/platform", Match(section=_CONFIG, item=PLATFORM_KEYS), Outcome(ignore=True)),
    _rule("config/shared_secret", Match(kind=("shared_secret",)), Outcome(severity={"*": "high"})),
    _rule("config/shared_endpoint", Match(kind=("shared_endpoint",)), Outcome(severity={"*": "critical"})),
    _rule("config/substitution", Match(kind=("substitution",)), Outcome(severity={"*": "critical"})),
    # What stands in for mail and for a cache loses nothing that anybody keeps.
    _rule(
        "config/substitution/mail",
        Match(kind=("substitution",), item=("*MAIL*", "*SMTP*")),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "config/substitution/cache",
        Match(kind=("substitution",), item=("*CACHE*",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule("config/emulator", Match(kind=("emulator",)), Outcome(severity={"*": "medium"})),
    _rule(
        "config/emulator_in_staging",
        Match(kind=("emulator",), left_tier=("staging",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule("config/literal_secret", Match(kind=("literal_secret",)), Outcome(severity={"*": "medium"})),
    _rule("config/environment_switch", Match(kind=("environment_switch",)), Outcome(severity={"*": "info"})),
    _rule("config/nonproduction_host", Match(kind=("nonproduction_host",)), Outcome(severity={"*": "high"})),
    _rule("config/source_differs", Match(kind=("config_source_differs",)), Outcome(severity={"*": "medium"})),
    _rule(
        "config/production",
        Match(section=_CONFIG, kind=("placeholder", "loopback_in_production")),
        Outcome(severity={"*": "high"}),
    ),
    # An agent beside the application is meant to be reached on the machine itself.
    _rule(
        "config/sidecar",
        Match(kind=("loopback_in_production",), item=("DD_*", "OTEL_*", "*_AGENT_*", "*STATSD*")),
        Outcome(ignore=True),
    ),
    # -- codebase, release ------------------------------------------------------------------------------
    _rule(
        "codebase/repository",
        Match(section=("codebase",), item=("repo#url",)),
        Outcome(severity={"*": "critical"}),
    ),
    _rule(
        "codebase/commit",
        Match(section=("codebase",), item=("repo#commit", "repo#branch")),
        Outcome(severity={"*": "info"}, allow_ahead=_days(7)),
    ),
    # Which of two commits is the later is told by what ran before, or by nothing.
    _rule(
        "codebase/unordered",
        Match(section=("codebase",), item=("repo#commit", "repo#branch"), direction=("unordered",)),
        Outcome(allow_skew=_days(7)),
    ),
    _rule(
        "codebase/in_development",
        Match(
            section=("codebase",),
            item=("repo#commit", "repo#branch"),
            direction=("unordered",),
            left_tier=("development",),
        ),
        Outcome(expect="any"),
    ),
    _rule(
        "codebase/diverged",
        Match(section=("codebase",), direction=("diverged",)),
        Outcome(severity={"*": "medium"}),
    ),
    _rule(
        "codebase/diverged_in_development",
        Match(section=("codebase",), direction=("diverged",), left_tier=("development",)),
        Outcome(severity={"*": "info"}),
    ),
    _rule("release", Match(section=_RELEASE), Outcome(severity={"*": "info"})),
    _rule(
        "release/tag",
        Match(section=_RELEASE, item=("image#tag",)),
        Outcome(
            severity={"major": "medium", "minor": "medium", "patch": "low", "unordered": "low", "*": "low"},
            allow_ahead=_days(7),
        ),
    ),
    _rule(
        "release/repository",
        Match(section=_RELEASE, item=("image#repository",)),
        Outcome(severity={"*": "medium"}),
    ),
    _rule("release/rebuilt", Match(kind=("rebuilt",)), Outcome(severity={"*": "high"})),
    # The same application on a newer base: a bot rebuilds each night, and the other side follows.
    _rule(
        "release/rebuilt_on_newer_base",
        Match(kind=("rebuilt",), direction=("left_ahead",)),
        Outcome(severity={"*": "low"}, allow_ahead=_days(7)),
    ),
    _rule(
        "release/rebuilt_after_development",
        Match(kind=("rebuilt",), left_tier=("development",)),
        Outcome(ignore=True),
    ),
    _rule(
        "release/rebuilt_in_development",
        Match(kind=("rebuilt",), right_tier=("development",)),
        Outcome(ignore=True),
    ),
    # Where a rebuild is none, nobody asks whether an index and a digest are one image.
    _rule(
        "release/unlinked_after_development",
        Match(section=_RELEASE, item=IMAGE_IDENTITY, status=("unknown",), left_tier=("development",)),
        Outcome(ignore=True),
    ),
    _rule(
        "release/unlinked_in_development",
        Match(section=_RELEASE, item=IMAGE_IDENTITY, status=("unknown",), right_tier=("development",)),
        Outcome(ignore=True),
    ),
    _rule("floating", Match(kind=("floating",)), Outcome(severity={"*": "low"})),
    _rule("contradiction", Match(kind=("contradiction",)), Outcome(severity={"*": "low"})),
    _rule("mixed", Match(kind=("mixed",)), Outcome(severity={"*": "medium"})),
    _rule(
        "mixed/production",
        Match(kind=("mixed",), right_tier=("production",)),
        Outcome(severity={"*": "high"}),
    ),
    _rule("client_skew", Match(kind=("client_skew",)), Outcome(severity={"*": "medium"})),
    _rule(
        "client_skew/library",
        Match(kind=("client_skew",), item=("pkg:*/libpq*",)),
        Outcome(severity={"*": "low"}),
    ),
    _rule("service_gone", Match(kind=("service_gone",)), Outcome(severity={"*": "high"})),
    # Developers stop what they do not work on.
    _rule(
        "service_gone_from_development",
        Match(kind=("service_gone",), status=_RIGHT_ONLY, left_tier=("development",)),
        Outcome(severity={"*": "info"}),
    ),
    # -- size is no drift: production is bigger ---------------------------------------------------------
    _rule("concurrency/size", Match(section=("concurrency",)), Outcome(severity={"*": "info"}, expect="any")),
    # -- where logs are carried to is the platform's, what is written into them the application's ---------
    _rule("logs/route", Match(section=("logs",), item=("driver", "options")), Outcome(expect="any")),
    # -- the rest ---------------------------------------------------------------------------------------
    _rule(
        "processes/missing",
        Match(section=("processes",), item=("process",), status=_LEFT_ONLY),
        Outcome(severity={"*": "medium"}),
    ),
    # A schema that is further than its code is on its way: it goes first.
    _rule("admin/schema_behind", Match(kind=("schema_behind",)), Outcome(severity={"*": "high"})),
    _rule(
        "admin/schema_unordered",
        Match(kind=("schema_behind",), direction=("unordered",)),
        Outcome(severity={"*": "medium"}),
    ),
    # Two servers are no difference by themselves: in development one that reloads is meant.
    _rule("processes/server", Match(section=("processes",), item=("server",)), Outcome(expect="any")),
    _rule(
        "processes/development_server",
        Match(kind=("development_server",)),
        Outcome(severity={"*": "high"}),
    ),
)
