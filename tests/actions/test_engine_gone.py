"""The engine goes away in the middle of a change and comes back, as in an upgrade of its own."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import docker
import pytest

from backups import engines
from backups.actions import options
from backups.actions.operations import finish
from backups.actions.watching import check_servers
from backups.engines import container_engine
from backups.engines.containers import Containers
from backups.models import ContainerEngine, Operation, Server
from tests.rig.engine_proxy import serving

ALL = dict.fromkeys(("GET", "POST", "PUT", "DELETE", "HEAD"), re.compile(".*"))


class Door:
    """The socket of the engine, which can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()

    def open(self) -> None:
        engine = container_engine.DEFAULT.removeprefix("unix://")
        (self.folder / "engine.sock").unlink(missing_ok=True)
        self.stack.enter_context(serving(self.folder, engine, ALL))

    def close(self) -> None:
        self.stack.close()


@pytest.fixture
def door(
    docker_client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    folder = tmp_path / "door"
    folder.mkdir()
    door = Door(folder)
    door.open()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/engine.sock")
    yield door
    door.close()


def test_a_change_waits_for_the_engine_and_is_taken_back(
    door: Door, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    before = engines.containers_of(server).find(server.name)
    create = Containers.create

    def go_away(self: Containers, spec: object) -> object:
        door.close()
        Timer(3, door.open).start()
        return create(self, spec)  # type: ignore[arg-type]

    monkeypatch.setattr(Containers, "create", go_away)

    done = finish(options.change_options(server, {"has_prometheus": True}, by="test"))

    assert done.state == Operation.State.FAILED
    assert "The container engine at" in done.problem
    assert f"{server} is as it was before, proven" in done.problem
    after = engines.containers_of(server).find(server.name)
    assert before is not None
    assert after is not None
    assert (after.id, after.is_running) == (before.id, True)
    server.refresh_from_db()
    assert (server.is_live, server.has_prometheus) == (True, False)


def test_while_it_is_away_that_is_told_and_then_all_is_found_again(
    door: Door, serve: Callable[..., Server]
) -> None:
    server = serve()
    check_servers.call()
    assert ContainerEngine.objects.get().is_up

    door.close()
    check_servers.call()
    server.refresh_from_db()
    engine = ContainerEngine.objects.get()
    assert (engine.problem, server.status) == ("refused", Server.Status.UNKNOWN)
    assert "start it, usually with" in server.reason

    door.open()
    check_servers.call()
    server.refresh_from_db()
    assert (ContainerEngine.objects.get().is_up, server.is_live, server.reason) == (True, True, "")
