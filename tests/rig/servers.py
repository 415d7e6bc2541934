"""Rows of servers whose containers really run."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from backups.actions.making import HOUSE, house_id
from backups.engines import restserver
from backups.engines.containers import Containers
from backups.models import Server
from tests.factories import make_server
from tests.rig.containers import PREFIX
from tests.rig.waiting import wait_until


def make_data_directory(parent: Path) -> Path:
    """A folder that belongs to the user of the container."""
    directory = parent / "data"
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, 1000, 1000)
    return directory


def owner_of(directory: Path) -> dict[str, int]:
    status = directory.stat()
    return {"uid": status.st_uid, "gid": status.st_gid}


def start_container(server: Server) -> None:
    """What the making of a server does, without its operation."""
    containers = Containers()
    containers.create(replace(server.spec, labels={HOUSE: house_id()}))
    containers.start(server.name)
    wait_until_live(server.probe_url)


def wait_until_live(url: str) -> None:
    wait_until(lambda: restserver.probe(url).is_live, 30, lambda: restserver.probe(url).sentence)


def make_real_server(image: str, port: int, parent: Path, **fields: Any) -> Server:
    """A row and its container, live."""
    directory = make_data_directory(parent)
    defaults = {
        "name": f"{PREFIX}{port}",
        "image": image,
        "port": port,
        "data_directory": str(directory),
        **owner_of(directory),
    }
    server = make_server(**defaults | fields)
    start_container(server)
    return server
