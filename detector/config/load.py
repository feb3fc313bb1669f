"""Finds and loads parity.yml: every problem at once, each with its place, or one frozen record."""

import os
import stat
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from detector.config.accepted import read_accepted
from detector.config.comparisons import read_comparisons, read_environments
from detector.config.draft import Draft, Piece
from detector.config.hearing import read_alerting
from detector.config.interpolation import interpolate
from detector.config.models import Defaults, Group, OidcAuth, ParityFile, Server
from detector.config.options import OptionsReader
from detector.config.paths import why_refused
from detector.config.problems import Problems
from detector.config.records import Config
from detector.config.rulebook import read_rules
from detector.config.secrets import with_secrets
from detector.config.services import ServicesReader
from detector.config.unheeded import warn_of_unheeded
from detector.config.yaml import MAX_BYTES, parse
from detector.errors import ConfigError, Problem

VARIABLE: Final = "PARITY_CONFIG"
PLACES: Final = (Path("parity.yml"), Path("/etc/parity/parity.yml"))


def find(explicit: str | None, environ: Mapping[str, str]) -> Path:
    """Return where parity.yml is: ``--config``, $PARITY_CONFIG, here, /etc/parity. Raises ConfigError."""
    named = explicit or environ.get(VARIABLE)
    if named:
        return Path(named)
    for place in PLACES:
        if place.exists():
            return place
    places = ", ".join(str(place) for place in PLACES)
    why = f"looked for {places}; name another with --config or {VARIABLE}, or begin with parity init"
    raise _unreadable(PLACES[0], "config-not-found", why)


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration of a file. Raises ConfigError with every problem that it has."""
    parsed, doubles = parse(_bytes(path), str(path))
    problems = Problems(path, parsed)
    path = path.absolute()
    problems.extend(doubles)
    root = interpolate(parsed, environ, problems)
    # Later errors about a variable's value stand where the variable does.
    problems.root = root
    options = OptionsReader(folder=path.parent, problems=problems)
    draft = Draft(root=Piece((), root), folder=path.parent, problems=problems, options=options)
    server = _server(draft)
    # Sources are checked by the models of their plugins, so here their keys are free.
    problems.check(ParityFile, draft.root.without("server").node, ())
    environments = read_environments(draft)
    comparisons = read_comparisons(draft, environments)
    services = ServicesReader(draft, environments, draft.one(Defaults, "defaults"))
    services.read()
    rules = read_rules(draft, comparisons, any_service=services.discovers)
    alerting, receivers = read_alerting(draft)
    accepted = read_accepted(draft, comparisons, any_service=services.discovers)
    warn_of_unheeded(draft)
    groups = _groups(draft)
    problems.raise_if_any()
    return Config(
        path=path,
        server=server,
        groups=groups,
        environments=environments,
        comparisons=comparisons,
        services=tuple(services.services),
        sources=tuple(services.sources),
        rules=rules,
        alerting=alerting,
        receivers=receivers,
        accepted_drift=tuple(piece.text for piece in draft.root.at("accepted_drift").each()),
        accepted=accepted,
        discovered=tuple(services.globs),
        warnings=tuple(problems.warnings),
    )


def _bytes(path: Path) -> bytes:
    try:
        # A pipe must not make the start wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise _unreadable(path, "config-not-found", "no such file") from None
    except (OSError, ValueError):
        raise _unreadable(path, "config-unreadable", "this user cannot open the file") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unreadable(path, "config-unreadable", "a folder or a device, not a file")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if not data:
        raise _unreadable(path, "config-empty", "the file is empty; begin with version: 1 and environments")
    return data


def _unreadable(path: Path, code: str, message: str) -> ConfigError:
    problem = Problem(file=str(path), line=1, column=1, path="document", message=message, code=code)
    return ConfigError([problem])


def _server(draft: Draft) -> Server:
    piece = draft.root.at("server")
    if piece.node.value is None:
        return Server()
    node = with_secrets(Server, piece.node, piece.path, draft.folder, draft.problems)
    server = draft.problems.check(Server, node, piece.path)
    if server is None:
        return Server()
    if isinstance(server.auth, OidcAuth):
        message = "OpenID Connect is not supported yet: use token"
        draft.problems.add(piece.at("auth").path, "config-semantics", message)
    if server.auth == "none" and not _is_loopback(server.host):
        message = "auth: none is for loopback alone: listen on 127.0.0.1, or use auth: token"
        draft.problems.add(piece.at("listen").path, "config-insecure", message)
    if server.data_dir is not None and (why := why_refused(str(server.data_dir), draft.folder)):
        draft.problems.add(piece.at("data_dir").path, "config-path", why)
    return server


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _groups(draft: Draft) -> dict[str, Group]:
    value = draft.root.at("groups").node.value
    if not isinstance(value, Mapping):
        return {}
    found = {
        name: draft.problems.check(Group, entry.node, ("groups", name))
        for name, entry in value.items()
        if not name.startswith("x-")
    }
    return {name: group for name, group in found.items() if group is not None}
