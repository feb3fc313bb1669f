"""What one service of a compose file says of itself, section by section (Compose specification).

Copied by allow-list: of a command the program's name alone, never its arguments; of labels nothing.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeGuard

from collectors._containers import image_reference, program, user
from collectors._web_servers import web_server
from collectors.readers._yaml import Tree, is_map
from detector.model.facts import Section, Unseen, Value
from detector.model.words import SectionName

_TRUE: Final = ("true", "True", "TRUE")
_PORT: Final = re.compile(
    r"(?:(?P<published>.*):)?(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?(?:/(?P<protocol>[a-z]{1,8}))?"
)
_MOST_PORTS: Final = 1_000
_DURATION_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|ms|s|m|h)")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmg]?)i?b?", re.IGNORECASE)
_FACTORS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
#: Names of images, users, drivers and policies.
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@+-]{0,511}")
_MOUNT_KINDS: Final = ("bind", "volume", "tmpfs", "npipe", "cluster", "image")
#: What an engine takes where the file says nothing, in seconds.
_PROBE_TIMES: Final = (("interval", 30), ("timeout", 30), ("start_period", 0))


def sections_of(service: dict[str, Any]) -> dict[SectionName, Section]:
    """Return every section but config of which a service of a compose file says something."""
    release, unseen = _release(service)
    found: dict[SectionName, tuple[dict[str, Value], tuple[Unseen, ...]]] = {
        "release": (release, unseen),
        "processes": (_processes(service), ()),
        "ports": (_ports(service), ()),
        "concurrency": (_concurrency(service), ()),
        "disposability": (_disposability(service), ()),
        "logs": (_logs(service), ()),
    }
    return {
        name: Section(basis="declared", status="partial" if gaps else "complete", facts=facts, unseen=gaps)
        for name, (facts, gaps) in found.items()
        if facts or gaps
    }


def word_at(service: dict[str, Any], key: str) -> str | None:
    """Return a word of a service, or None where there is none or it is only known when compose runs."""
    value = service.get(key)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def listed(tree: Tree) -> list[Any]:
    """Return a part that may be one thing or a list of them as a list."""
    if tree is None:
        return []
    return tree if isinstance(tree, list) else [tree]


def _release(service: dict[str, Any]) -> tuple[dict[str, Value], tuple[Unseen, ...]]:
    text = service.get("image")
    if not isinstance(text, str) or not text:
        return {}, ()
    stated, from_variable, _ = text.partition(":$")
    image = image_reference(stated)
    if image is None:
        return {}, (_from_variable("image#*"),)
    facts: dict[str, Value] = {"image#repository": image.repository}
    if from_variable:
        return facts, (_from_variable("image#tag"),)
    if image.tag:
        facts["image#tag"] = image.tag
    if image.digest:
        # What people and bots pin is what the registry shows for a tag: the index of all platforms.
        facts["image#index"] = image.digest
    return facts, ()


def _from_variable(item: str) -> Unseen:
    return Unseen(item=item, reason="not_in_view", detail="the image is not stated, or comes from a variable")


def _processes(service: dict[str, Any]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    argv = [*_words(service.get("entrypoint")), *_words(service.get("command"))]
    if known := program(argv):
        facts["command"] = known
    if server := web_server(argv):
        facts["server"] = server
    if "read_only" in service:
        facts["read_only"] = service["read_only"] in _TRUE
    if (name := word_at(service, "user")) is not None:
        facts["user"] = user(name)
    for mount in listed(service.get("volumes")):
        facts |= _mount(mount)
    for path in listed(service.get("tmpfs")):
        if isinstance(path, str):
            facts[f"mount/{path.partition(':')[0].strip('/')}"] = {"kind": "tmpfs", "read_only": False}
    return facts


def _words(command: Tree) -> list[str]:
    words = command.split() if isinstance(command, str) else command
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def _mount(mount: Any) -> dict[str, Value]:
    target: Any
    if isinstance(mount, str):
        source, colon, rest = mount.partition(":")
        target, _, options = rest.partition(":") if colon else (source, "", "")
        kind = "bind" if colon and source[:1] in ("/", ".", "~") else "volume"
        read_only = "ro" in options.split(",")
    elif is_map(mount):
        target, kind = mount.get("target"), mount.get("type", "volume")
        read_only = mount.get("read_only") in _TRUE
    else:
        return {}
    if not isinstance(target, str) or kind not in _MOUNT_KINDS or "$" in target or not target.strip("/"):
        return {}
    return {f"mount/{target.strip('/')}": {"kind": kind, "read_only": read_only}}


def _ports(service: dict[str, Any]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    for port in (*listed(service.get("expose")), *listed(service.get("ports"))):
        facts |= dict.fromkeys(_port_items(port))
    return facts


def _port_items(port: Any) -> Iterable[str]:
    if is_map(port):
        target, protocol = port.get("target"), port.get("protocol") or "tcp"
        port = f"{target}/{protocol}"
    match = _PORT.fullmatch(port) if isinstance(port, str) else None
    if match is None:
        return []
    first = int(match["first"])
    last = min(int(match["last"] or first), first + _MOST_PORTS)
    return [f"{number}/{match['protocol'] or 'tcp'}" for number in range(first, last + 1)]


def _concurrency(service: dict[str, Any]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    deploy = service.get("deploy")
    deploy = deploy if is_map(deploy) else {}
    replicas = deploy.get("replicas", service.get("scale", "1"))
    if (
        deploy.get("mode", "replicated") == "replicated"
        and isinstance(replicas, str)
        and replicas.isdecimal()
    ):
        facts["replicas"] = int(replicas)
    limits: Any = deploy
    for key in ("resources", "limits"):
        limits = limits.get(key) if is_map(limits) else None
    limits = limits if is_map(limits) else {}
    if (memory := _bytes(limits.get("memory", service.get("mem_limit")))) is not None:
        facts["limit/memory"] = memory
    cpus = limits.get("cpus", service.get("cpus"))
    if isinstance(cpus, str) and re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", cpus):
        facts["limit/cpu"] = float(cpus)
    return facts


def _disposability(service: dict[str, Any]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    if (signal := word_at(service, "stop_signal")) is not None:
        facts["stop_signal"] = signal if signal.startswith("SIG") or signal.isdigit() else f"SIG{signal}"
    if (grace := _seconds(service.get("stop_grace_period"))) is not None:
        facts["grace"] = grace
    if (restart := word_at(service, "restart")) is not None:
        facts["restart"] = restart
    health = service.get("healthcheck")
    if is_map(health):
        facts["probe/health"] = _probe(health)
    return facts


def _probe(health: dict[str, Any]) -> Value:
    """Return when a health check runs; what it runs is an argument and stays out."""
    test = health.get("test")
    if health.get("disable") in _TRUE or test == ["NONE"]:
        return None
    by_shell = isinstance(test, str) or (isinstance(test, list) and test[:1] == ["CMD-SHELL"])
    retries = health.get("retries")
    return {
        "kind": "shell" if by_shell else "command",
        "retries": int(retries) if _is_count(retries) else 3,
        **{
            name: default if (seconds := _seconds(health.get(name))) is None else seconds
            for name, default in _PROBE_TIMES
        },
    }


def _logs(service: dict[str, Any]) -> dict[str, Value]:
    logging = service.get("logging")
    driver = word_at(logging, "driver") if is_map(logging) else None
    return {"driver": driver} if driver else {}


def _is_count(text: Any) -> TypeGuard[str]:
    return isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10


def _seconds(text: Any) -> int | float | None:
    """Return the seconds of a compose duration such as ``1m30s``."""
    if not isinstance(text, str):
        return None
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    seconds = round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 6)
    return int(seconds) if seconds.is_integer() else seconds


def _bytes(text: Any) -> int | None:
    match = _BYTES.fullmatch(text) if isinstance(text, str) else None
    return int(float(match[1]) * _FACTORS[match[2].lower()]) if match else None
