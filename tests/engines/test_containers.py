import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from backups.engines import restserver
from backups.engines.container_spec import HEALTH_CHECK
from backups.engines.containers import Containers, docker_run
from backups.engines.errors import EngineError, EngineUnavailable
from backups.engines.restserver import Options
from tests.engines.conftest import Served
from tests.rig import missing

Serve = Callable[[Options], Served]
PASSWORD = "correct horse battery"


def inspect(client: docker.DockerClient, name: str) -> dict[str, Any]:
    attributes: dict[str, Any] = client.containers.get(name).attrs
    return attributes


def test_engines_that_cannot_be_used_are_told_apart(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))
    addresses = {
        f"unix://{tmp_path}/none.sock": "missing",
        f"unix://{dead}": "refused",
        f"tcp://127.0.0.1:{free_port()}": "refused",
        "nonsense://here": "other",
    }

    for address, problem in addresses.items():
        status = Containers(address).status()
        assert (status.is_up, status.problem) == (False, problem)
        assert address in status.sentence
        with pytest.raises(EngineUnavailable):
            Containers(address).find("anything")


def test_a_socket_that_this_user_may_not_use_is_told_apart(
    tmp_path: Path,
) -> None:
    path = tmp_path / "closed.sock"
    engine = Containers(f"unix://{path}")
    assert engine.status().problem == "missing"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        mine = os.geteuid()
        if mine == 0:
            os.seteuid(65534)
        try:
            assert engine.status().problem == "permission"
        finally:
            os.seteuid(mine)


def test_an_engine_that_never_answers_does_not_hold_us_up(tmp_path: Path) -> None:
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()

        assert Containers(f"unix://{path}").status().problem == "timeout"


