"""Writes what tools print of the manifests beside this file.

python -m tests.collectors.readers.manifests.record            needs kubectl 1.32
python -m tests.collectors.readers.manifests.record helm       needs helm 3 or 4
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def kustomized(name: str) -> None:
    """Write what kustomize builds, and which variables kubectl finds in it."""
    built = _said("kubectl", "kustomize", str(HERE / "kustomize" / name))
    (HERE / f"{name}.yaml").write_text(built)
    listed = _said("kubectl", "set", "env", "--local", "--list", "-f", str(HERE / f"{name}.yaml"))
    (HERE / f"{name}.env.json").write_text(json.dumps(variables(listed), indent=1) + "\n")


def variables(listed: str) -> dict[str, list[str]]:
    """`kind name container` -> names of its variables, of a list that ``kubectl set env --list`` printed."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in listed.splitlines():
        if line.startswith("# ") and ", container " in line:
            workload, _, container = line[2:].partition(", container ")
            names = found.setdefault(f"{workload} {container}", [])
        else:
            names.append(line.removeprefix("# ").partition("=")[0].partition(" from ")[0])
    return found


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    if sys.argv[1:] == ["helm"]:
        (HERE / "helm.yaml").write_text(
            _said("helm", "template", "live", str(HERE / "chart"), "-n", "billing")
        )
    else:
        for name in ("staging", "prod"):
            kustomized(name)
