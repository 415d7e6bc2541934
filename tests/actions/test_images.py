"""A newer image in the registry is found, pulled layer by layer, proven, and pinned."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from backups.actions import options
from backups.actions.operations import finish
from backups.actions.watching import check_server, look_for_images
from backups.models import Event, Operation, Server
from tests.rig.containers import PREFIX
from tests.rig.registry import registry


@pytest.fixture
def push(
    docker_client: docker.DockerClient, free_port: Callable[[], int], tmp_path: Path
) -> Iterator[Callable[[str], str]]:
    """Publish an image of this machine under one name; what the registry calls it."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with registry(folder, free_port()) as address:
        name = f"{address}/rest-server:stable"

        def publish(image: str) -> str:
            lines = [["tag", image, name], ["push", "--quiet", name], ["rmi", name]]
            if image.startswith(PREFIX):
                lines.append(["rmi", image])
            for line in lines:
                subprocess.run(["docker", *line], check=True, capture_output=True)
            return name

        yield publish
        subprocess.run(["docker", "rmi", "--force", name], capture_output=True)


def with_own_layer(image: str) -> str:
    """Of which this machine keeps nothing, so that there is something to pull."""
    tag = f"{PREFIX}own-layer:1"
    file = f"FROM {image}\nRUN head -c 3000000 /dev/urandom >/own\n"
    line = ["docker", "build", "--quiet", "--no-cache", "--tag", tag, "-"]
    subprocess.run(line, input=file, text=True, check=True, capture_output=True)
    return tag


def test_a_newer_image_is_found_and_taken(
    push: Callable[[str], str],
    serve: Callable[..., Server],
    server_image: str,
    newer_image: str,
    docker_client: docker.DockerClient,
    steps: list[tuple[str, int | None]],
) -> None:
    name = push(server_image)
    docker_client.images.pull(name)
    server = serve(image=name)
    check_server(server)
    look_for_images.call()
    server.refresh_from_db()
    first = server.seen["digest"]
    assert (first[:7], server.newer_image) == ("sha256:", "")

    push(with_own_layer(newer_image))
    look_for_images.call()
    look_for_images.call()

    server.refresh_from_db()
    assert server.newer_image not in {"", first}
    assert Event.objects.filter(noun="image").count() == 1
    newest = server.newer_image
    done = finish(options.upgrade_server(server, by="test"))
    assert (done.state, done.problem) == (Operation.State.SUCCEEDED, "")
    assert any(sentence.startswith(f"Pulling {name}: ") for sentence, _ in steps), steps
    server.refresh_from_db()
    check_server(server)
    server.refresh_from_db()
    assert (server.seen["digest"], server.newer_image) == (newest, "")


def test_a_registry_that_is_gone_is_no_news(
    serve: Callable[..., Server], docker_client: docker.DockerClient
) -> None:
    server = serve()
    Server.objects.filter(pk=server.pk).update(seen={"digest": "sha256:x"}, newer_image="sha256:y")

    look_for_images.call()

    server.refresh_from_db()
    assert server.newer_image == "sha256:y"
