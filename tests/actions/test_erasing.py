"""Data is deleted for somebody who typed the name, and for nobody else."""

from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from backups.actions.operations import finish
from backups.actions.servers import drive_server, erase_server
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
