"""What a collector says when the library it needs is not installed."""

from detector.errors import PluginError


def missing_extra(collector: str, extra: str) -> PluginError:
    """Return the error that names the command which installs it."""
    return PluginError(f"collector {collector} needs its library: pip install 'parity-detector[{extra}]'")