def test_a_server_is_made_safe(
    containers: Containers, prepare: Serve, docker_client: docker.DockerClient
) -> None:
    served = prepare(Options())

    containers.create(served.spec)

    found = inspect(docker_client, served.name)
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert found["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
    assert found["Config"]["User"] == served.spec.user


@pytest.mark.parametrize("has_tls", [False, True])
def test_the_health_check_takes_a_refusal_for_life(
    serve: Serve, docker_client: docker.DockerClient, has_tls: bool
) -> None:
    served = serve(Options(has_tls=has_tls))
    container = docker_client.containers.get(served.name)

    alive = container.exec_run(["sh", "-c", HEALTH_CHECK])
    elsewhere = container.exec_run(["sh", "-c", HEALTH_CHECK.replace("8000", "8001")])

    assert (alive.exit_code, elsewhere.exit_code) == (0, 1)


def test_the_docker_run_line_makes_an_equal_container(
    containers: Containers, prepare: Serve, docker_client: docker.DockerClient
) -> None:
    if not shutil.which("docker"):
        missing("Install the command docker: apt-get install docker.io.")
    served = prepare(Options(max_size=10**9))
    spec = replace(served.spec, memory_limit=64 * 2**20)
    containers.create(spec)
    ours = inspect(docker_client, served.name)
    containers.remove(served.name)

    subprocess.run(["sh", "-c", docker_run(spec)], check=True, capture_output=True)
    theirs = inspect(docker_client, served.name)

    kept = ["Image", "User", "Labels", "Healthcheck", "StopTimeout", "Cmd", "Entrypoint"]
    for name in kept:
        assert theirs["Config"].get(name) == ours["Config"].get(name), name
    assert set(theirs["Config"]["Env"]) == set(ours["Config"]["Env"])
    kept = ["Mounts", "PortBindings", "ReadonlyRootfs", "CapDrop", "SecurityOpt", "PidsLimit"]
    for name in [*kept, "Memory", "RestartPolicy", "Tmpfs"]:
        assert theirs["HostConfig"][name] == ours["HostConfig"][name], name


def test_a_container_of_the_tutorial_is_recognised_and_others_are_not(
    containers: Containers,
    prepare: Serve,
    docker_client: docker.DockerClient,
) -> None:
    served, other = prepare(Options()), prepare(Options())
    docker_client.containers.create(
        served.spec.image,
        name=served.name,
        ports={"8000/tcp": served.spec.port},
        volumes=[f"{served.directory}:/data:z"],
        environment={"OPTIONS": "--tls"},
    )
    docker_client.images.get(other.spec.image).tag("resthouse/other", "test")
    docker_client.containers.create(
        "resthouse/other:test", ["sleep", "1"], name=other.name, tmpfs={"/data": ""}
    )
    docker_client.images.remove("resthouse/other:test", force=True)

    names = {container.name for container in containers.rest_servers()}

    assert served.name in names
    assert other.name not in names
    adopted = containers.find(served.name)
    assert adopted is not None
    assert adopted.ports == (("0.0.0.0", served.spec.port),)
    assert Options.parse(adopted.environment["OPTIONS"])[0].has_tls
    assert adopted.has_htpasswd
    assert "OPTIONS" not in repr(adopted)


def test_users_are_read_again_at_once(containers: Containers, serve: Serve) -> None:
    served = serve(Options())

    served.add_user("alice", PASSWORD)
    assert containers.reload_users(served.name)

    assert restserver.is_let_in(served.url, "alice", PASSWORD)
    with served.users.change() as entries:
        del entries["alice"]
    assert containers.reload_users(served.name)
    assert not restserver.is_let_in(served.url, "alice", PASSWORD)


def test_a_users_file_that_the_server_refuses_leaves_the_former_users(
    containers: Containers, serve: Serve
) -> None:
    served = serve(Options())
    served.add_user("alice", PASSWORD)
    containers.reload_users(served.name)

    served.users.files.write(".htpasswd", b"alice:x\nbo\n")

    with pytest.raises(EngineError, match="wrong number of fields"):
        containers.reload_users(served.name)
    assert restserver.is_let_in(served.url, "alice", PASSWORD)


def test_a_server_that_does_not_say_that_it_read_its_users_is_not_believed(
    containers: Containers,
    prepare: Serve,
    docker_client: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = prepare(Options())
    deaf = ["sh", "-c", "trap '' HUP; sleep 60"]
    docker_client.containers.run(served.spec.image, deaf, name=served.name, detach=True)
    monkeypatch.setattr("backups.engines.containers.RELOADED_WITHIN", 0.2)

    with pytest.raises(EngineError, match="did not read its users again"):
        containers.reload_users(served.name)


@pytest.mark.parametrize("open_by", ["OPTIONS", "command"])
def test_a_server_without_users_survives_a_reload(
    containers: Containers, prepare: Serve, docker_client: docker.DockerClient, open_by: str
) -> None:
    served = prepare(Options())
    ways = {
        "OPTIONS": {"environment": {"OPTIONS": "--log - --no-auth"}},
        "command": {"command": ["rest-server", "--path", "/data", "--no-auth"]},
    }
    arguments: dict[str, Any] = ways[open_by]
    docker_client.containers.run(
        served.spec.image,
        name=served.name,
        detach=True,
        ports={"8000/tcp": ("127.0.0.1", served.spec.port)},
        **arguments,
    )
    for _ in range(200):
        if restserver.probe(served.url).state in {"live", "other"}:
            break
        time.sleep(0.05)

    assert not containers.reload_users(served.name)

    found = containers.find(served.name)
    assert found is not None
    assert found.is_running


def test_a_trial_leaves_what_others_made_alone(
    containers: Containers, prepare: Serve, docker_client: docker.DockerClient
) -> None:
    served = prepare(Options())
    spec = served.spec
    beside = [f"{spec.name}-trial", f"{spec.name}.trial"]
    for name in beside:
        docker_client.containers.create(spec.image, name=name)
    try:
        with pytest.raises(EngineError, match="is in the way"):
            containers.try_out(spec)
        docker_client.containers.get(beside[1]).remove()
        assert containers.try_out(spec).free
        assert docker_client.containers.get(beside[0])
    finally:
        for name in beside:
            for found in docker_client.containers.list(all=True, filters={"name": f"^{name}$"}):
                found.remove(force=True)
