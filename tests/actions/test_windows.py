"""A second container for pruning: beside the append-only one, and gone by itself."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import docker
import pytest
from django.utils import timezone

from backups.actions import windows
from backups.actions.operations import finish
from backups.engines.errors import EngineError
from backups.models import Event, Operation, Server
from tests.actions.conftest import add_person
from tests.rig.backups import Backup

HOUR = timedelta(hours=1)


@pytest.fixture
def window_of(
    container_name: Callable[[str], str],
) -> Callable[[Server], Server]:
    def make(server: Server) -> Server:
        container_name(f"{server.name}-maintenance")
        done = finish(windows.open_window(server, HOUR, by="test"))
        assert done.problem == ""
        return server.windows.get()

    return make


def close_what_is_over() -> None:
    """As the scheduler and the worker do, one turn after the other."""
    windows.close_windows.call()
    for operation in Operation.objects.open():
        finish(operation)
    windows.close_windows.call()


def test_restic_prunes_in_the_window_while_the_server_takes_nothing_back(
    serve: Callable[..., Server],
    window_of: Callable[[Server], Server],
    docker_client: docker.DockerClient,
    restic_binary: Path,
    cheap_hashes: None,
    tmp_path: Path,
) -> None:
    server = serve()
    backup = Backup(server, add_person(server, "alice"), tmp_path, size=1)
    backup.run("init")
    for number in range(2):
        (tmp_path / "source" / "note").write_text(str(number))
        backup.run("backup", str(tmp_path / "source"))
    started = docker_client.containers.get(server.name).attrs["State"]["StartedAt"]

    window = window_of(server)
    assert (window.is_live, window.is_loopback, window.is_append_only) == (True, True, False)
    backup.url = backup.url.replace(f":{server.port}/", f":{window.port}/")
    backup.run("forget", "--keep-last", "1", "--prune")

    snapshots = Path(server.data_directory) / "alice" / "snapshots"
    assert len(list(snapshots.iterdir())) == 1
    backup.url = backup.url.replace(f":{window.port}/", f":{server.port}/")
    backup.run("check")
    assert docker_client.containers.get(server.name).attrs["State"]["StartedAt"] == started

    Server.objects.filter(pk=window.pk).update(closes=timezone.now() - timedelta(seconds=1))
    close_what_is_over()
    assert not server.windows.exists()
    assert not docker_client.containers.list(all=True, filters={"name": window.name})
    backup.run("check")
    verbs = set(
        Event.objects.filter(noun="server", name=server.name).values_list("verb", flat=True)
    )
    assert verbs >= {"opened a window", "closed the window"}


def test_a_window_is_made_longer_and_closed_early(
    serve: Callable[..., Server], window_of: Callable[[Server], Server]
) -> None:
    server = serve()
    window = window_of(server)
    closes = window.closes
    assert closes is not None

    windows.extend_window(window, HOUR, by="test")
    assert window.closes == closes + HOUR
    with pytest.raises(EngineError, match="a minute to a day"):
        windows.extend_window(window, timedelta(hours=24), by="test")
    with pytest.raises(EngineError, match="open already"):
        windows.open_window(server, HOUR, by="test")

    windows.close_window(window, by="test")
    close_what_is_over()
    assert not server.windows.exists()


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=2), -HOUR])
def test_a_window_has_an_end(db: None, serve: Callable[..., Server], span: timedelta) -> None:
    with pytest.raises(EngineError, match="a minute to a day"):
        windows.open_window(serve(), span, by="test")


def test_a_server_that_does_not_run_has_no_window(unmade: Server) -> None:
    with pytest.raises(EngineError, match="not live"):
        windows.open_window(unmade, HOUR, by="test")
