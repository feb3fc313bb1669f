from tests.servers import images
from tests.servers.docker_engine import DockerEngine
from tests.servers.registry import Registry


def test_a_published_image_has_one_digest_in_both_engines(
    registry: Registry, docker_staging: DockerEngine, docker_prod: DockerEngine
) -> None:
    built = docker_staging.build("acme/digest:1", images.scratch(labels={"built": "once"}))
    assert docker_staging.client.images.get("acme/digest:1").attrs["RepoDigests"] == []
    reference = registry.publish("acme/digest:1", "acme/digest", "1", source=docker_staging, to=docker_prod)
    (digest,) = docker_prod.client.images.get(reference).attrs["RepoDigests"]
    assert digest.startswith(f"127.0.0.1:{registry.port}/acme/digest@sha256:")
    assert docker_staging.client.images.get(reference).attrs["RepoDigests"] == [digest]
    assert docker_prod.client.images.get(reference).id == built
