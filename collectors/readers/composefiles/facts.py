"""What one service of a compose file says of itself, section by section (Compose specification).

Copied by allow-list: of a command the program's name alone, never its arguments; of labels nothing.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeGuard

from collectors._containers import first_process, image_reference, program, user
from collectors._web_servers import web_server
from collectors.readers._yaml import Tree, is_map
from collectors.readers.composefiles.merge import listed
from collectors.readers.composefiles.variables import OPEN, is_open, open_names, open_texts
from detector.model.facts import Section, Unseen, Value
from detector.model.words import Completeness, SectionName

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
_MOUNT: Final = re.compile(r"/[A-Za-z0-9._@+/-]{1,255}")
_OPTION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
#: Condition of a restart policy of ``deploy`` -> the engine's word.
_CONDITIONS: Final = {"none": "no", "on-failure": "on-failure", "any": "always"}
_MOUNT_KINDS: Final = ("bind", "volume", "tmpfs", "npipe", "cluster", "image")
#: What an engine takes where the file says nothing, in seconds.
_PROBE_TIMES: Final = (("interval", 30), ("timeout", 30), ("start_period", 0))


#: Key of a service -> items that are unseen while a variable in it is open. `image` and `ports` say more.
_WAITING: Final[Mapping[str, tuple[tuple[SectionName, str], ...]]] = {
    "expose": (("ports", "*"),),
    "volumes": (("processes", "mount/*"),),
    "tmpfs": (("processes", "mount/*"),),
    "command": (("processes", "command"), ("processes", "server")),
    "entrypoint": (("processes", "command"), ("processes", "server"), ("disposability", "pid1")),
    "user": (("processes", "user"),),
    "read_only": (("processes", "read_only"),),
    "deploy": (("concurrency", "*"), ("disposability", "restart")),
    "scale": (("concurrency", "replicas"),),
    "mem_limit": (("concurrency", "limit/memory"),),
    "cpus": (("concurrency", "limit/cpu"),),
    "stop_signal": (("disposability", "stop_signal"),),
    "stop_grace_period": (("disposability", "grace"),),
    "restart": (("disposability", "restart"),),
    "init": (("disposability", "pid1"),),
    "healthcheck": (("disposability", "probe/*"),),
    "platform": (("release", "image#platform"),),
    "logging": (("logs", "*"),),
}


def sections_of(
    service: dict[str, Any], declared: Mapping[str, Mapping[str, Any]]
) -> dict[SectionName, Section]:
    """Return every section but config of which a service says something.

    ``declared`` are the secrets and configs of its project. What waits for a variable is unseen.
    """
    facts: dict[SectionName, dict[str, Value]] = {
        "release": _release(service),
        "processes": _processes(service) | _mounted_files(service, declared),
        "ports": _ports(service),
        "concurrency": _concurrency(service),
        "disposability": _disposability(service),
        "logs": _logs(service),
    }
    gaps: dict[SectionName, list[Unseen]] = {}
    for section, item, texts in _open_parts(service):
        if item in facts[section]:
            continue
        detail = f"it waits for {open_names(texts)}, which nothing here sets"
        gaps.setdefault(section, []).append(Unseen(item=item, reason="not_in_view", detail=detail))
    found = {}
    for name, known in facts.items():
        unseen = tuple(gaps.get(name, ()))
        if known or unseen:
            status: Completeness = "partial" if unseen else "complete"
            found[name] = Section(basis="declared", status=status, facts=known, unseen=unseen)
    return found


def _open_parts(service: dict[str, Any]) -> Iterable[tuple[SectionName, str, list[Any]]]:
    """Yield the items of which nothing is known before variables are set, and the texts with these."""
    image = service.get("image")
    if is_open(image):
        stated, colon, _ = str(image).partition(f":{OPEN}")
        yield "release", "image#tag" if colon and image_reference(stated) else "image#*", [image]
    elif image is not None and (not isinstance(image, str) or image_reference(image) is None):
        yield "release", "image#*", []
    for port in listed(service.get("ports")):
        if (texts := open_texts(port)) and not dict(_ports({"ports": [port]})):
            yield "ports", "*", list(texts)
    health = service.get("healthcheck")
    parts = service | ({"healthcheck": _times(health)} if is_map(health) else {})
    for key, items in _WAITING.items():
        if texts := open_texts(parts.get(key)):
            for section, item in items:
                yield section, item, list(texts)


def word_at(service: dict[str, Any], key: str) -> str | None:
    """Return a word of a service, or None where there is none or it is only known when compose runs."""
    value = service.get(key)
    return value if isinstance(value, str) and not is_open(value) and _WORD.fullmatch(value) else None


def _release(service: dict[str, Any]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    if (platform := word_at(service, "platform")) is not None:
        facts["image#platform"] = platform
    text = service.get("image")
    if not isinstance(text, str) or not text:
        return facts
    stated = text.partition(f":{OPEN}")[0]
    image = image_reference(stated)
    if image is None:
        return facts
    facts["image#repository"] = image.repository
    if image.tag and stated == text:
        facts["image#tag"] = image.tag
    if image.digest:
        # What people and bots pin is what the registry shows for a tag: the index of all platforms.
        facts["image#index"] = image.digest
    return facts


def _processes(service: dict[str, Any]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    argv = [*_words(service.get("entrypoint")), *_words(service.get("command"))]
    if known := program(argv):
        facts["command"] = known
    if server := web_server(argv):
        facts["server"] = server
    if "read_only" in service and not is_open(service["read_only"]):
        facts["read_only"] = service["read_only"] in _TRUE
    if (name := word_at(service, "user")) is not None:
        facts["user"] = user(name)
    for mount in listed(service.get("volumes")):
        facts |= _mount(mount)
    for path in listed(service.get("tmpfs")):
        target = path.partition(":")[0] if isinstance(path, str) else ""
        if _MOUNT.fullmatch(target):
            facts[f"mount/{target.strip('/')}"] = {"kind": "tmpfs", "read_only": False}
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
    if not isinstance(target, str) or kind not in _MOUNT_KINDS or not _MOUNT.fullmatch(target):
        return {}
    return {f"mount/{target.strip('/')}": {"kind": kind, "read_only": read_only}}


def mounted_secrets(service: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield each secret of a service: its name in the project, and its name below ``/run/secrets``."""
    yield from _mounted(service, "secrets", "/run/secrets/")


