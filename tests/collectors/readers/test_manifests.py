"""Kubernetes manifests: what each container declares, and what stays hidden behind a reference."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.readers.kubernetes.folder import files_below
from collectors.readers.kubernetes.workloads import Naming
from collectors.readers.manifests import ManifestsReader
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.model.words import SectionName
from detector.reader import Part, Read
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
HERE = Path(__file__).parent / "manifests"
BUILT = {name: (HERE / f"{name}.yaml").read_bytes() for name in ("staging", "prod", "helm")}


def read(data: bytes | str, **options: Any) -> Read:
    text = data.encode() if isinstance(data, str) else data
    return ManifestsReader().read_files([("all.yaml", lambda: text)], FINGERPRINTER, **options).read


def parts(data: bytes | str, **options: Any) -> dict[str, Part]:
    """Service, component and kind in one word -> part."""
    found = read(data, **options).parts
    named = {f"{part.service} {part.component} {part.component_kind}": part for part in found}
    assert len(named) == len(found)
    return named


def deployment(container: str, *, pod: str = "", more: str = "") -> str:
    """A Deployment with one container, in flow style."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{template: {{spec: {{{pod}containers: [{{name: web, image: "acme/web:1", {container}}}]}}}}}}
{more}"""


def section(name: SectionName, container: str, *, pod: str = "", more: str = "") -> Section:
    (part,) = read(deployment(container, pod=pod, more=more)).parts
    return part.sections[name]


def shapes(container: str, more: str = "") -> dict[str, Any]:
    return dict(section("config", container, more=more).facts)


# --- what tools print -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_variables_are_those_that_kubectl_lists(name: str) -> None:
    listed = json.loads((HERE / f"{name}.env.json").read_text())
    assert sum(map(len, listed.values())) == 12
    # kubectl does not look into envFrom.
    without = BUILT[name].replace(b"envFrom:", b"unknown:")
    ours = sorted(sorted(part.sections["config"].facts) for part in read(without).parts)
    assert ours == sorted(sorted(names) for names in listed.values())


def test_what_kustomize_builds_is_read_whole() -> None:
    found = parts(BUILT["staging"])
    assert sorted(found) == [
        "checkout cleanup job",
        "checkout database process",
        "checkout web process",
        "checkout web.migrate job",
        "checkout web.proxy sidecar",
        "checkout web.tail sidecar",  # starts before the others, and stays
        "checkout worker process",
    ]
    web = {name: dict(s.facts) for name, s in found["checkout web process"].sections.items()}
    assert web["release"] == {"image#repository": "acme/checkout", "image#tag": "1.4.3"}
    assert web["codebase"] == {"repo#url": "git.example/acme/checkout", "repo#commit": "5f2c1d7"}
    assert web["processes"] == {
        "command": "gunicorn",
        "server": "gunicorn",
        "user": "1000:1000",
        "read_only": True,
        "affinity": "client_ip",
        "mount/tmp": {"kind": "tmpfs", "read_only": False},
        "mount/etc/app": {"kind": "config", "read_only": True},
        "mount/data": {"kind": "volume", "read_only": False},
    }
    # 9100 is where its Service leads to.
    assert web["ports"] == {"8000/tcp": None, "9100/tcp": None}
    assert web["concurrency"] == {"replicas": 2, "limit/memory": 512 * 2**20, "limit/cpu": 0.5}
    assert web["disposability"] == {
        "grace": 45,
        "restart": "always",
        "pid1": "program",
        "probe/liveness": {"kind": "command", "interval": 10, "timeout": 1, "retries": 5, "start_period": 0},
        "probe/readiness": {"kind": "http", "interval": 5, "timeout": 1, "retries": 3, "start_period": 0},
    }
    # What the autoscaler counts is no number of the manifest.
    assert found["checkout worker process"].sections["concurrency"].facts["replicas"] == {"min": 2, "max": 10}
    assert found["checkout cleanup job"].sections["admin"].facts == {
        "schedule": {"cron": "0 3 * * *", "time_zone": "Europe/Berlin", "suspended": False}
    }
    assert found["checkout database process"].sections["backing_services"].facts == {
        "main#product": "postgresql",
        "main#version": "16.3",
        "main#variant": "alpine",
    }


def test_config_says_where_each_value_comes_from() -> None:
    config = parts(BUILT["staging"])["checkout web process"].sections["config"]
    facts: dict[str, Any] = dict(config.facts)
    assert {key: shape["source_class"] for key, shape in facts.items()} == {
        "FEATURE_GIFTS": "env_file",
        "LOG_LEVEL": "literal",  # `env` stands over `envFrom`
        "REGION": "env_file",
        "STRIPE_API_KEY": "secret_ref",
        "HOST": "literal",
        "DATABASE_URL": "secret_ref",
        "REPORTS_URL": "literal",
        "FULL_URL": "literal",
        "PRICE": "literal",
        "AREA": "env_file",
        "OTHER": "env_file",
        "NODE_NAME": "platform",
        "MEMORY": "platform",
        "EMPTY": "literal",
    }
    assert facts["AREA"]["fingerprint"] == FINGERPRINTER.of("AREA", "eu-central-1")
    assert facts["REPORTS_URL"]["fingerprint"] == FINGERPRINTER.of(
        "REPORTS_URL", "postgres://app:C4n4ry@db/reports"
    )
    assert facts["PRICE"]["fingerprint"] == FINGERPRINTER.of("PRICE", "5$(HOST)")
    assert facts["FULL_URL"] == {"type": "template", "source_class": "literal", "opaque": True}
    assert facts["EMPTY"] == {"type": "empty", "source_class": "literal"}
    assert all(
        "fingerprint" not in facts[key] for key in ("STRIPE_API_KEY", "DATABASE_URL", "OTHER", "NODE_NAME")
    )
    (hidden,) = config.unseen
    assert (hidden.item, hidden.reason) == ("SHARED_*", "not_in_view")
    assert hidden.detail.endswith("envFrom ConfigMap elsewhere is not in these files")


def test_two_overlays_differ_in_what_they_overlay() -> None:
    staging, prod = (parts(BUILT[name]) for name in ("staging", "prod"))
    assert staging.keys() == prod.keys()
    differing = {
        f"{name.split()[1]} {section} {item}"
        for name in staging
        for section, ours in staging[name].sections.items()
        for item in {**ours.facts, **prod[name].sections[section].facts}
        if ours.facts.get(item, ...) != prod[name].sections[section].facts.get(item, ...)
    }
    assert differing == {
        *(
            f"{name} release {item}"
            for name in ("web", "web.migrate", "worker", "cleanup")
            for item in ("image#tag", "image#index")
        ),
        *("web concurrency replicas", "web config REGION", "web config AREA", "worker config REGION"),
        "cleanup admin schedule",
    }


def test_what_helm_prints_has_its_hooks_but_not_its_tests() -> None:
    assert sorted(parts(BUILT["helm"])) == ["billing main process", "billing migrate job"]


# --- one thing at a time --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "more", "keys", "hidden"),
    [
        ("secretRef: {name: s}", "data: {A: eA==}\nstringData: {B: x}", ["A", "B"], []),
        ("secretRef: {name: t}", "data: {A: eA==}", [], ["*"]),
        ("prefix: P_, secretRef: {name: s}", "data: {A: eA==}", ["P_A"], []),
        ("prefix: P_, secretRef: {name: t}", "data: {A: eA==}", [], ["P_*"]),
        ("prefix: 'a b', secretRef: {name: t}", "data: {A: eA==}", [], ["*"]),
        ("secretRef: {name: [s]}", "data: {A: eA==}", [], ["*"]),
    ],
)
def test_of_a_secret_only_the_names_of_its_keys_are_taken(
    source: str, more: str, keys: list[str], hidden: list[str]
) -> None:
    secret = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{more}\n"
    config = section("config", f"envFrom: [{{{source}}}]", more=secret)
    assert sorted(config.facts) == keys
    assert all(
        shape == {"type": "text", "source_class": "secret_ref", "opaque": True}
        for shape in config.facts.values()
    )
    assert [entry.item for entry in config.unseen] == hidden


@pytest.mark.parametrize(
    ("kind", "spec", "keys"),
    [
        ("SealedSecret", "encryptedData: {A: AgBy, B: AgBz}", ["A", "B"]),
        ("ExternalSecret", "target: {name: s}, data: [{secretKey: A, remoteRef: {key: k}}]", ["A"]),
        (
            "ExternalSecret",
            "data: [{secretKey: A}], dataFrom: [{extract: {key: k}}]",
            None,
        ),  # whatever is in there
        ("ExternalSecret", "data: [{secretKey: A}], target: {template: {data: {B: x}}}", None),
    ],
)
def test_what_becomes_a_secret_tells_its_keys_where_it_can(
    kind: str, spec: str, keys: list[str] | None
) -> None:
    more = f"---\napiVersion: x.io/v1\nkind: {kind}\nmetadata: {{name: s}}\nspec: {{{spec}}}\n"
    config = section("config", "envFrom: [{secretRef: {name: s}}]", more=more)
    assert sorted(config.facts) == (keys or [])
    assert bool(config.unseen) == (keys is None)


def test_a_key_that_a_config_map_lacks_is_unseen() -> None:
    more = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n"
    config = section("config", "env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: b}}}]", more=more)
    assert [(entry.item, entry.detail) for entry in config.unseen] == [
        ("A", "all.yaml:2: ConfigMap c lacks the key that it refers to")
    ]


def test_a_reference_stays_in_its_namespace() -> None:
    text = deployment("envFrom: [{configMapRef: {name: c}}]").replace(
        "{name: web}\n", "{name: web, namespace: a}\n"
    )
    more = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, namespace: {}}}\ndata: {{A: '1'}}\n"
    assert list(parts(text + more.format("a"))["web main process"].sections["config"].facts) == ["A"]
    assert parts(text + more.format("b"))["web main process"].sections["config"].unseen


def test_a_name_that_is_none_is_counted_and_not_told() -> None:
    config = section("config", "env: [{name: 'C4n4ry=1', value: a}, {value: b}, {name: A, value: c}]")
    assert list(config.facts) == ["A"]
    assert [entry.detail for entry in config.unseen] == ["all.yaml:2: 2 of `env` without a valid name"]


@pytest.mark.parametrize(
    ("image", "facts"),
    [
        ("acme/web", {"image#repository": "acme/web", "image#tag": "latest"}),
        ("localhost:5000/a/b:c", {"image#repository": "a/b", "image#tag": "c"}),
        ("a@sha256:" + "f" * 64, {"image#repository": "a", "image#index": "sha256:" + "f" * 64}),
    ],
)
def test_an_image_is_told_by_what_it_states(image: str, facts: dict[str, object]) -> None:
    (part,) = read(deployment("env: []").replace("acme/web:1", image)).parts
    assert part.sections["release"].facts == facts


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        ("128974848", 128974848),
        ("129e6", 129000000),
        ("129M", 129000000),
        ("123Mi", 128974848),
        ("1.5Gi", 1610612736),
        ("x", None),
    ],
)
def test_quantities_are_bytes(quantity: str, number: int | None) -> None:
    found = section("concurrency", f"resources: {{limits: {{memory: {quantity}, cpu: 250m}}}}")
    assert (found.facts["limit/memory"], found.facts["limit/cpu"]) == (number, 0.25)


def test_workloads_of_one_service_are_its_components() -> None:
    one = (
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: shop{more}}}}}\n"
        "spec: {{containers: [{{name: a, image: b}}]}}\n"
    )
    by_app = {"naming": Naming(service="app", component="role")}
    text = "".join(
        one.format(name=name, more=more)
        for name, more in [("shop", ""), ("shop-mail", ""), ("x", ", role: web")]
    )
    assert sorted(parts(text, **by_app)) == ["shop mail process", "shop main process", "shop web process"]
    # One alone is the service, whatever it is called.
    assert sorted(parts(one.format(name="shop-x", more=""), **by_app)) == ["shop main process"]
    # Without the label each is a service of its own.
    assert sorted(parts(text)) == ["shop main process", "shop-mail main process", "x main process"]


def test_two_of_one_name_in_two_namespaces_need_one_to_be_named() -> None:
    text = deployment("env: []")
    both = "---".join(
        text.replace("{name: web}\n", f"{{name: web, namespace: {name}}}\n") for name in ("a", "b")
    )
    with pytest.raises(
        UnseenError, match=r"web is there more than once \(a and b\): name one as `namespace`"
    ):
        read(both)
    assert len(read(both, namespace="a").parts) == 1


def test_what_another_object_made_is_left_out() -> None:
    made = deployment("env: []").replace(
        "{name: web}\n", "{name: web-1, ownerReferences: [{kind: Deployment}]}\n"
    )
    assert sorted(parts(deployment("env: []") + "---" + made)) == ["web main process"]


def test_an_object_that_is_given_twice_counts_as_the_last_says_and_is_told() -> None:
    found = read(deployment("env: []") + "---" + deployment("env: [{name: A, value: b}]"))
    assert [list(part.sections["config"].facts) for part in found.parts] == [["A"]]
    assert found.warnings == ("all.yaml:6: Deployment web was there before; the last one counts",)


def test_a_list_is_what_it_holds() -> None:
    item = "{metadata: {name: web}, spec: {template: {spec: {containers: [{name: a, image: b}]}}}}"
    assert sorted(parts(f"apiVersion: apps/v1\nkind: DeploymentList\nitems: [{item}]\n")) == [
        "web main process"
    ]
    whole = f"{{apiVersion: apps/v1, kind: Deployment, {item[1:]}"
    assert sorted(parts(f"apiVersion: v1\nkind: List\nitems: [{whole}]\n")) == ["web main process"]


def test_kinds_that_an_operator_knows_are_told() -> None:
    found = read(
        deployment("env: []") + "---\napiVersion: kafka.example/v1\nkind: Kafka\nmetadata: {name: k}\n"
    )
    assert found.warnings == ("kinds that are not read: Kafka",)


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("", "unsupported", "all.yaml: no workload"),
        ("a: 1", "malformed", "all.yaml:1: no `apiVersion`"),
        ("apiVersion: v1\n---\nkind: Pod", "malformed", "all.yaml:1: no `kind`"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: '../x'}",
            "malformed",
            "all.yaml:1: a Pod without a name",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}",
            "malformed",
            "all.yaml:1: a has no containers",
        ),
        ("apiVersion: v1\nkind: List\nitems: [x]", "malformed", "all.yaml:1: item 1 is no object"),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization",
            "unsupported",
            "all.yaml:1: give what `kustomize build` prints of it",
        ),
        ("a: {{ .Values.b }}", "unsupported", "all.yaml: a template; give what `helm template` prints of it"),
        ("apiVersion: !!python/object:x v1", "malformed", "all.yaml:1:13"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(text: str, reason: str, said: str) -> None:
    with pytest.raises(UnseenError) as caught:
        read(text)
    assert caught.value.reason == reason
    assert caught.value.detail.startswith(said)


def test_a_folder_is_read_in_order_without_links_and_hidden_folders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("b/two.yml", "one.yaml", "three.json", "notes.md", ".git/x.yaml"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    assert [name for name, _ in files_below(tmp_path)] == ["b/two.yml", "one.yaml", "three.json"]


@pytest.mark.parametrize(
    ("name", "tool"), [("kustomization.yaml", "kustomize build"), ("Chart.yaml", "helm template")]
)
def test_the_input_of_a_tool_is_refused_by_name(tmp_path: Path, name: str, tool: str) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / name).write_text("")
    with pytest.raises(
        UnseenError, match=f"inner/{name}: what stands here is for a tool; give what `{tool}` prints"
    ):
        files_below(tmp_path)


def test_a_file_that_cannot_be_read_leaves_the_rest_and_is_told() -> None:
    text = deployment("env: []").encode()
    found = ManifestsReader().read_files(
        [("a.yaml", lambda: text), ("b.yaml", lambda: b"a: [")], FINGERPRINTER
    )
    assert not found.complete
    assert len(found.read.parts) == 1
    assert found.read.warnings == ("b.yaml:2:1: not valid YAML here or just before",)


# --- hostile --------------------------------------------------------------------------------------


def test_no_secret_of_a_manifest_comes_out() -> None:
    for data in BUILT.values():
        found = read(data)
        text = str(found) + json.dumps(
            [section_document(s) for part in found.parts for s in part.sections.values()]
        )
        assert "C4n4ry" not in text
        assert "QzRuNHJ5" not in text  # the same in base64
    assert b"C4n4ry" in BUILT["prod"]
    assert b"QzRuNHJ5" in BUILT["prod"]


@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_a_file_that_was_cut_never_reads_as_a_removal(cuts: Cuts, record_property: Record) -> None:
    for whole in (BUILT["staging"], BUILT["helm"]):
        known = parts(whole)
        for data in cuts(whole, record_property):
            with suppress(UnseenError):
                for name, part in parts(data).items() if not data.endswith(b"\n") else ():
                    for section, found in part.sections.items():
                        # A name that was cut is another name, and its part is as unsure.
                        before = known[name].sections[section].facts.keys() if name in known else {"*"}
                        told = any(entry.item == "*" for entry in found.unseen)
                        assert told or not before - found.facts.keys(), (len(data), name, section)


@pytest.mark.parametrize("breaks", SOME_FLIPS_OR_MANY)
def test_a_file_that_broke_is_unseen_without_a_traceback(breaks: Cuts, record_property: Record) -> None:
    for data in breaks(BUILT["helm"], record_property):
        with suppress(UnseenError):
            for part in read(data).parts:
                for found in part.sections.values():
                    orjson.dumps(section_document(found))


def test_the_last_object_of_a_file_without_its_last_line_break_is_unsure() -> None:
    text = deployment("env: []").rstrip()
    found = ManifestsReader().read_files([("a.yaml", text.encode)], FINGERPRINTER)
    assert not found.complete
    assert all(s.unseen[-1].reason == "malformed" for s in found.read.parts[0].sections.values())


KEYS = [
    *(
        "metadata",
        "spec",
        "template",
        "containers",
        "initContainers",
        "name",
        "image",
        "env",
        "envFrom",
        "value",
    ),
    *("valueFrom", "secretKeyRef", "configMapKeyRef", "configMapRef", "secretRef", "key", "prefix", "ports"),
    *(
        "containerPort",
        "protocol",
        "resources",
        "limits",
        "memory",
        "cpu",
        "volumeMounts",
        "mountPath",
        "volumes",
    ),
    *(
        "livenessProbe",
        "httpGet",
        "periodSeconds",
        "securityContext",
        "runAsUser",
        "command",
        "args",
        "labels",
    ),
    *("replicas", "restartPolicy", "lifecycle", "stopSignal", "annotations", "schedule", "suspend", "items"),
]
TREES = st.recursive(
    st.none() | st.sampled_from(["", "1", "x", "true", "$(A)", "$$", "a" * 300, "é", "9" * 20, "512Mi"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(["Deployment", "CronJob", "Pod", "Service", "ConfigMap", "List"]), TREES, TREES)
@example("Deployment", None, {"name": "a", "image": "b", "env": [{"name": "A", "valueFrom": {}}]})
def test_a_wrong_type_is_left_out_without_a_traceback(kind: str, spec: Any, container: Any) -> None:
    whole = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    with suppress(UnseenError):
        for part in read("\n---\n".join(map(json.dumps, (whole, pod))) + "\n").parts:
            for found in part.sections.values():
                orjson.dumps(section_document(found))


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (b"# made by helm\n---\napiVersion: v1\nkind: Service\n", True),
        (b'{"apiVersion": "v1", "kind": "List"}', False),  # kind stands on no line of its own
        (b'{\n  "apiVersion": "v1",\n  "kind": "List"\n}', True),
        (b"apiVersion: v2\nname: a chart\n", False),
        (b"openapi: 3.1.0\ninfo: {kind: x, apiVersion: y}\n", False),
        (b"\x00" * 65_536, False),
    ],
)
def test_a_file_is_recognized_by_the_keys_that_every_object_has(beginning: bytes, *, expected: bool) -> None:
    assert ManifestsReader().recognizes(beginning) is expected
