"""The configuration in force as plain data, for `parity config show` and the API: secrets are masked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel

from detector.config.fields import Days, Validity
from detector.config.records import Config, Source
from detector.engine.rules import Rule
from detector.engine.trace import said
from detector.model.clock import print_exactly

MASK: Final = "***"


def show(config: Config) -> dict[str, Any]:
    """Return parity.yml with every default and comparison spelled out. It holds no secret."""
    of_service: dict[str | None, list[dict[str, Any]]] = {}
    for source in config.sources:
        of_service.setdefault(source.service, []).append(_source(source))
    receivers = [
        {"name": receiver.name, receiver.notifier: _plain(receiver.options)} for receiver in config.receivers
    ]
    return {
        "version": 1,
        "server": {
            **_plain(config.server),
            "database_url": _without_password(config.database_url),
            "data_dir": str(config.data_dir),
        },
        "groups": _plain(config.groups),
        "environments": _plain(config.environments),
        "comparisons": [asdict(comparison) for comparison in config.comparisons],
        "services": [
            {**_plain(service), "sources": of_service.get(service.name, [])} for service in config.services
        ],
        "discoveries": of_service.get(None, []),
        "rules": [_rule(rule) for rule in config.rules],
        "alerting": {**_plain(config.alerting), "receivers": receivers},
        "accepted_drift": list(config.accepted_drift),
        "warnings": list(config.warnings),
    }


def _source(source: Source) -> dict[str, Any]:
    schedule: dict[str, Any] = {}
    if source.cron is not None:
        schedule = {"cron": source.cron, "timezone": source.timezone}
    elif source.every is not None:
        schedule = {"every": _plain(source.every)}
    discover = source.discover
    return {
        "environment": source.environment,
        "type": source.type,
        "name": source.name,
        **schedule,
        "timeout": _plain(source.timeout),
        "valid": _plain(source.valid),
        **_plain(source.options),
        **(
            _plain({"service_from": discover.service_from, "ephemeral": discover.ephemeral})
            if discover
            else {}
        ),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {"name": rule.name, "match": rule.match.document(), **said(rule.outcome)}


def rules_text(rules: Sequence[Rule]) -> str:
    """Return rules as YAML that may stand in parity.yml, each below a comment with its name."""
    lines = ["rules:"]
    for rule in rules:
        entry = {"match": rule.match.document(), **said(rule.outcome)}
        text = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=100, allow_unicode=True)
        lines += [f"  # {rule.name}", "  - " + text.rstrip().replace("\n", "\n    ")]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it: models as mappings by their keys in the file, secrets masked."""
    if isinstance(value, timedelta):
        return print_exactly(value)
    if isinstance(value, Validity | Days | Path):
        return str(value)
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {field.alias or name: _plain(getattr(value, name)) for name, field in fields.items()}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return _without_password(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    # SecretStr, and types of plugins: what those print is unknown, and may be a secret.
    return MASK


def _without_password(text: str) -> str:
    """Return a text; of an address without its password, and without its query, which may hold one."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        return text
    rest, asked, _ = rest.partition("?")
    query = f"?{MASK}" if asked else ""
    user, at, host = rest.rpartition("@")
    if not at:
        return f"{scheme}{mark}{rest}{query}"
    return f"{scheme}{mark}{user.partition(':')[0]}:{MASK}@{host}{query}"
