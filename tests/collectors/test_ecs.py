"""The collector `ecs`: its pure half from recorded answers, the whole against moto."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from collectors import _aws
from collectors.ecs import Answers, EcsCollector, EcsOptions, facts_from_answers
from detector.collector import Seen
from detector.errors import UnseenError
from detector.model.canonical import section_document
from tests.collectors.lent import context
from tests.servers.aws import REGION, REGISTRY, AwsServer, EcsContainer

RECORDED = Path(__file__).parent / "recorded" / "ecs"
OPTIONS = EcsOptions(region=REGION, cluster="prod")
DIGEST = "sha256:" + "4f" * 32
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:canary-secret-name"


def _recorded(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return answer


@pytest.fixture
def answers() -> Answers:
    definition = _recorded("task_definition")
    return Answers(
        service=_recorded("service"),
        definitions={definition["taskDefinitionArn"]: definition},
        tasks=_recorded("tasks")["tasks"],
    )


def _facts(seen: Seen) -> dict[str, Any]:
    return {
        f"{name} {item}": value
        for name, section in seen.sections.items()
        for item, value in section.facts.items()
    }


def test_every_section_of_a_recorded_service(answers: Answers) -> None:
    main, envoy, migrate = facts_from_answers(answers, OPTIONS, context())
    assert [(one.component, one.component_kind) for one in (main, envoy, migrate)] == [
        ("main", "process"),
        ("envoy", "sidecar"),
        ("migrate", "job"),  # awaited by the main one
    ]
    facts = _facts(main)
    config = {key: value for key, value in facts.items() if key.startswith("config ")}
    assert {key: shape["source_class"] for key, shape in config.items()} == {
        "config DEBUG": "literal",
        "config DATABASE_URL": "literal",
        "config STRIPE_SECRET_KEY": "secret_ref",
    }
    assert config["config STRIPE_SECRET_KEY"] == {
        "type": "text",
        "source_class": "secret_ref",
        "opaque": True,
    }
    assert {key: value for key, value in facts.items() if key not in config} == {
        "release image#repository": "acme/checkout",
        "release image#tag": "1.4.2",
        "release image#digest": DIGEST,
        "release image#platform": "linux/amd64",
        "release release#id": "checkout-prod:132",
        "processes command": "gunicorn",
        "processes server": "gunicorn",
        "processes user": "10001",
        "processes read_only": True,
        "processes mount/data": {"kind": "efs", "read_only": True},
        "processes mount/tmp": {"kind": "tmpfs", "read_only": False},
        "ports 8000/tcp": None,
        "concurrency replicas": 3,
        "concurrency limit/memory": 536870912,
        "concurrency limit/cpu": 0.25,
        "disposability grace": 30,
        "disposability pid1": "init",
        "disposability probe/health": {
            "kind": "shell",
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "start_period": 0,
        },
        "logs driver": "awslogs",
        "logs options": ["awslogs-group", "awslogs-region"],
        "codebase repo#url": "github.com/acme/checkout",
        "codebase repo#commit": "4f1d0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10",
        "dependencies os#arch": "amd64",
    }
    assert main.sections["config"].sees == ("literal", "secret_ref", "env_file")


def test_no_value_argument_or_address_of_a_secret_is_copied(answers: Answers) -> None:
    assert "canary" in json.dumps(answers.definitions)
    seen = facts_from_answers(answers, OPTIONS, context())
    documents = [section_document(section) for one in seen for section in one.sections.values()]
    assert "canary" not in repr(seen) + json.dumps(documents)


def _changed(answers: Answers, **changes: Any) -> Answers:
    """The same answers, the main container's definition changed."""
    ((arn, definition),) = answers.definitions.items()
    other = copy.deepcopy(dict(definition))
    other["containerDefinitions"][0] |= changes
    return Answers(service=answers.service, definitions={arn: other}, tasks=answers.tasks)


def test_environment_files_make_absence_unknown(answers: Answers) -> None:
    files = [{"type": "s3", "value": "arn:aws:s3:::canary-bucket/prod.env"}]
    config = facts_from_answers(_changed(answers, environmentFiles=files), OPTIONS, context())[0].sections[
        "config"
    ]
    assert (config.status, config.sees) == ("partial", ("literal", "secret_ref"))
    assert [(part.item, part.reason) for part in config.unseen] == [("*", "not_in_view")]
    assert "DEBUG" in config.facts
    assert "canary" not in repr(config)


