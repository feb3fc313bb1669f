"""The environment of one container: keys, where their values come from, and what hides behind a reference.

A value that stands in the files, in the container or in a ConfigMap, becomes a shape. Of a Secret the names
of its keys are taken and nothing else.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.readers._config import config_section, is_variable
from collectors.readers._yaml import is_map
from collectors.readers.kubernetes.objects import Object, Objects, at, maps_at, text_at
from detector.model.facts import Section, Unseen
from detector.model.shapes import reference_shape
from detector.model.words import SourceClass

#: (key, value, source class) -> shape.
Shaped = Callable[[str, str, SourceClass], dict[str, Any]]
_REFERENCE: Final = re.compile(r"\$\$|\$\(([^()$]{1,256})\)")
_OBJECT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_TEMPLATE: Final = "template"


@dataclass(slots=True, kw_only=True)
class _Environment:
    shaped: Shaped
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Values that a later one may refer to; None where a key is set and its value is not known.
    values: dict[str, str | None] = field(default_factory=dict)
    unseen: list[Unseen] = field(default_factory=list)
    refused: int = 0

    def set(self, key: str, value: str, source_class: SourceClass) -> None:
        """Set a key to a value of the files."""
        if self._takes(key):
            self.values[key] = value
            self.shapes[key] = self.shaped(key, value, source_class)

    def refer(self, key: str, shape: dict[str, Any]) -> None:
        """Set a key to a value that is not looked at."""
        if self._takes(key):
            self.values[key] = None
            self.shapes[key] = shape

    def hide(self, item: str, detail: str) -> None:
        """Say that keys may be set, and why nobody knows."""
        self.unseen.append(Unseen(item=item, reason="not_in_view", detail=detail))

    def _takes(self, key: str) -> bool:
        self.refused += not is_variable(key)
        return is_variable(key)


def config_of(pod: Object, container: Mapping[str, Any], objects: Objects, shaped: Shaped) -> Section:
    """Return the keys of ``envFrom`` and, over them, those of ``env``."""
    environment = _Environment(shaped=shaped)
    for source in maps_at(container, "envFrom"):
        _take_all(environment, pod, source, objects)
    for entry in maps_at(container, "env"):
        _take(environment, pod, entry, objects)
    if environment.refused:
        detail = f"{pod.place}: {environment.refused} of `env` without a valid name"
        environment.unseen.append(Unseen(item="*", reason="malformed", detail=detail))
    return config_section(environment.shapes, environment.unseen)


def _take_all(environment: _Environment, pod: Object, source: Mapping[str, Any], objects: Objects) -> None:
    """Take every key of a ConfigMap or Secret, but for names that no variable can have."""
    prefix = text_at(source, "prefix")
    if at(source, "configMapRef") is not None:
        kind, name = "ConfigMap", at(source, "configMapRef", "name")
        if (found := objects.named("ConfigMap", pod, name)) is not None:
            for key, value in data_of(found).items():
                if is_variable(prefix + key):
                    environment.set(prefix + key, value, "env_file")
            return
    else:
        kind, name = "Secret", at(source, "secretRef", "name")
        if (keys := secret_keys(pod, name, objects)) is not None:
            for key in keys:
                if is_variable(prefix + key):
                    environment.refer(prefix + key, reference_shape())
            return
    item = f"{prefix}*" if not prefix or is_variable(prefix) else "*"
    environment.hide(item, f"{pod.place}: envFrom {_named(kind, name)} is not in these files")


def _take(environment: _Environment, pod: Object, entry: Mapping[str, Any], objects: Objects) -> None:
    """Take one variable."""
    key, source = text_at(entry, "name"), at(entry, "valueFrom")
    if not is_map(source):
        value = _expanded(text_at(entry, "value"), environment.values)
        if value is None:
            environment.refer(key, {"type": _TEMPLATE, "source_class": "literal", "opaque": True})
        else:
            environment.set(key, value, "literal")
    elif "configMapKeyRef" in source:
        name = at(source, "configMapKeyRef", "name")
        found = objects.named("ConfigMap", pod, name)
        if found is None:
            # The pod does not start without it, so the key is there.
            environment.refer(key, reference_shape("env_file"))
        elif (value := data_of(found).get(text_at(source, "configMapKeyRef", "key"))) is not None:
            environment.set(key, value, "env_file")
        elif is_variable(key):
            environment.hide(key, f"{pod.place}: {_named('ConfigMap', name)} lacks the key that it refers to")
    else:
        environment.refer(key, reference_shape("secret_ref" if "secretKeyRef" in source else "platform"))


def _expanded(text: str, values: Mapping[str, str | None]) -> str | None:
    """Return a value with ``$(NAME)`` filled in from the keys above it, None where one of these is not known.

    What refers to no key stays as it is, and ``$$`` is a dollar, as the API says.
    """
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[0] == "$$":
            return "$"
        found = values.get(match[1], match[0])
        unknown |= found is None
        return found or ""

    found = _REFERENCE.sub(value, text)
    return None if unknown else found


def data_of(config_map: Object) -> dict[str, str]:
    """Return the texts of a ConfigMap."""
    data = at(config_map.tree, "data")
    return {key: value for key, value in data.items() if isinstance(value, str)} if is_map(data) else {}


def secret_keys(beside: Object, name: object, objects: Objects) -> list[str] | None:
    """Return the names of the keys of a Secret, or of what will become it, None where no file tells them."""
    if (secret := objects.named("Secret", beside, name)) is not None:
        return [key for part in ("data", "stringData") for key in _keys(at(secret.tree, part))]
    if (sealed := objects.named("SealedSecret", beside, name)) is not None:
        return _keys(at(sealed.tree, "spec", "encryptedData"))
    for external in objects.of("ExternalSecret"):
        target = at(external.tree, "spec", "target", "name") or external.name
        if target == name and external.namespace in ("", beside.namespace):
            if at(external.tree, "spec", "dataFrom") or at(external.tree, "spec", "target", "template"):
                return None
            return [
                key for one in maps_at(external.tree, "spec", "data") if (key := text_at(one, "secretKey"))
            ]
    return None


def _keys(tree: Any) -> list[str]:
    return list(tree) if is_map(tree) else []


def _named(kind: str, name: object) -> str:
    known = isinstance(name, str) and _OBJECT_NAME.fullmatch(name)
    return f"{kind} {name}" if known else f"a {kind}"
