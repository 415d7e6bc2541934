"""What a server is told is changed on the real engine: proven, or as it was before."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from backups import engines
from backups.actions import options
from backups.actions.operations import finish
from backups.actions.servers import drive_server
from backups.engines.containers import Container
from backups.engines.errors import EngineError
from backups.models import Operation, Server
from tests.actions.conftest import add_person
from tests.factories import make_server
from tests.rig.backups import Backup
from tests.rig.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


def container_of(server: Server, name: str = "") -> Container | None:
    return engines.containers_of(server).find(name or server.name)


def ended(operation: Operation, server: Server) -> Operation:
    operation = finish(operation)
    server.refresh_from_db()
    return operation


def is_as_before(server: Server, before: Container | None, operation: Operation) -> None:
    """The very container of before answers, nothing is left beside it, and the story is told."""
    after = container_of(server)
    assert before is not None
    assert after is not None
    assert operation.state == Operation.State.FAILED
    assert f"{server} is as it was before, proven" in operation.problem
    assert (after.id, after.is_running) == (before.id, True)
    assert container_of(server, f"{server}.former") is None
    assert (server.status, engines.probe(server).is_live) == ("live", True)


def test_every_option_reaches_the_container_and_the_data_stays(
    server: Server, free_port: Callable[[], int]
) -> None:
    password, port = add_person(server, "alice"), free_port()
    wanted: dict[str, Any] = {
        "port": port,
        "is_append_only": False,
        "has_prometheus": True,
        "has_access_log": True,
        "max_size": 10**9,
        "memory_limit": 512 * 1024**2,
        "restart_policy": "on-failure:5",
        "selinux_label": "z",
        "extra_options": "--debug",
    }

    operation = ended(options.change_options(server, wanted, by="test"), server)

    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    container = container_of(server)
    assert container is not None
    assert container.environment["OPTIONS"] == (
        "--private-repos --prometheus --max-size 1000000000 --log - --debug"
    )
    assert container.ports == (("127.0.0.1", port),)
    assert {name: getattr(server, name) for name in wanted} == wanted
    assert engines.is_let_in(server, "alice", password)
    assert container_of(server, f"{server}.former") is None


def test_a_proxy_signs_in_and_then_nobody_is_asked(
    serve: Callable[..., Server], newer_image: str
) -> None:
    server = serve(image=newer_image)
    operation = ended(
        options.change_options(server, {"proxy_header": "X-Forwarded-User"}, by="test"), server
    )

    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    headers = {"X-Forwarded-User": "alice"}
    request = urllib.request.Request(f"{server.probe_url}alice/config", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    refused.value.close()
    # Not 401: she is in, and has no repository yet.
    assert refused.value.code == 404


def test_what_the_engine_refuses_is_taken_back(server: Server) -> None:
    before = container_of(server)

    operation = ended(options.change_options(server, {"memory_limit": 1024}, by="test"), server)

    assert "memory limit" in operation.problem.lower()
    is_as_before(server, before, operation)
    assert server.memory_limit is None


def test_a_port_that_somebody_else_has_is_taken_back(server: Server) -> None:
    before = container_of(server)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        operation = ended(options.change_options(server, {"port": port}, by="test"), server)

    assert f"Another program listens at 127.0.0.1:{port}" in operation.problem
    is_as_before(server, before, operation)


def test_an_image_that_is_no_rest_server_is_taken_back(server: Server) -> None:
    before, image = container_of(server), "debian:trixie-slim"

    operation = ended(options.change_options(server, {"image": image}, by="test"), server)

    is_as_before(server, before, operation)


def test_an_image_that_dies_after_three_seconds_is_taken_back(
    server: Server, dying_image: str
) -> None:
    password = add_person(server, "alice")
    before = container_of(server)

    operation = ended(options.upgrade_server(server, by="test", image=dying_image), server)

    is_as_before(server, before, operation)
    assert engines.is_let_in(server, "alice", password)


def test_a_real_backup_goes_on_through_an_upgrade_and_ends_with_exit_0(
    server: Server, newer_image: str, tmp_path: Path, restic_binary: Path
) -> None:
    backup = Backup(server, add_person(server, "alice"), tmp_path, size=18)
    backup.start()
    wait_until(lambda: engines.uploads_of(server) > 1, 20)
    with pytest.raises(options.UploadsUnderWayError, match="under way"):
        options.upgrade_server(server, by="test", image=newer_image)

    operation = ended(
        options.upgrade_server(server, by="test", image=newer_image, is_forced=True), server
    )

    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    code, said = backup.wait()
    assert code == 0, said
    container = container_of(server)
    assert container is not None
    assert container.image_id == engines.containers_of(server).image_id(newer_image)
    assert server.image == newer_image
    backup.run("check", "--read-data")


def test_a_real_backup_goes_on_through_a_restart_and_ends_with_exit_0(
    server: Server, tmp_path: Path, restic_binary: Path
) -> None:
    backup = Backup(server, add_person(server, "alice"), tmp_path, size=8)
    backup.start()
    wait_until(lambda: engines.uploads_of(server) > 1, 20)

    operation = ended(drive_server(server, "restart", by="test"), server)

    assert (operation.state, server.is_live) == (Operation.State.SUCCEEDED, True)
    code, said = backup.wait()
    assert code == 0, said
    backup.run("check", "--read-data")


def test_the_newest_image_is_left_as_it_is(server: Server) -> None:
    before = container_of(server)

    operation = ended(options.upgrade_server(server, by="test"), server)

    after = container_of(server)
    assert operation.state == Operation.State.SUCCEEDED
    assert "the newest image already" in operation.step
    assert before
    assert after
    assert (after.id, after.started) == (before.id, before.started)


def test_an_image_that_cannot_be_had_changes_nothing(server: Server) -> None:
    before = container_of(server)

    operation = ended(
        options.upgrade_server(server, by="test", image="resthouse.invalid/none:1"), server
    )

    assert "resthouse.invalid/none:1 could not be pulled" in operation.problem
    after = container_of(server)
    assert before
    assert after
    assert (after.id, after.started) == (before.id, before.started)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "is told just that already"),
        ({"is_append_only": True}, "is told just that already"),
        ({"name": "other"}, "name cannot be changed"),
        ({"has_tls": True}, "has no certificate yet"),
        ({"tls_min_version": "1.1"}, "lowest TLS version is 1.2 or 1.3"),
        ({"max_size": -1}, "greater than or equal to 0"),
        ({"restart_policy": "sometimes"}, "It is one of unless-stopped"),
        ({"image": "not an image"}, "Write it as NAME:TAG"),
        ({"port": 70000}, "less than or equal to 65535"),
    ],
)
def test_bad_input_is_refused_before_anything_happens(
    db: None, fields: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    server = make_server(data_directory=str(tmp_path))

    with pytest.raises((EngineError, ValidationError), match=sentence):
        options.change_options(server, fields, by="test")

    assert not Operation.objects.exists()


def test_the_address_of_another_server_is_refused(db: None, tmp_path: Path) -> None:
    server, other = make_server(data_directory=str(tmp_path)), make_server()

    with pytest.raises(ValidationError, match="Another server has this address and port"):
        options.change_options(server, {"port": other.port}, by="test")
