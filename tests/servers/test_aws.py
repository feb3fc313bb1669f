from tests.servers.aws import REGISTRY, AwsServer, EcsContainer

DIGEST = "sha256:" + "4f" * 32


def test_an_ecs_service_reads_back_as_it_was_seeded(aws_server: AwsServer) -> None:
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/shop/STRIPE_KEY"
    container = EcsContainer(
        image=f"{REGISTRY}/shop:1.4.2@{DIGEST}",
        env={"DEBUG": "0"},
        secrets={"STRIPE_KEY": arn},
        command=["gunicorn", "shop.wsgi"],
        log_options={"awslogs-group": "/shop"},
        healthcheck=["CMD-SHELL", "true"],
        stop_timeout=30,
        user="10001",
        read_only=True,
    )
    definition = aws_server.ecs_service("prod", "shop", [container], desired=3, tags={"commit": "4f1d0a9"})

    ecs = aws_server.client("ecs")
    (service,) = ecs.describe_services(cluster="prod", services=["shop"])["services"]
    assert (service["taskDefinition"], service["desiredCount"]) == (definition, 3)
    read = ecs.describe_task_definition(taskDefinition=definition, include=["TAGS"])
    assert read["tags"] == [{"key": "commit", "value": "4f1d0a9"}]
    (seen,) = read["taskDefinition"]["containerDefinitions"]
    assert seen["image"].endswith(DIGEST)
    assert seen["secrets"] == [{"name": "STRIPE_KEY", "valueFrom": arn}]
    assert seen["environment"] == [{"name": "DEBUG", "value": "0"}]
    assert seen["portMappings"] == [{"containerPort": 8000, "protocol": "tcp"}]
    assert seen["logConfiguration"] == {"logDriver": "awslogs", "options": {"awslogs-group": "/shop"}}
    assert seen["healthCheck"]["command"] == ["CMD-SHELL", "true"]
    assert (seen["stopTimeout"], seen["user"], seen["readonlyRootFilesystem"]) == (30, "10001", True)


def test_seeding_a_service_again_gives_it_a_new_revision(aws_server: AwsServer) -> None:
    first = aws_server.ecs_service("prod", "cart", [EcsContainer(image="cart:1")])
    second = aws_server.ecs_service("prod", "cart", [EcsContainer(image="cart:2")], desired=5)
    (service,) = aws_server.client("ecs").describe_services(cluster="prod", services=["cart"])["services"]
    assert (service["taskDefinition"], service["desiredCount"]) == (second, 5)
    assert first != second


def test_rds_instances_keep_their_versions_and_parameters(aws_server: AwsServer) -> None:
    aws_server.rds_instance(
        "shop-prod", version="16.3", parameters={"timezone": "UTC"}, tags={"service": "shop"}
    )
    aws_server.rds_instance("shop-eu", engine="mysql", version="8.0.39", family="mysql8.0", MultiAZ=True)
    rds = aws_server.client("rds")
    rows = {row["DBInstanceIdentifier"]: row for row in rds.describe_db_instances()["DBInstances"]}
    assert (rows["shop-prod"]["Engine"], rows["shop-prod"]["EngineVersion"]) == ("postgres", "16.3")
    assert (rows["shop-eu"]["Engine"], rows["shop-eu"]["MultiAZ"]) == ("mysql", True)
    group = rows["shop-prod"]["DBParameterGroups"][0]["DBParameterGroupName"]
    parameters = rds.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    assert {row["ParameterName"]: row["ParameterValue"] for row in parameters} == {"timezone": "UTC"}


def test_a_reset_and_another_region_hold_nothing(aws_server: AwsServer) -> None:
    aws_server.ecs_service("prod", "shop", [EcsContainer(image="shop:1")])
    assert aws_server.client("ecs", "us-east-1").list_clusters()["clusterArns"] == []
    aws_server.reset()
    assert aws_server.client("ecs").list_clusters()["clusterArns"] == []