def _mounted(service: dict[str, Any], kind: str, folder: str) -> Iterable[tuple[str, str]]:
    for entry in listed(service.get(kind)):
        source = entry.get("source") if is_map(entry) else entry
        target = (entry.get("target") if is_map(entry) else None) or source
        if isinstance(source, str) and isinstance(target, str):
            yield (
                source,
                (target if target.startswith("/") else folder + target).removeprefix("/run/secrets/"),
            )


def _mounted_files(service: dict[str, Any], declared: Mapping[str, Mapping[str, Any]]) -> dict[str, Value]:
    """Return the mounts of secrets and configs that are files: compose binds these, others it copies in."""
    facts: dict[str, Value] = {}
    for kind, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        for source, target in _mounted(service, kind, folder):
            entry = declared[kind].get(source)
            path = target if target.startswith("/") else f"/run/secrets/{target}"
            if is_map(entry) and entry.get("file") is not None and _MOUNT.fullmatch(path):
                facts[f"mount/{path.strip('/')}"] = {"kind": "bind", "read_only": True}
    return facts


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
    if deploy.get("mode", "replicated") == "replicated" and _is_count(replicas):
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
    init = service.get("init") in _TRUE
    entry = _words(service.get("entrypoint"))
    if init or (entry and not open_texts(service["entrypoint"])):
        facts["pid1"] = first_process([*entry, *_words(service.get("command"))], init=init)
    if (signal := word_at(service, "stop_signal")) is not None:
        facts["stop_signal"] = signal if signal.startswith("SIG") or signal.isdigit() else f"SIG{signal}"
    if (grace := _seconds(service.get("stop_grace_period"))) is not None:
        facts["grace"] = grace
    if (restart := _restart(service)) is not None:
        facts["restart"] = restart
    health = service.get("healthcheck")
    if is_map(health) and not open_texts(_times(health)):
        facts["probe/health"] = _probe(health)
    return facts


def _restart(service: dict[str, Any]) -> str | None:
    """Return the policy in the words of the engine; that of ``deploy`` goes first."""
    deploy = service.get("deploy")
    policy = deploy.get("restart_policy") if is_map(deploy) else None
    if is_map(policy):
        return _CONDITIONS.get(str(policy.get("condition", "any")))
    return word_at(service, "restart")


def _times(health: dict[str, Any]) -> dict[str, Any]:
    """Return a health check without what it runs: a variable in there is the shell's."""
    return {key: value for key, value in health.items() if key != "test"}


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
    if not is_map(logging):
        return {}
    driver, options = word_at(logging, "driver"), logging.get("options")
    facts: dict[str, Value] = {"driver": driver} if driver else {}
    if is_map(options):
        facts["options"] = sorted(name for name in options if _OPTION.fullmatch(name))
    return facts


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
