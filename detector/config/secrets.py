"""Secrets of parity.yml: a secret field ``foo`` is also taken as ``foo_file``, and never stands in the file.

Which fields are secret is said by their type, `pydantic.SecretStr`, in the models of Parity and of plugins.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Final, get_args, get_origin

from pydantic import BaseModel

from detector.config.problems import Problems, is_secret, keys_of, models_in
from detector.config.yaml import Entry, Node, Path

_LONGEST: Final = 64 * 1024
_MOUNTED: Final = FilePath("/run/secrets")


class _RefusedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def with_secrets(
    model: type[BaseModel], node: Node, path: Path, folder: FilePath, problems: Problems
) -> Node:
    """Return the mapping with each ``foo_file`` replaced by a ``foo`` that was read; notes what is wrong."""
    if not isinstance(node.value, Mapping):
        return node
    entries = dict(node.value)
    described = {field.alias or name for name, field in model.model_fields.items()}
    for name, field in model.model_fields.items():
        key = field.alias or name
        file_key = f"{key}_file"
        if is_secret(field.annotation):
            if file_key in entries and file_key not in described:
                entry = entries.pop(file_key)
                if key in entries:
                    problems.add((*path, file_key), "config-semantics", f"give {key} or {file_key}, not both")
                else:
                    node_read = _read_into(entry.node, (*path, file_key), folder, problems)
                    entries[key] = Entry(entry.line, entry.column, node_read)
            elif key in entries:
                _refuse_inline(entries[key].node, (*path, key), file_key, problems)
        elif key in entries:
            inner = entries[key]
            entries[key] = inner._replace(
                node=_nested(field.annotation, inner.node, (*path, key), folder, problems)
            )
    return Node(line=node.line, column=node.column, value=entries, literal=node.literal)


def _nested(annotation: object, node: Node, path: Path, folder: FilePath, problems: Problems) -> Node:
    if get_origin(annotation) is dict and isinstance(node.value, Mapping):
        if is_secret(get_args(annotation)[1]):
            for key, entry in node.value.items():
                _refuse_inline(entry.node, (*path, key), None, problems)
        return node
    secretive = [
        each for each in models_in(annotation) if any(key.endswith("_file") for key in keys_of(each))
    ]
    if isinstance(node.value, tuple):
        items = tuple(
            _nested(annotation, each, (*path, n), folder, problems) for n, each in enumerate(node.value)
        )
        return Node(line=node.line, column=node.column, value=items)
    return with_secrets(secretive[0], node, path, folder, problems) if secretive else node


def _refuse_inline(node: Node, path: Path, file_key: str | None, problems: Problems) -> None:
    if not isinstance(node.value, str) or not node.value:
        return
    literal = node.literal
    if not _is_bare_address(node.value) if literal is None else _password(literal):
        ways = f"${{VARIABLE}} or {file_key}" if file_key else "${VARIABLE}"
        problems.add(path, "config-inline-secret", f"a secret never stands in this file: use {ways}")


def _is_bare_address(text: str) -> bool:
    """Tell whether a text is an address that holds no secret. Of a web address the path may be one."""
    scheme, mark, rest = text.partition("://")
    return bool(mark) and scheme not in ("http", "https") and "?" not in rest and not _password(text)


def _password(text: str) -> str:
    authority = text.partition("://")[2].partition("?")[0].partition("#")[0]
    user, at, _ = authority.rpartition("@")
    return user.partition(":")[2] if at else ""


def _read_into(node: Node, path: Path, folder: FilePath, problems: Problems) -> Node:
    text = "unread"
    if not isinstance(node.value, str) or not node.value:
        problems.add(path, "config-type", "must be the path of a file")
    else:
        try:
            text = _read(folder / node.value)
        except _RefusedError as refusal:
            problems.add(path, refusal.code, str(refusal))
    return Node(line=node.line, column=node.column, value=text, literal="")


def _read(path: FilePath) -> str:
    try:
        # A pipe must not make the start wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise _RefusedError("secret-file-missing", "no such file; paths begin at the config file") from None
    except (OSError, ValueError):
        raise _RefusedError("secret-file-unreadable", "this user cannot open the file") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _RefusedError("secret-file-unreadable", "a folder or a device, not a file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_mode & 0o077 and not _is_private_mount(path, status.st_dev):
            raise _RefusedError("secret-file-mode", "group or others may use the file: chmod 600 it")
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise _RefusedError("secret-file-unreadable", f"larger than {_LONGEST // 1024} kB: no secret")
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _RefusedError("secret-file-unreadable", "not UTF-8") from None
    if not text.strip():
        raise _RefusedError("secret-file-empty", "the file is empty")
    return text


def _is_private_mount(path: FilePath, device: int) -> bool:
    """Tell whether an orchestrator mounted the file: under /run/secrets, or on a tmpfs."""
    if path.resolve().is_relative_to(_MOUNTED):
        return True
    try:
        mounts = FilePath("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    numbers = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, _, kind = line.partition(" - ")
        if mount.split()[2] == numbers and kind.split()[0] in ("tmpfs", "ramfs"):
            return True
    return False
