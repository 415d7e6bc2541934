"""A worker is killed in the middle of a change: afterwards server and database tell of one pair."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.actions.killing import Place, Rows
from tests.rig.containers import PREFIX
from tests.rig.forks import Forks
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of
from tests.rig.waiting import wait_until

ROUNDS = 6
# About what a change takes, up to its proof; kills fall anywhere within.
SECONDS = 2.5

_AFTER_THE_KEY = """
from backups.engines.files import LocalFiles
write = LocalFiles.write
def write_and_die(self, name, content, *, mode=0o640):
    write(self, name, content, mode=mode)
    if name == "private_key":
        kill()
LocalFiles.write = write_and_die
"""
_WHILE_IT_IS_DOWN = """
from backups.engines.containers import Containers
def stop_and_die(self, name, *, timeout=30):
    self.stop(name, timeout=timeout)
    kill()
Containers.restart = stop_and_die
"""
_BETWEEN_TWO_CONTAINERS = """
from backups.engines.containers import Containers
def die(self, spec):
    kill()
Containers.create = die
"""
_AFTER_THE_ROW = """
from backups.actions import changing
changing._Change.forget_former = lambda self: kill()
"""
_APPLY = """
from backups.actions.certificates_apply import apply_certificate
from backups.actions.operations import finish
from backups.models import Certificate
finish(apply_certificate(Certificate.objects.get(fingerprint="{which}"), by="test"))
"""
_TLS_OFF = """
from backups.actions.certificates_apply import change_line
from backups.actions.operations import finish
from backups.models import Server
finish(change_line(Server.objects.get(), has_tls=False, by="test"))
"""


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
    where = ["--bind", f"127.0.0.1:{port}", "--data", str(data), "--image", server_image, "--tls"]
    ids = [f"--{kind}={number}" for kind, number in owner_of(data).items()]
    house.manage("servers", "create", name, *where, *ids)
    with Forks(house.variables()) as forks:
        yield Place(house, forks, rows, port, data)


@pytest.mark.parametrize("moment", [_AFTER_THE_KEY, _WHILE_IT_IS_DOWN], ids=["files", "restart"])
def test_killed_between_the_two_renames_or_in_the_restart_the_next_worker_ends_it(
    place: Place, moment: str
) -> None:
    second = place.certificate()

    place.die_while(moment, _APPLY.format(which=second))
    place.take_up_what_is_left()

    assert (place.agrees(), place.last_state()) == (second, "succeeded")


@pytest.mark.parametrize("moment", [_BETWEEN_TWO_CONTAINERS, _AFTER_THE_ROW], ids=["made", "row"])
def test_killed_between_two_containers_there_is_one_in_the_end(
    place: Place, docker_client: docker.DockerClient, moment: str
) -> None:
    place.die_while(moment, _TLS_OFF)
    place.take_up_what_is_left()

    assert place.last_state() == "succeeded"
    assert place.shown() == ""
    every = docker_client.containers.list(all=True, filters={"name": place.name})
    assert [(one.name, one.status) for one in every] == [(place.name, "running")]
    assert place.rows("select has_tls, status from backups_server") == [(0, "live")]


def test_killed_too_often_all_is_as_it_was_before(place: Place) -> None:
    first, second = place.agrees(), place.certificate()
    place.die_while(_AFTER_THE_KEY, _APPLY.format(which=second))
    again = (
        "import time; time.sleep(3.5); from backups.actions.operations import work_on; "
        "from backups.models import Operation; work_on(Operation.objects.latest('pk').pk)"
    )
    for _ in range(2):
        place.die_while(_AFTER_THE_KEY, again)

    place.take_up_what_is_left()

    assert place.last_state() == "failed"
    wait_until(lambda: place.shown() == first, 10)
    assert place.agrees() == first


def test_killed_at_any_moment_port_files_and_database_agree(place: Place) -> None:
    first, second = place.agrees(), place.certificate()
    for number in range(ROUNDS):
        which = random.choice([first, second])
        code = _APPLY.format(which=which)
        place.forks.run(
            "shell", "--no-imports", "-c", code, killed_within=SECONDS * (number + 1) / ROUNDS
        )
        place.take_up_what_is_left()
        assert place.agrees() in {first, second}