def test_what_the_definition_leaves_to_the_image_is_not_covered(answers: Answers) -> None:
    bare = _changed(answers, user=None, command=None, entryPoint=None, linuxParameters=None, stopTimeout=None)
    sections = facts_from_answers(bare, OPTIONS, context())[0].sections
    assert "user" not in sections["processes"].covers
    assert "command" not in sections["processes"].facts
    assert "pid1" not in sections["disposability"].facts
    assert sections["disposability"].facts["grace"] is None  # looked, has none
    assert sections["release"].covers == ()


@pytest.mark.parametrize(
    ("names", "named", "expected"),
    [
        (["envoy", "checkout"], None, "checkout"),  # the service's name
        (["web", "envoy"], None, "web"),  # the first
        (["envoy", "web"], "web", "web"),  # the one that is named
    ],
)
def test_which_container_is_the_service(names: list[str], named: str | None, expected: str) -> None:
    definition = {"containerDefinitions": [{"name": name, "image": f"acme/{name}:1"} for name in names]}
    answers = Answers(
        service={"serviceName": "checkout", "taskDefinition": "d1"}, definitions={"d1": definition}
    )
    options = EcsOptions(region=REGION, container=named)
    seen = facts_from_answers(answers, options, context())
    (main,) = [one for one in seen if one.component == "main"]
    assert main.sections["release"].facts["image#repository"] == f"acme/{expected}"


def _rounds(answers: Answers, kind: str, *rounds: tuple[str, str, int]) -> Answers:
    """A service in the middle of a deployment: (status, tag, running tasks) of each."""
    ((_, definition),) = answers.definitions.items()
    service: dict[str, Any] = dict(answers.service) | {"deployments": [], "taskSets": []}
    service.pop("taskDefinition")
    definitions = {}
    for status, tag, running in rounds:
        arn = f"arn:aws:ecs:eu-central-1:123456789012:task-definition/checkout:{tag[-1]}"
        other = copy.deepcopy(dict(definition)) | {"taskDefinitionArn": arn}
        other["containerDefinitions"][0]["image"] = f"acme/checkout:{tag}"
        definitions[arn] = other
        service[kind].append({"status": status, "taskDefinition": arn, "runningCount": running})
    return Answers(service=service, definitions=definitions)


def _tags(seen: tuple[Seen, ...]) -> list[tuple[str, Any]]:
    return [
        (one.traffic, one.sections["release"].facts["image#tag"]) for one in seen if one.component == "main"
    ]


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ([("PRIMARY", "1.3", 2), ("ACTIVE", "1.2", 1)], {"values": {"1.3": 2, "1.2": 1}}),
        ([("PRIMARY", "1.3", 3)], "1.3"),
        # the new one never starts: what runs is the old one
        ([("PRIMARY", "1.3", 0), ("ACTIVE", "1.2", 3)], "1.2"),
        ([("ACTIVE", "1.2", 0), ("PRIMARY", "1.3", 0)], "1.3"),
    ],
)
def test_a_rolling_deployment_counts_what_runs(
    answers: Answers, rounds: list[tuple[str, str, int]], expected: Any
) -> None:
    seen = facts_from_answers(_rounds(answers, "deployments", *rounds), OPTIONS, context())
    assert _tags(seen) == [("live", expected)]


def test_the_other_colour_is_idle(answers: Answers) -> None:
    rounds = _rounds(answers, "taskSets", ("ACTIVE", "1.2", 5), ("PRIMARY", "1.3", 3))
    assert _tags(facts_from_answers(rounds, OPTIONS, context())) == [("live", "1.3"), ("idle", "1.2")]


def test_tasks_that_may_not_be_listed_hide_the_digest_alone(answers: Answers) -> None:
    hidden = Answers(
        service=answers.service,
        definitions=answers.definitions,
        tasks_unseen=UnseenError("denied", "ecs:ListTasks"),
    )
    release = facts_from_answers(hidden, OPTIONS, context())[0].sections["release"]
    assert release.status == "partial"
    assert [(part.item, part.reason, part.detail) for part in release.unseen] == [
        ("image#digest", "denied", "ecs:ListTasks")
    ]
    assert release.facts["image#tag"] == "1.4.2"


