"""Config as secret managers export it in JSON: Doppler, Infisical, and their likes."""

from typing import Any, Final

#: What stands for a value that the export keeps to itself.
HIDDEN: Final = object()
#: How lists call a name and its value: exports of Infisical, answers of its API, `env` of containers.
_PAIRS: Final = (("key", "value"), ("secretKey", "secretValue"), ("name", "value"))


def flat(document: Any) -> dict[str, Any] | None:
    """Return name -> value of an export, or None where a document is none."""
    if isinstance(document, dict):
        inner = document.get("secrets")
        if len(document) <= 2 and isinstance(inner, list):
            return flat(inner)
        computed = [value for value in document.values() if isinstance(value, dict) and "computed" in value]
        if not computed or len(computed) < len(document):
            return None
        return {name: _value(value["computed"]) for name, value in document.items()}
    if not isinstance(document, list) or not document:
        return None
    for name, value in _PAIRS:
        if all(isinstance(one, dict) and isinstance(one.get(name), str) and value in one for one in document):
            return {one[name]: _value(one[value]) for one in document}
    return None


def _value(value: Any) -> Any:
    return HIDDEN if value is None or value == "<hidden-by-infisical>" else value
