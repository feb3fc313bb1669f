"""Finds collectors, readers and notifiers by entry point, and loads the ones that are named.

A plugin is one line in a distribution's metadata; nothing of it is imported before something names it.
"""

from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal

from detector.errors import PluginError, did_you_mean

Group = Literal["parity.collectors", "parity.readers", "parity.notifiers"]

#: The module that holds the contract of each group, with its ``API`` number.
_CONTRACTS: Final[dict[Group, str]] = {
    "parity.collectors": "detector.collector",
    "parity.readers": "detector.reader",
    "parity.notifiers": "detector.notifier",
}
#: What a module of a stranger may raise while it is imported.
_IMPORT_FAILURES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def names(group: Group) -> tuple[str, ...]:
    """Return the names of all plugins of a group in alphabetical order, without importing any."""
    return tuple(sorted(_found()[group]))


def load(group: Group, name: str) -> Any:
    """Return the class of the plugin with this name. Raises PluginError that names the culprit."""
    found = _found()[group]
    kind = _kind(group)
    if not found:
        raise PluginError(
            f"no {kind} is installed: this Python lacks the project itself; install it (in a clone: make run)"
        )
    if name not in found:
        raise PluginError(f"no {kind} is named {name}{did_you_mean(name, names(group))}")
    point, *others = found[name]
    if others:
        owners = " and ".join(sorted(_distribution(each) for each in (point, *others)))
        raise PluginError(f"{kind} {name} comes from {owners}: uninstall all but one of them")
    plugin = _imported(kind, point)
    contract = import_module(_CONTRACTS[group]).API
    if getattr(plugin, "API", None) != contract:
        raise PluginError(
            f"{kind} {name} of {_distribution(point)} is not written for contract {contract}: "
            "install a version of it that fits this Parity"
        )
    return plugin


@lru_cache(maxsize=1)
def _found() -> dict[Group, dict[str, list[EntryPoint]]]:
    """Read the metadata of every distribution once: it costs a few milliseconds."""
    everything = entry_points()
    found: dict[Group, dict[str, list[EntryPoint]]] = {}
    for group in _CONTRACTS:
        named = found[group] = {}
        for point in everything.select(group=group):
            named.setdefault(point.name, []).append(point)
    return found


def _kind(group: Group) -> str:
    return group.removeprefix("parity.").removesuffix("s")


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _imported(kind: str, point: EntryPoint) -> Any:
    culprit = f"{kind} {point.name} of {_distribution(point)}"
    try:
        return point.load()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not missing or missing == point.module.partition(".")[0]:
            raise PluginError(f"{culprit} has no module {point.module}: reinstall it") from None
        raise PluginError(f"{culprit} needs {missing}: {_remedy(point, missing)}") from None
    except _IMPORT_FAILURES as error:
        # The text of a foreign exception may carry a value: its type is enough to find it.
        raise PluginError(
            f"{culprit} cannot be imported ({type(error).__name__}): run python -c 'import {point.module}'"
        ) from None


def _remedy(point: EntryPoint, missing: str) -> str:
    """Return what to install: the extra of the plugin's distribution that brings the missing module."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only on the way out

    if point.dist is None:
        return f"install {missing}"
    extras = point.dist.metadata.get_all("Provides-Extra") or []
    for text in point.dist.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.name.replace("-", "_").lower() != missing.lower() or requirement.marker is None:
            continue
        for extra in extras:
            if requirement.marker.evaluate({"extra": extra}):
                return f"install {point.dist.name}[{extra}]"
    return f"install {missing}"
