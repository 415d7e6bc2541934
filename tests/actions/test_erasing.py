"""Data is deleted for somebody who typed the name, and for nobody else."""

import os
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from django.utils import timezone

from backups.actions.operations import finish
from backups.actions.servers import drive_server, erase_server, forget_server
from backups.engines.errors import EngineError
from backups.models import Operation, Server
from tests.factories import make_server
from tests.rig.containers import PREFIX


def test_all_of_it_goes_and_nothing_beside_it(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "precious").write_text("x")
    folder = Path(server.data_directory)
    (folder / "alice" / "data").mkdir(parents=True)
    (folder / "alice" / "config").write_text("x")
    (folder / "link").symlink_to(beside)

    with pytest.raises(EngineError, match="Remove that first"):
        erase_server(server, server.name, by="test")
    finish(drive_server(server, "remove", by="test"))
    server.refresh_from_db()
    for typed in ("", server.name.upper(), f"{server.name} "):
        with pytest.raises(EngineError, match="letter by letter"):
            erase_server(server, typed, by="test")
    assert (folder / "alice" / "config").exists()

    done = finish(erase_server(server, server.name, by="test"))

    assert (done.state, done.step) == (Operation.State.SUCCEEDED, f"{folder} is empty.")
    assert list(folder.iterdir()) == []
    assert (beside / "precious").read_text() == "x"


def test_a_volume_goes_as_a_whole(
    db: None,
    docker_client: docker.DockerClient,
    server_image: str,
    container_name: Callable[[str], str],
    free_port: Callable[[], int],
) -> None:
    from backups.actions.servers import create_server

    port = free_port()
    name = container_name(f"{PREFIX}{port}")
    server = Server(name=name, image=server_image, port=port, data_directory=f"{name}-data")
    assert finish(create_server(server, by="test")).problem == ""
    assert docker_client.volumes.get(f"{name}-data")
    finish(drive_server(server, "remove", by="test"))
    server.refresh_from_db()

    assert finish(erase_server(server, name, by="test")).problem == ""

    assert [v.name for v in docker_client.volumes.list(filters={"name": f"{name}-data"})] == []


def test_what_is_not_seen_from_here_is_not_deleted_from_here(db: None) -> None:
    server = make_server(status=Server.Status.REMOVED)

    with pytest.raises(EngineError, match="not seen from here"):
        erase_server(server, server.name, by="test")


def test_data_that_is_not_one_servers_alone_is_not_deleted(db: None, tmp_path: Path) -> None:
    folder = tmp_path / "shared" / "deep"
    folder.mkdir(parents=True)
    (folder / "precious").write_text("x")
    link = tmp_path / "link"
    link.symlink_to(folder)
    removed = {"status": Server.Status.REMOVED, "data_directory": str(folder)}
    first = make_server(**removed)

    other = make_server(data_directory=str(folder))
    with pytest.raises(EngineError, match=f"{other} keeps its data there as well"):
        erase_server(first, first.name, by="test")
    other.delete()
    window = make_server(**removed, window_of=first, closes=timezone.now())
    for server in (first, window):
        with pytest.raises(EngineError, match=r"window of .* is open"):
            erase_server(server, server.name, by="test")
    with pytest.raises(EngineError, match=r"window of .* is open"):
        forget_server(first, by="test")
    window.delete()
    through = make_server(status=Server.Status.REMOVED, data_directory=str(link))
    with pytest.raises(EngineError, match="through a link"):
        erase_server(through, through.name, by="test")
    system = make_server(status=Server.Status.REMOVED, data_directory="/etc", is_adopted=True)
    with pytest.raises(EngineError, match="no folder for backups alone"):
        erase_server(system, system.name, by="test")

    assert (folder / "precious").exists()
    assert not Operation.objects.exists()


def test_names_of_any_bytes_are_deleted(unmade: Server) -> None:
    folder = Path(unmade.data_directory)
    (folder / os.fsdecode(b"\xff\xfe")).write_text("x")
    Server.objects.filter(pk=unmade.pk).update(status=Server.Status.REMOVED)
    unmade.refresh_from_db()

    assert finish(erase_server(unmade, unmade.name, by="test")).problem == ""

    assert list(folder.iterdir()) == []


def test_data_that_a_container_of_others_still_uses_is_not_deleted(
    serve: Callable[..., Server], docker_client: docker.DockerClient
) -> None:
    server = serve()
    finish(drive_server(server, "remove", by="test"))
    server.refresh_from_db()
    bind = {server.data_directory: {"bind": "/data", "mode": "rw"}}
    docker_client.containers.create(server.image, name=server.name, volumes=bind)

    done = finish(erase_server(server, server.name, by="test"))

    assert done.problem == f"{server} still uses {server.data_directory}. Nothing was deleted."
    assert list(Path(server.data_directory).iterdir())
