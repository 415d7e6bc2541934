"""Somebody who signed in, and how htmx asks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backups.models import Operator, Server
from tests.factories import make_operator, make_server
from tests.rig.containers import PREFIX, removed_at_the_end
from tests.rig.servers import make_data_directory, owner_of, start_container


@pytest.fixture
def operator(db: None) -> Operator:
    return make_operator(username="ines")


@pytest.fixture
def client(operator: Operator) -> Client:
    """A browser in which the operator is signed in."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def stranger(db: None) -> Client:
    """A browser in which nobody is signed in."""
    return Client()


@pytest.fixture
def htmx(client: Client) -> Callable[..., HttpResponse]:
    """Ask as htmx does for one part of a page: `htmx("/hosts/", "hosts")`."""

    def ask(path: str, target: str, *, method: str = "get", **options: Any) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": target}
        return getattr(client, method)(path, headers=headers, **options)

    return ask


@pytest.fixture
def queries_of(client: Client) -> Callable[[str], int]:
    """How many queries a page takes, after a first look has filled what is kept."""

    def count(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len(queries)

    return count


@pytest.fixture
def stopped(db: None, tmp_path: Path) -> Server:
    """A server that is stopped: its file is changed, and nothing can be proven."""
    return make_server(name="house-main", status="stopped", data_directory=str(tmp_path))


@pytest.fixture(scope="module")
def container(
    docker_client: docker.DockerClient,
    server_image: str,
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """One rest-server that really runs, and what its row has to say of it."""
    port = free_port()
    directory = make_data_directory(tmp_path_factory.mktemp("users"))
    fields = {
        "name": f"{PREFIX}{port}",
        "image": server_image,
        "port": port,
        "data_directory": str(directory),
        **owner_of(directory),
    }
    with removed_at_the_end(docker_client) as note:
        note(fields["name"])
        start_container(Server(**fields))
        yield fields


@pytest.fixture
def server(db: None, container: dict[str, Any]) -> Server:
    return make_server(**container)
