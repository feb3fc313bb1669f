"""The collector of Kubernetes manifests: whose they are, which are asked for, and from where."""

import json
from pathlib import Path

import pytest

from collectors.manifests import ManifestsCollector, ManifestsOptions
from detector.collector import Collected
from detector.errors import UnseenError
from detector.model.canonical import section_document
from tests.collectors.lent import context

HERE = Path(__file__).parent / "readers" / "manifests"


async def collected(of: str | None, /, folder: Path = HERE, **options: object) -> Collected:
    chosen = ManifestsOptions.model_validate({"path": "staging.yaml"} | options)
    return await ManifestsCollector().collect(chosen, context(of, folder=folder))


async def test_a_source_of_a_service_sees_its_components() -> None:
    found = await collected("checkout")
    assert {seen.service for seen in found.seen} == {None}
    assert [(seen.component, seen.component_kind) for seen in found.seen] == [
        ("web.proxy", "sidecar"),
        ("web", "process"),
        ("web.migrate", "job"),
        ("web.tail", "sidecar"),
        ("worker", "process"),
        ("database", "process"),
        ("cleanup", "job"),
    ]
    assert found.complete


async def test_one_component_may_be_asked_for() -> None:
    (seen,) = (await collected("shop", service="checkout", component="worker")).seen
    assert seen.component == "worker"
    with pytest.raises(UnseenError, match=r"no component workr \(did you mean worker\?\)"):
        await collected("checkout", component="workr")


async def test_a_service_that_is_not_there_is_named_with_what_is_like_it() -> None:
    with pytest.raises(UnseenError, match=r"no workload of chekout \(did you mean checkout\?\)"):
        await collected("chekout")


async def test_a_discovery_sees_every_service_of_several_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "helm.yaml").write_bytes((HERE / "helm.yaml").read_bytes())
    (tmp_path / "staging.yaml").write_bytes((HERE / "staging.yaml").read_bytes())
    found = await collected(None, tmp_path, path=None, paths=["staging.yaml", "more"])
    assert {seen.service for seen in found.seen} == {"checkout", "billing"}
    assert found.complete


async def test_a_file_that_cannot_be_read_leaves_a_discovery_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes((HERE / "helm.yaml").read_bytes())
    (tmp_path / "b.yaml").write_text("a: [")
    found = await collected(None, tmp_path, path=".")
    assert not found.complete
    assert found.warnings == ("b.yaml:2:1: not valid YAML here or just before",)


@pytest.mark.parametrize("path", ["missing.yaml", "kustomize"])
async def test_a_path_that_is_no_manifest_is_unseen(path: str) -> None:
    with pytest.raises(UnseenError) as caught:
        await collected("checkout", path=path)
    assert caught.value.reason in {"unreachable", "unsupported"}


async def test_labels_and_namespace_are_options() -> None:
    found = await collected(None, path="helm.yaml", service_label="app.kubernetes.io/instance")
    assert {seen.service for seen in found.seen} == {"live", "live-migrate"}
    with pytest.raises(UnseenError):
        await collected("checkout", namespace="prod")


async def test_no_value_of_a_manifest_comes_out() -> None:
    found = await collected("checkout")
    assert "C4n4ry" not in str(found)
    documents = [section_document(section) for seen in found.seen for section in seen.sections.values()]
    assert "C4n4ry" not in json.dumps(documents)
