"""`manage.py servers`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest

from backups.engines.restserver import probe

Answer = Callable[..., Any]


def test_a_server_is_made_driven_and_forgotten_and_its_data_stays(
    answer: Answer,
    refusal: Callable[..., str],
    create_arguments: list[str],
    docker_client: docker.DockerClient,
    tmp_path: Path,
) -> None:
    name, port = create_arguments[0], create_arguments[4].partition(":")[2]

    made = answer("servers", "create", *create_arguments)
    assert (made["name"], made["status"]) == (name, "live")
    assert made["url"] == f"http://127.0.0.1:{port}/"
    assert probe(made["url"]).is_live
    assert "T" in made["live_since"]

    assert answer("servers", "stop", name) == {"name": name, "done": "stop"}
    assert not probe(made["url"]).is_live
    assert [server["status"] for server in answer("servers", "list")] == ["stopped"]
    assert answer("servers", "start", name) == {"name": name, "done": "start"}
    line = answer("servers", "show", name)["docker_run"]
    assert line.startswith("docker run ")
    assert answer("servers", "as-docker-run", name) == {"docker_run": line}
    assert f'container_name: "{name}"' in answer("servers", "as-compose", name)["compose"]

    assert "has a container. Remove that first" in refusal("servers", "forget", name)
    answer("servers", "remove", name)
    assert docker_client.containers.list(all=True, filters={"name": name}) == []
    assert answer("servers", "forget", name) == {"name": name, "forgotten": True}
    assert (answer("servers", "list"), (tmp_path / "data" / ".htpasswd").exists()) == ([], True)


def test_a_server_is_changed_and_upgraded_with_a_proof_or_has_all_as_before(
    answer: Answer, refusal: Callable[..., str], create_arguments: list[str], newer_image: str
) -> None:
    name = answer("servers", "create", *create_arguments)["name"]

    changed = answer("servers", "change", name, "--no-append-only", "--max-size", "1000000")
    assert (changed["is_append_only"], changed["max_size"]) == (False, 1000000)
    assert changed["proof"].startswith("rest-server answers at http://127.0.0.1:")
    assert "is told just that already" in refusal("servers", "change", name, "--max-size=1000000")
    unlimited = answer("servers", "change", name, "--max-size", "0")
    assert unlimited["max_size"] is None

    upgraded = answer("servers", "upgrade", name, "--image", newer_image)
    assert upgraded["image"] == newer_image
    said = refusal("servers", "change", name, "--image", "debian:trixie-slim")
    assert f"{name} is as it was before, proven" in said
    assert answer("servers", "show", name)["image"] == newer_image


def test_a_server_that_cannot_be_made_is_refused_in_one_sentence(
    answer: Answer, refusal: Callable[..., str], create_arguments: list[str]
) -> None:
    missing = [*create_arguments, "--image", "resthouse.invalid/no-such-image:1"]
    taken = [*create_arguments]

    assert "no-such-image" in refusal("servers", "create", *missing)
    assert [server["status"] for server in answer("servers", "list")] == ["unmade"]
    # The same name again, this time well: the failed one was nothing yet.
    assert answer("servers", "create", *taken)["status"] == "live"
    assert "already" in refusal("servers", "create", *taken)


def test_where_no_image_can_be_had_it_is_built_here_and_the_server_goes_on(
    answer: Answer, create_arguments: list[str], docker_client: docker.DockerClient
) -> None:
    wanted = [*create_arguments, "--image", "resthouse.invalid/no-such-image:1", "--build-image"]

    made = answer("servers", "create", *wanted)

    # Under a name of its own: it must not pass for the image that was wanted.
    assert (made["status"], made["image"]) == ("live", "resthouse/rest-server:local")
    assert probe(made["url"]).is_live
    running = docker_client.containers.get(made["name"])
    assert running.image.tags == docker_client.images.get("resthouse/rest-server:local").tags


def test_another_house_on_the_same_engine_is_left_in_peace(
    answer: Answer,
    refusal: Callable[..., str],
    create_arguments: list[str],
    docker_client: docker.DockerClient,
    house: Any,
    tmp_path: Path,
) -> None:
    answer("servers", "create", *create_arguments)
    container = docker_client.containers.get(create_arguments[0])
    house.data = tmp_path / "second-house"

    assert "was not made here" in refusal("servers", "create", *create_arguments)

    container.reload()
    assert container.status == "running"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stop", "nobody"], "There is no server called nobody."),
        (
            ["create", "a b", "--data", "/srv/x"],
            "name: Use letters, digits, '.', '_' and '-', and begin with a letter or digit: "
            "the container gets this name.",
        ),
        (
            ["create", "main", "--data", "/srv/x", "--bind", "8000"],
            "Write --bind as ADDRESS:PORT, such as 127.0.0.1:8000.",
        ),
        (
            ["create", "main", "--data", "/srv/x", "--bind", "localhost:8000"],
            "address: Enter a valid IPv4 or IPv6 address.",
        ),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    refusal: Callable[..., str], arguments: list[str], sentence: str
) -> None:
    assert refusal("servers", *arguments) == sentence
