"""Sees which secrets Vault's KV store (version 2) holds, by their metadata: their data is never asked for."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import quote

from pydantic import Field, SecretStr

from collectors._http import json_at
from collectors._stores import StoreOptions
from collectors.readers.settings import is_setting
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.shapes import reference_shape
from detector.model.words import Basis, SectionName

_MOST_SECRETS: Final = 2_000
_DEEPEST: Final = 16


class VaultOptions(StoreOptions):
    """Where Vault is, and which of its secrets are of this service."""

    mount: str = Field(
        "secret", description="Where the KV store is mounted.", pattern=r"^[A-Za-z0-9._/-]{1,128}$"
    )
    token: SecretStr = Field(description="Token that may list and read metadata.")
    namespace: str | None = Field(None, description="Namespace, where Vault has them.", max_length=256)
    subkeys: bool = Field(
        True,
        description="Whether the names inside each secret are asked for; values never are.",
    )


class VaultCollector:
    """Lists the secrets below a path. A secret whose newest version is deleted or destroyed is absent."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "vault"
    Options: ClassVar[type[VaultOptions]] = VaultOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "values of secrets, and whether two of them are equal",
        "which of the secrets a service reads",
    )

    async def collect(self, options: VaultOptions, context: Context) -> Collected:
        vault = _Vault(options, context)
        keys = options.new_keys(context.fingerprinter, valid=is_setting, source_class="secret_ref")
        refused = 0
        async for name in vault.names():
            if keys.allows(name):
                keys.shaped(name, reference_shape())
            else:
                refused += 1
        if refused:
            detail = f"{refused} names of Vault that can be no keys"
            keys.unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
        keys.unseen += vault.unseen
        section = keys.section("running", ("secret_ref",))
        return Collected(seen=(Seen(sections={"config": section}, component=options.component),))


@dataclass(slots=True)
class _Vault:
    """Asks Vault for what is there."""

    options: VaultOptions
    context: Context
    unseen: list[Unseen] = field(default_factory=list)

    async def names(self) -> AsyncIterator[str]:
        """Yield the secrets at and below the path, or the names inside of them, without the path itself."""
        root = self.options.path.strip("/")
        found = 0
        async for path in self._secrets(root):
            found += 1
            if found > _MOST_SECRETS:
                raise UnseenError("too_large", f"more than {_MOST_SECRETS} secrets below {root}")
            name = path.removeprefix(root).strip("/")
            try:
                metadata = await self._answer("metadata", path)
                inner = await self._answer("subkeys", path) if self.options.subkeys else {}
            except UnseenError as error:
                if error.reason != "denied":
                    raise
                self.unseen.append(Unseen(item="*", reason="denied", detail=error.detail))
                continue
            if is_deleted(metadata, self.context.now):
                continue
            for key in _leaves(inner.get("subkeys")) if self.options.subkeys else [""]:
                yield "/".join(part for part in (name, key) if part) or path.rpartition("/")[2]
        if not found:
            raise UnseenError("not_in_view", f"Vault shows no secret at {self.options.mount}/{root}")

    async def _secrets(self, root: str) -> AsyncIterator[str]:
        """Yield the path of each secret; a path may be a secret and have others below it."""
        if root and await self._answer("metadata", root):
            yield root
        folders = [root]
        while folders:
            folder = folders.pop()
            listed = await self._answer("metadata", folder, "?list=true")
            names = listed.get("keys")
            for name in names if isinstance(names, list) else ():
                path = f"{folder}/{name}".strip("/")
                if not str(name).endswith("/"):
                    yield path
                elif len(folders) < _MOST_SECRETS and path.count("/") < _DEEPEST:
                    folders.append(path)

    async def _answer(self, kind: str, path: str, query: str = "") -> dict[str, Any]:
        """Return the data of an answer, nothing where there is none. Raises UnseenError."""
        options = self.options
        headers = {"X-Vault-Token": options.token.get_secret_value(), "X-Vault-Request": "true"}
        if options.namespace:
            headers["X-Vault-Namespace"] = options.namespace
        mount = options.mount.strip("/")
        right = "list" if query else "read"
        remedy = f'grant the token {right} on "{mount}/{kind}/{path}"'
        url = options.asked("v1", mount, kind, quote(path)) + query
        try:
            answer, _ = await json_at(self.context, url, headers=headers, remedy=remedy)
        except UnseenError as error:
            if error.reason == "not_in_view":
                return {}
            raise
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else {}


def is_deleted(metadata: dict[str, Any], now: datetime) -> bool:
    """Tell whether the newest version of a secret can be read no more."""
    versions = metadata.get("versions")
    newest = versions.get(str(metadata.get("current_version"))) if isinstance(versions, dict) else None
    if not isinstance(newest, dict):
        return True
    ends = str(newest.get("deletion_time") or "")
    try:
        return bool(newest.get("destroyed")) or (bool(ends) and datetime.fromisoformat(ends) <= now)
    except (ValueError, TypeError):
        raise UnseenError("malformed", "Vault answered a deletion_time that is no time") from None


def _leaves(tree: Any, front: str = "", levels: int = _DEEPEST) -> Iterator[str]:
    if not isinstance(tree, dict) or not tree or not levels:
        if front:
            yield front
        return
    for name, inner in tree.items():
        yield from _leaves(inner, f"{front}/{name}".strip("/"), levels - 1)
