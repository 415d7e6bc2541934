"""A worker is killed in the middle of what it does to a server: afterwards there is one container,
it answers, and what is known of it is so."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.actions.killing import Place, Rows
from tests.rig.containers import PREFIX
from tests.rig.forks import Forks
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of

# The steps between which a change can be killed, as the moments before or after a call.
_MOMENTS = {
    "renamed": ("rename", "after"),
    "stopped": ("stop", "after"),
    "starting": ("start", "before"),
    "started": ("start", "after"),
    "removing": ("remove", "before"),
}
_DIE = """
from backups.engines.containers import Containers
do = Containers.{call}
def do_and_die(self, *arguments, **options):
    if "{when}" == "after":
        do(self, *arguments, **options)
    kill()
Containers.{call} = do_and_die
"""
_STORY = """
from backups.actions import adopting, options, servers, windows
from backups.actions.operations import finish
from backups.models import Server
server = Server.objects.filter(window_of=None).first()
finish({what})
"""
CHANGE = 'options.change_options(server, {"has_prometheus": True, "is_append_only": False}, by="x")'
BROKEN = 'options.change_options(server, {"memory_limit": 1024 * 1024}, by="x")'
UPGRADE = 'options.upgrade_server(server, image="IMAGE", is_forced=True, by="x")'
RETRY = 'servers.retry_server(server, by="x")'
REMOVE = 'servers.drive_server(server, "remove", by="x")'


@pytest.fixture
def place(
    house: House,
    rows: Rows,
    server_image: str,
    free_port: Callable[[], int],
    container_name: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[Place]:
    house.environment = {"DJANGO_SETTINGS_MODULE": "tests.actions.quick_settings"}
    port, data = free_port(), make_data_directory(tmp_path)
    name = container_name(f"{PREFIX}{port}")
    for beside in ("former", "trial"):
        container_name(f"{name}.{beside}")
    where = ["--bind", f"127.0.0.1:{port}", "--data", str(data), "--image", server_image]
    ids = [f"--{kind}={number}" for kind, number in owner_of(data).items()]
    house.manage("servers", "create", name, *where, *ids)
    (data / "alice").mkdir()
    (data / "alice" / "config").write_text("all my backups")
    with Forks(house.variables()) as forks:
        yield Place(house, forks, rows, port, data)


def die(moment: str) -> str:
    call, when = _MOMENTS[moment]
    return _DIE.format(call=call, when=when)


def is_whole(place: Place, client: docker.DockerClient) -> None:
    """One container, which answers and runs as it is wanted; the data as it was."""
    assert place.containers(client) == [(place.name, "running")]
    assert (place.data / "alice" / "config").read_text() == "all my backups"
    place.house.manage("servers", "show", place.name)
    [(status, drift)] = place.rows("select status, drift from backups_server")
    assert (status, drift) == ("live", "[]")


@pytest.mark.parametrize("moment", ["renamed", "started", "removing"])
def test_killed_in_a_change_the_next_worker_ends_it(
    place: Place, docker_client: docker.DockerClient, moment: str
) -> None:
    place.die_while(die(moment), _STORY.format(what=CHANGE))
    place.take_up_what_is_left()

    assert place.last_state() == "succeeded"
    is_whole(place, docker_client)
    assert place.rows("select has_prometheus, is_append_only from backups_server") == [(1, 0)]


def test_killed_in_a_change_that_the_engine_refuses_all_is_as_before(
    place: Place, docker_client: docker.DockerClient
) -> None:
    place.die_while(die("renamed"), _STORY.format(what=BROKEN))
    place.take_up_what_is_left()

    assert place.last_state() == "failed"
    is_whole(place, docker_client)


def test_killed_in_an_upgrade_to_an_image_that_dies_the_former_one_serves(
    place: Place, docker_client: docker.DockerClient, dying_image: str
) -> None:
    what = UPGRADE.replace("IMAGE", dying_image)
    place.die_while(die("started"), _STORY.format(what=what))
    place.take_up_what_is_left()

    assert place.last_state() == "failed"
    is_whole(place, docker_client)


def test_killed_in_an_upgrade_the_next_worker_ends_it(
    place: Place, docker_client: docker.DockerClient, newer_image: str
) -> None:
    place.die_while(die("stopped"), _STORY.format(what=UPGRADE.replace("IMAGE", newer_image)))
    place.take_up_what_is_left()

    assert place.last_state() == "succeeded"
    is_whole(place, docker_client)
    assert place.rows("select image from backups_server") == [(newer_image,)]


def test_killed_while_a_server_that_was_removed_is_made_again(
    place: Place, docker_client: docker.DockerClient
) -> None:
    docker_client.containers.get(place.name).remove(force=True)
    place.house.manage("servers", "show", place.name)
    assert place.rows("select status from backups_server") == [("gone",)]

    place.die_while(die("starting"), _STORY.format(what=RETRY))
    place.take_up_what_is_left()

    assert place.last_state() == "succeeded"
    is_whole(place, docker_client)


def test_killed_while_it_is_removed_nothing_is_left(
    place: Place, docker_client: docker.DockerClient
) -> None:
    place.die_while(die("removing"), _STORY.format(what=REMOVE))
    place.take_up_what_is_left()

    assert place.last_state() == "succeeded"
    assert place.containers(docker_client) == []
    assert (place.data / "alice" / "config").exists()


def test_killed_while_a_container_is_adopted_it_is_adopted_once(
    place: Place,
    docker_client: docker.DockerClient,
    server_image: str,
    free_port: Callable[[], int],
    container_name: Callable[[str], str],
    tmp_path: Path,
) -> None:
    name, data = container_name(f"{PREFIX}{free_port()}"), tmp_path / "other"
    data.mkdir()
    publish = f"127.0.0.1:{name.removeprefix(PREFIX)}:8000"
    line = ["docker", "run", "-d", "--name", name, "-p", publish, "-v", f"{data}:/data"]
    subprocess.run([*line, server_image], check=True, capture_output=True)
    started = docker_client.containers.get(name).attrs["State"]["StartedAt"]

    for number in range(4):
        place.forks.run("servers", "adopt", name, killed_within=0.2 * (number + 1))
    place.forks.run("servers", "adopt", name)

    known = place.rows("select status, is_adopted from backups_server where name = ?", name)
    assert known == [("live", 1)]
    assert docker_client.containers.get(name).attrs["State"]["StartedAt"] == started


def test_a_change_that_was_broken_off_for_good_is_told_and_put_back(
    place: Place, docker_client: docker.DockerClient
) -> None:
    """As after an operation that was given up while the engine was away."""
    place.die_while(die("renamed"), _STORY.format(what=CHANGE))
    place.rows("update backups_operation set state = 'failed', finished = created")

    place.house.manage("servers", "show", place.name)
    [(status, reason)] = place.rows("select status, reason from backups_server")
    assert status == "gone"
    assert "stands aside" in reason
    place.house.manage("servers", "retry", place.name)

    is_whole(place, docker_client)
