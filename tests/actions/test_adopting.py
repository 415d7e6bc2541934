"""Containers of others become servers as they run, and what others did to ours is seen."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from django.core.exceptions import ValidationError

from backups.actions import adopting, options
from backups.actions.operations import finish
from backups.actions.servers import create_server, drive_server
from backups.actions.watching import check_server, check_servers
from backups.engines.containers import Containers
from backups.engines.errors import EngineError
from backups.engines.htpasswd import hash_password
from backups.models import ContainerEngine, Event, Operation, Server
from tests.factories import make_certificate
from tests.rig.backups import Backup
from tests.rig.containers import PREFIX
from tests.rig.waiting import wait_until

Run = Callable[..., str]


@pytest.fixture
def run(
    server_image: str, container_name: Callable[[str], str], docker_client: docker.DockerClient
) -> Run:
    """`docker run` by hand, as a tutorial has it."""

    def start(name: str, *words: str, command: tuple[str, ...] = ()) -> str:
        name = container_name(f"{PREFIX}{name}")
        line = ["docker", "run", "--detach", "--name", name, *words, server_image, *command]
        subprocess.run(line, check=True, capture_output=True)
        return name

    return start


def adopt(name: str) -> Server:
    server, _ = adopting.adopt_container(name, by="test")
    return server


def codes_of(name: str) -> set[str]:
    return {oddity.code for oddity in adopting.read_candidate(name).oddities}


def inspected(client: docker.DockerClient, name: str) -> tuple[str, str]:
    found = client.containers.get(name)
    return found.id or "", found.attrs["State"]["StartedAt"]


def test_the_tutorials_container_becomes_a_server_untouched_and_is_made_safe_when_asked(
    db: None,
    run: Run,
    free_port: Callable[[], int],
    tmp_path: Path,
    docker_client: docker.DockerClient,
    restic_binary: Path,
) -> None:
    port, data = free_port(), tmp_path / "data"
    data.mkdir()
    (data / ".htpasswd").write_text(f"alice:{hash_password('correct horse', cost=4)}\n")
    publish = f"127.0.0.1:{port}:8000"
    name = run("tutorial", "-p", publish, "-v", f"{data}:/data:z", "-e", "OPTIONS=--append-only")
    wait_until(lambda: bool(Containers().logs(name)), 10)
    before = inspected(docker_client, name)

    assert name in adopting.find_candidates()
    assert codes_of(name) >= {"shared", "root", "loose"}
    server = adopt(name)

    assert inspected(docker_client, name) == before
    assert (server.data_directory, server.port, server.uid) == (str(data), port, 0)
    assert (server.is_append_only, server.has_private_repositories) == (True, False)
    assert server.selinux_label == "z"
    assert (server.is_live, server.drift, server.is_adopted) == (True, [], True)
    assert name not in adopting.find_candidates()
    with pytest.raises(ValidationError, match="already"):
        adopt(name)

    backup = Backup(server, "correct horse", tmp_path, size=1)
    backup.run("init")
    backup.run("backup", str(data / ".htpasswd"))
    wanted = {"has_private_repositories": True}
    done = finish(options.change_options(server, wanted, by="test"))

    assert done.problem == ""
    # The files belong to root still, so it is its user; all else is safe now.
    assert codes_of(name) == {"root"}
    server.refresh_from_db()
    assert (server.is_adopted, server.drift, server.is_live) == (False, [], True)
    backup.run("check")


def test_what_endangers_backups_is_said_before_anything_else(
    db: None, run: Run, free_port: Callable[[], int], docker_client: docker.DockerClient
) -> None:
    publish = f"127.0.0.1:{free_port()}:8000"
    name = run("open", "-p", publish, "-e", "DISABLE_AUTHENTICATION=1")

    found = adopting.read_candidate(name).oddities

    assert [(one.code, one.level) for one in found][:2] == [
        ("no-auth", "error"),
        ("anonymous-volume", "error"),
    ]
    wait_until(lambda: bool(Containers().logs(name)), 10)
    server = adopt(name)
    assert server.status == Server.Status.FAILED
    assert "lets anybody in" in server.reason
    done = finish(options.change_options(server, server.closed(), by="test"))
    assert done.problem == ""
    server.refresh_from_db()
    assert (server.is_live, server.is_open) == (True, False)


def test_a_command_in_place_of_the_entry_point_is_understood(
    db: None, run: Run, free_port: Callable[[], int], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    words = ("rest-server", "--path", "/srv/r", "--max-size=1000000000", "--no-auth", "--debug")
    where = ["-p", f"127.0.0.1:{free_port()}:8000", "-v", f"{data}:/srv/r"]

    server = adopting.read_candidate(run("command", *where, command=words)).server

    assert server.max_size == 1_000_000_000
    assert server.extra_options.split() == ["--no-auth", "--debug"]
    assert (server.data_directory, server.spec.data_target) == (str(data), "/srv/r")


@pytest.mark.parametrize(
    ("words", "command", "sentence"),
    [
        (["-p", "127.0.0.1::8000"], ("sh", "-c", "sleep 60"), "a command of its own"),
        ([], (), "publishes its port 8000 nowhere"),
        (["-p", "127.0.0.1::8000", "-e", "OPTIONS=--listen :9000"], (), "listens at :9000"),
        (["-p", "127.0.0.1::8000", "--user", "nobody"], (), "by number"),
        (["-p", "127.0.0.1::8000", "-e", "DATA_DIRECTORY=/in/it"], (), "read from /data/.htpasswd"),
        (
            [
                "-p",
                "127.0.0.1::8000",
                "-e",
                "DATA_DIRECTORY=/x",
                "-e",
                "PASSWORD_FILE=/x/.htpasswd",
            ],
            (),
            "inside the container itself",
        ),
    ],
)
def test_what_cannot_be_a_server_says_why_and_changes_nothing(
    db: None, run: Run, words: list[str], command: tuple[str, ...], sentence: str
) -> None:
    name = run("unfit", *words, command=command)

    with pytest.raises(EngineError, match=sentence):
        adopt(name)

    assert not Server.objects.exists()
    assert not Event.objects.exists()


def test_what_is_no_rest_server_is_not_adopted(db: None, run: Run) -> None:
    with pytest.raises(EngineError, match="There is no container called"):
        adopt(f"{PREFIX}nobody")


def test_a_change_by_hand_is_shown_and_put_back(
    serve: Callable[..., Server], docker_client: docker.DockerClient
) -> None:
    server = serve()
    made_by = finish(options.change_options(server, {"has_access_log": True}, by="test"))
    assert made_by.problem == ""
    server.refresh_from_db()
    docker_client.containers.get(server.name).update(mem_limit=64 * 1024**2, memswap_limit=-1)

    check_server(server)

    server.refresh_from_db()
    assert [(one["name"], one["wanted"], one["found"]) for one in server.drift] == [
        ("Memory limit", "none", "64 MiB")
    ]
    assert server.drift_since is not None
    done = finish(adopting.put_back(server, by="test"))
    assert done.problem == ""
    check_server(server)
    server.refresh_from_db()
    assert (server.drift, server.is_live, server.memory_limit) == ([], True, None)


def test_a_container_made_anew_by_hand_is_shown_and_adopted(
    serve: Callable[..., Server], run: Run, docker_client: docker.DockerClient
) -> None:
    server = serve()
    docker_client.containers.get(server.name).remove(force=True)
    where = ["-p", f"127.0.0.1:{server.port}:8000", "-v", f"{server.data_directory}:/data"]
    words = [*where, "--user", f"{server.uid}:{server.gid}", "-e", "OPTIONS=--private-repos"]
    run(server.name.removeprefix(PREFIX), *words)
    wait_until(lambda: bool(Containers().logs(server.name)), 10)

    check_server(server)

    server.refresh_from_db()
    assert {one["name"] for one in server.drift} == {"--append-only", "Started again"}
    adopting.adopt_drift(server, by="test")
    server.refresh_from_db()
    assert (server.drift, server.is_append_only, server.is_adopted) == ([], False, True)
    assert server.is_live
    with pytest.raises(EngineError, match="nothing to adopt"):
        adopting.adopt_drift(server, by="test")


def test_a_container_removed_by_hand_is_made_again(
    serve: Callable[..., Server], docker_client: docker.DockerClient
) -> None:
    server = serve()
    docker_client.containers.get(server.name).remove(force=True)

    check_server(server)

    assert server.status == Server.Status.GONE
    done = finish(adopting.put_back(server, by="test"))
    assert (done.kind, done.problem) == (Operation.Kind.CREATE_SERVER, "")
    server.refresh_from_db()
    assert server.is_live


def test_an_engine_that_is_gone_is_told_once_and_with_since_when(
    db: None, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve()
    Server.objects.filter(pk=server.pk).update(engine=f"unix://{tmp_path}/none.sock")

    check_servers.call()
    check_servers.call()

    engine = ContainerEngine.objects.exclude(address="").get()
    assert (engine.problem, engine.is_up) == ("missing", False)
    server.refresh_from_db()
    assert (server.status, server.reason) == (Server.Status.UNKNOWN, engine.sentence)
    first = engine.since
    Server.objects.filter(pk=server.pk).update(engine="")
    check_servers.call()
    server.refresh_from_db()
    assert server.is_live
    assert ContainerEngine.objects.get().is_up
    assert first <= engine.checked


def test_a_container_reached_in_two_ways_and_by_a_range_is_read_whole(
    db: None, run: Run, free_port: Callable[[], int], tmp_path: Path
) -> None:
    first, second = free_port(), free_port()
    where = ["-p", f"127.0.0.1:{first}-{first}:8000", "-p", f"127.0.0.1:{second}:8000"]
    where += ["--add-host", "nas:192.0.2.1", "--cap-add", "CHOWN"]

    candidate = adopting.read_candidate(run("two-ways", *where, "-v", f"{tmp_path}:/data"))

    assert candidate.server.port == first
    told = {one.code: one.sentence for one in candidate.oddities}
    assert "capabilities of its own, names of hosts" in told["left-out"]
    assert str(second) in told["other-ports"]


def test_what_was_made_here_with_everything_set_does_not_drift(
    serve: Callable[..., Server], docker_client: docker.DockerClient
) -> None:
    server = serve(
        tls_min_version="1.3",
        restart_policy="on-failure:0",
        selinux_label="z",
        extra_options="--prometheus --max-size=5000000000",
        has_access_log=True,
        memory_limit=256 * 1024**2,
    )

    check_server(server)

    server.refresh_from_db()
    assert (server.drift, server.is_live) == ([], True)


def test_a_server_whose_retry_failed_keeps_its_certificates(
    serve: Callable[..., Server], docker_client: docker.DockerClient
) -> None:
    server = serve()
    make_certificate(server)
    docker_client.containers.get(server.name).remove(force=True)
    check_server(server)
    Server.objects.filter(pk=server.pk).update(image="127.0.0.1:1/none:1")

    done = finish(adopting.put_back(server, by="test"))

    assert done.state == Operation.State.FAILED
    server.refresh_from_db()
    assert server.status == Server.Status.GONE
    with pytest.raises(ValidationError):
        create_server(Server(name=server.name, image="x", data_directory="/srv/a/b"), by="test")
    assert server.certificates.count() == 1


def test_a_strangers_container_aside_is_left_alone(
    serve: Callable[..., Server], run: Run, docker_client: docker.DockerClient
) -> None:
    server = serve()
    before = docker_client.containers.get(server.name).id
    stranger = run(f"{server.name.removeprefix(PREFIX)}.former", "--entrypoint", "sleep")

    done = finish(options.change_options(server, {"has_prometheus": True}, by="test"))

    assert "is in the way" in done.problem
    assert docker_client.containers.get(server.name).id == before
    assert docker_client.containers.get(stranger)


def test_a_strangers_container_in_its_place_is_not_removed(
    serve: Callable[..., Server], run: Run, docker_client: docker.DockerClient
) -> None:
    server = serve()
    docker_client.containers.get(server.name).remove(force=True)
    run(server.name.removeprefix(PREFIX))

    done = finish(drive_server(server, "remove", by="test"))

    assert "was not made here" in done.problem
    assert docker_client.containers.get(server.name).status == "running"
