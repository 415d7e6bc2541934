"""Servers that really run, and a house of its own for tests that kill processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine

from backups.actions.lease import Lease
from backups.models import Host, Server
from tests.actions.telling import NOW
from tests.factories import make_host, make_server
from tests.rig.containers import PREFIX
from tests.rig.servers import make_data_directory, make_real_server, owner_of


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
        return make_real_server(fields.pop("image", server_image), port, tmp_path, **fields)

    return make


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def host(db: None, clock: Any) -> Host:
    return make_host(name="web-1")


@pytest.fixture
def unmade(tmp_path: Path, db: None) -> Server:
    """A server without a container: its file can be changed, nothing needs a proof."""
    directory = make_data_directory(tmp_path)
    fields = {"data_directory": str(directory), **owner_of(directory)}
    return make_server(status=Server.Status.NEW, **fields)


@pytest.fixture
def cheap_hashes(settings: Any) -> None:
    """Of the least cost there is: what is hashed here protects nothing."""
    settings.BCRYPT_COST = 4


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    """All that an operation shows of itself, in order."""
    seen: list[tuple[str, int | None]] = []
    show = Lease.step

    def step(self: Lease, sentence: str, percent: int | None = None) -> None:
        seen.append((sentence, percent))
        show(self, sentence, percent)

    monkeypatch.setattr(Lease, "step", step)
    return seen


def add_person(server: Server, name: str) -> str:
    """A user of the server, and the password that was made."""
    from backups.actions.users import add_user

    return add_user(server, name, by="test").password
