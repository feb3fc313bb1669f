"""Options of sources and receivers, checked against the model of the plugin that they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import BaseModel

from detector import plugins
from detector.collector import CollectorOptions
from detector.config.paths import why_refused
from detector.config.problems import Problems
from detector.config.secrets import with_secrets
from detector.config.yaml import Node, Path
from detector.errors import PluginError, did_you_mean


class PushOptions(CollectorOptions):
    """A push takes no options: whoever sends it knows what it saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionsReader:
    """Reads the options of plugins that one file names."""

    folder: FilePath
    problems: Problems

    def read(
        self, group: plugins.Group, name: str, node: Node, path: Path, *, at: Path, beside: frozenset[str]
    ) -> BaseModel | None:
        """Return a plugin's options, or None after noting what is wrong.

        ``at`` is where the plugin is named; ``beside`` are keys of the mapping that are not the plugin's.
        """
        model = self._model(group, name, at)
        if model is None:
            return None
        if node.value is None:
            node = Node(line=node.line, column=node.column, value={})
        if isinstance(node.value, Mapping):
            own = {
                key: entry
                for key, entry in node.value.items()
                if key not in beside and not key.startswith("x-")
            }
            node = Node(line=node.line, column=node.column, value=own)
        node = with_secrets(model, node, path, self.folder, self.problems)
        options = self.problems.check(model, node, path, tuple(sorted(beside)))
        if options is not None:
            self._check_paths(options, path)
        return options

    def _model(self, group: plugins.Group, name: str, at: Path) -> type[BaseModel] | None:
        if group == "parity.collectors" and name == "push":
            return PushOptions
        known = plugins.names(group)
        is_key = group == "parity.notifiers"
        if known and name not in known:
            also = ["push"] if group == "parity.collectors" else []
            kind = group.removeprefix("parity.").removesuffix("s")
            hint = did_you_mean(name, [*known, *also])
            self.problems.add(at, "config-plugin", f"no {kind} has this name{hint}", at_key=is_key)
            return None
        try:
            plugin = plugins.load(group, name)
        except PluginError as error:
            self.problems.add(at, "config-plugin", str(error), at_key=is_key)
            return None
        model: type[BaseModel] = plugin.Options
        return model

    def _check_paths(self, options: BaseModel, path: Path) -> None:
        for name, field in type(options).model_fields.items():
            value = getattr(options, name)
            for each in value if isinstance(value, list | tuple) else (value,):
                if isinstance(each, FilePath) and (why := why_refused(str(each), self.folder)):
                    self.problems.add((*path, field.alias or name), "config-path", why)
