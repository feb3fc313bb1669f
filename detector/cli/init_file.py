"""Writes a proposal as a `parity.yml` that explains itself. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from detector.cli.init_machine import Machine
from detector.cli.init_names import tier_of
from detector.cli.init_proposal import DEV, Proposal, Service, Source

_WIDTH: Final = 80
#: What YAML takes for a text as it stands, and for no other kind of value.
_PLAIN: Final = re.compile(r"[A-Za-z./_][A-Za-z0-9./_@+-]*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})
_NEXT: Final = (
    ("staging", "staging"),
    ("prod", "production"),
)


def written(proposal: Proposal, machine: Machine, *, docker: bool) -> str:
    """Return the text of a configuration; ``docker`` says whether containers can be read by this Parity."""
    lines = [
        "# Made by parity init from what lies in this folder.",
        "# Next: parity check, then parity once. docs/configuration.md has every key.",
        "# Not for Git: parity.db and fingerprint.key, which come to lie beside this file.",
        "version: 1",
        "",
        *_environments(proposal),
        "",
        "services:" if proposal.services or (docker and machine.projects) else "services: []",
    ]
    for name, service in proposal.services.items():
        lines += _service(name, service, proposal.environments)
    lines += _containers(machine, docker=docker)
    lines += _elsewhere(proposal, machine)
    lines += _last()
    return "\n".join(lines) + "\n"


def _environments(proposal: Proposal) -> list[str]:
    lines = ["# In promotion order: each one is compared with the next.", "environments:"]
    for name in proposal.environments:
        tier = tier_of(name)
        of_tier = f", tier: {tier}" if tier != "unknown" else ""
        # A laptop sleeps: what was last seen there counts until something else is.
        asleep = ", presence: intermittent" if name == DEV else ""
        lines.append(f"  - {{name: {name}{of_tier}{asleep}}}")
    if len(proposal.environments) == 1:
        lines.append("  # Only one was found, and it takes two to differ. Take in another one:")
        lines += [
            f"  # - {{name: {name}, tier: {tier}}}"
            for name, tier in _NEXT
            if name not in proposal.environments
        ]
    return lines


def _service(name: str, service: Service, order: Sequence[str]) -> list[str]:
    lines = [f"  - name: {_scalar(name)}"]
    if service.kind != "app":
        lines.append(f"    kind: {service.kind}")
    lines.append("    sources:")
    for environment, sources in sorted(service.sources.items(), key=lambda one: order.index(one[0])):
        if len(sources) == 1 and len(line := f"      {environment}: {_flow(sources[0])}") <= _WIDTH:
            lines.append(line)
            continue
        lines.append(f"      {environment}:")
        names = _names(sources)
        for source, own in zip(sources, names, strict=True):
            lines += _source(source, own)
    return lines


def _names(sources: Sequence[Source]) -> list[str]:
    """Return a name for each source that is not the first of its type."""
    seen: dict[str, int] = {}
    names = []
    for source in sources:
        seen[source.type] = seen.get(source.type, 0) + 1
        count = seen[source.type]
        names.append("" if count == 1 else f"{source.type}-{count}")
    return names


def _source(source: Source, name: str) -> list[str]:
    line = f"        - {_flow(source, name)}"
    if len(line) <= _WIDTH or not source.many:
        return [line]
    called = f"          name: {name}\n" if name else ""
    paths = [f"            - {_scalar(path)}" for path in source.paths]
    return [
        f"        - type: {source.type}",
        *([called.rstrip()] if called else []),
        "          paths:",
        *paths,
    ]


def _flow(source: Source, name: str = "") -> str:
    called = f", name: {name}" if name else ""
    if source.many:
        return (
            f"{{type: {source.type}{called}, paths: [{', '.join(_scalar(path) for path in source.paths)}]}}"
        )
    return f"{{type: {source.type}{called}, path: {_scalar(source.paths[0])}}}"


def _scalar(text: str) -> str:
    # `$` begins a reference to the environment.
    text = text.replace("$", "$$")
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _containers(machine: Machine, *, docker: bool) -> list[str]:
    lines = []
    for project in machine.projects:
        lines += [
            "  # Containers of this folder that run on this machine.",
            f"  {'' if docker else '# '}- discover: {{type: docker, environment: {DEV},",
            f"  {'' if docker else '# '}    label: com.docker.compose.project={project}}}",
        ]
        if not docker:
            lines.append("  # It needs the extra docker: pip install 'parity-detector[docker]'")
    return lines


def _elsewhere(proposal: Proposal, machine: Machine) -> list[str]:
    """Return examples of what runs elsewhere, as comments: only you know where that is."""
    last = proposal.environments[-1] if len(proposal.environments) > 1 else "prod"
    lines = []
    if machine.profiles:
        lines += [
            "  # AWS, with the profile of whoever runs parity: " + _listed(machine.profiles),
            f"  # - discover: {{type: ecs, environment: {last}, region: eu-central-1, cluster: {last}}}",
            "  # - name: db",
            "  #   kind: backing_service",
            "  #   sources:",
            f"  #     {last}: {{type: rds, region: eu-central-1, id: YOUR-INSTANCE}}",
        ]
    if machine.contexts:
        lines.append("  # Kubernetes contexts that kubectl knows: " + _listed(machine.contexts))
    return lines


def _listed(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _last() -> list[str]:
    return [
        "",
        "# The shipped rules come first (parity config show --rules); yours come after them.",
        "# rules:",
        '#   - {match: {section: config, item: "FEATURE_*"}, ignore: true}',
        "",
        "# Who hears, see docs/configuration.md:",
        "# alerting:",
        "#   receivers:",
        "#     - {name: team, slack: {channel: C0TEAM, bot_token_file: /run/secrets/slack_bot}}",
    ]
