"""An engine of another machine, reached by SSH as `docker -H ssh://` reaches it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from backups.engines.containers import Containers
from backups.engines.restserver import Options
from tests.engines.conftest import Served, wait_until_live
from tests.rig.ssh import sshd


@dataclass
class Door:
    """The way to the engine, and the files that open it."""

    address: str
    keys: Path


@pytest.fixture
def door(
    docker_client: docker.DockerClient,
    free_port: Callable[[], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Door]:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with sshd(home, free_port()) as address:
        yield Door(address, home / ".ssh")


def test_a_server_lives_on_an_engine_behind_ssh(
    door: Door, prepare: Callable[[Options], Served]
) -> None:
    engine = Containers(door.address)
    assert engine.status().is_up, engine.status().sentence
    served = prepare(Options())

    engine.try_out(served.spec)
    engine.create(served.spec)
    engine.start(served.name)
    wait_until_live(served)
    assert engine.reload_users(served.name)
    sight = engine.look(served.name)
    assert sight is not None
    assert sight.container.is_running
    engine.stop(served.name)
    engine.remove(served.name)
    assert engine.find(served.name) is None


@pytest.mark.parametrize("missing", ["known_hosts", "id_ed25519"])
def test_a_door_that_does_not_open_is_told_apart(door: Door, missing: str) -> None:
    (door.keys / missing).unlink()

    status = Containers(door.address).status()

    assert (status.is_up, status.problem) == (False, "ssh")
    assert door.address in status.sentence
    assert "known_hosts" in status.sentence


def test_nobody_behind_the_door_is_refused(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    status = Containers(f"ssh://nobody@127.0.0.1:{free_port()}").status()

    assert (status.is_up, status.problem) == (False, "refused")
