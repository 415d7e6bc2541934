"""Servers that really run, and a house of its own for tests that kill processes."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
import time_machine

from backups.models import Host, Server
from tests.actions.telling import NOW
from tests.factories import make_host
from tests.rig.house import House
from tests.rig.servers import PREFIX, make_real_server, removed_at_the_end


@pytest.fixture
def container_name(docker_client: docker.DockerClient) -> Iterator[Callable[[str], str]]:
    with removed_at_the_end(docker_client) as note:
        yield note


@pytest.fixture
def serve(
    db: None,
    server_image: str,
    free_port: Callable[[], int],
    container_name: Callable[[str], str],
    tmp_path: Path,
) -> Callable[..., Server]:
    """Start a rest-server, with its row, and wait until it answers."""

    def make(**fields: Any) -> Server:
        port = free_port()
        container_name(f"{PREFIX}{port}")
        return make_real_server(server_image, port, tmp_path, **fields)

    return make


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[House]:
    """A house whose processes the test starts, and may kill."""
    house = House(tmp_path / "house", free_port())
    yield house
    house.stop()


@pytest.fixture
def rows(house: House) -> Callable[..., list[tuple[Any, ...]]]:
    """Look into the house's database, or write there, from outside of its processes."""

    def ask(query: str, *values: object) -> list[tuple[Any, ...]]:
        file = house.data / "resthouse.sqlite3"
        with closing(sqlite3.connect(file, timeout=20)) as database, database:
            return database.execute(query, values).fetchall()

    return ask


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def host(db: None, clock: Any) -> Host:
    return make_host(name="web-1")