@pytest.fixture
def aws(aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    for name, value in aws_server.environment.items():
        if name != "AWS_ENDPOINT_URL":  # the option is what leads there
            monkeypatch.setenv(name, value)
    return aws_server


def _options(aws: AwsServer, **more: Any) -> EcsOptions:
    return EcsOptions(region=REGION, cluster="prod", endpoint_url=aws.url, **more)


async def test_a_service_of_moto(aws: AwsServer, caplog: pytest.LogCaptureFixture) -> None:
    container = EcsContainer(
        image=f"{REGISTRY}/acme/checkout:1.4.2@{DIGEST}",
        env={"DEBUG": "0", "API_TOKEN": "canary-env"},
        secrets={"STRIPE_SECRET_KEY": SECRET},
        command=["gunicorn", "--password=canary"],
        user="10001",
    )
    aws.ecs_service("prod", "checkout", [container], desired=3)
    caplog.set_level("DEBUG")
    caplog.clear()
    collected = await EcsCollector().collect(_options(aws), context())
    (seen,) = collected.seen
    assert seen.sections["release"].facts["image#repository"] == "acme/checkout"
    assert seen.sections["release"].facts["image#digest"] == DIGEST
    assert set(seen.sections["config"].facts) == {"DEBUG", "API_TOKEN", "STRIPE_SECRET_KEY"}
    assert seen.sections["concurrency"].facts["replicas"] == 3
    assert "canary" not in repr(collected) + caplog.text


async def test_a_discovery_sees_more_services_than_one_call_takes(aws: AwsServer) -> None:
    for number in range(11):
        aws.ecs_service("prod", f"shop-{number:02}", [EcsContainer(image=f"acme/shop:{number}")])
    collected = await EcsCollector().collect(_options(aws), context(None))
    assert sorted(str(one.service) for one in collected.seen) == [f"shop-{number:02}" for number in range(11)]
    assert collected.complete


async def test_a_role_of_another_account_sees_that_account(aws: AwsServer) -> None:
    aws.ecs_service("prod", "checkout", [EcsContainer(image="acme/checkout:1")])
    other = _options(aws, role_arn="arn:aws:iam::210987654321:role/parity", external_id="x-1")
    with pytest.raises(UnseenError, match="not_in_view"):
        await EcsCollector().collect(other, context())
    assert (await EcsCollector().collect(_options(aws), context())).seen


@pytest.mark.parametrize("service", ["nothing", "checkout"])
async def test_what_is_not_there_is_not_in_view(aws: AwsServer, service: str) -> None:
    aws.client("ecs").create_cluster(clusterName="prod")
    with pytest.raises(UnseenError, match=f"not_in_view: no active ECS service {service} in cluster prod"):
        await EcsCollector().collect(_options(aws, service=service), context())


async def test_an_api_that_is_gone_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    options = EcsOptions(region="eu-north-1", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(UnseenError, match="unreachable: ecs:DescribeServices") as caught:
        await EcsCollector().collect(options, context())
    assert caught.value.__suppress_context__


class Refusing:
    """A client whose every operation fails with one error code, its text a canary."""

    def __init__(self, client: Any, code: str) -> None:
        self.meta = client.meta
        self._error = {"Error": {"Code": code, "Message": "User: arn:canary is not authorized"}}

    def describe_services(self, **words: Any) -> None:
        raise ClientError(self._error, "DescribeServices")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "denied: ecs:DescribeServices"),
        ("ExpiredTokenException", "denied: AWS refused the credentials"),
        ("UnrecognizedClientException", "denied: AWS refused the credentials"),
        ("ThrottlingException", "unreachable: ecs:DescribeServices: AWS throttles"),
        ("ClusterNotFoundException", "not_in_view: ecs:DescribeServices"),
        ("ServerException", "unreachable: ecs:DescribeServices"),
    ],
)
def test_errors_of_aws_in_our_words(aws: AwsServer, code: str, message: str) -> None:
    client = Refusing(_aws.client("ecs", _options(aws), "ecs"), code)
    with pytest.raises(UnseenError) as caught:
        _aws.answer(client, "describe_services")
    assert str(caught.value).startswith(message)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("MISSING", "not_in_view: no active ECS service"),
        ("ACCESS_DENIED", "unreachable: ecs:DescribeServices: AWS told of some services only"),
    ],
)
async def test_a_service_is_gone_only_where_aws_says_that_it_is_missing(
    aws: AwsServer, monkeypatch: pytest.MonkeyPatch, reason: str, said: str
) -> None:
    def answer(_client: Any, _operation: str, **_: Any) -> dict[str, Any]:
        return {"services": [], "failures": [{"arn": "arn:aws:ecs:service/canary", "reason": reason}]}

    monkeypatch.setattr(_aws, "answer", answer)
    with pytest.raises(UnseenError) as caught:
        await EcsCollector().collect(_options(aws), context())
    assert str(caught.value).startswith(said)
