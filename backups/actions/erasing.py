"""The work behind the end of the data itself."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from backups.actions.lease import Lease
from backups.actions.making import answering_engine, server_of
from backups.actions.repositories import scan_server
from backups.engines.errors import EngineError
from backups.models import Operation, Server


def erase_data(operation: Operation, lease: Lease) -> str:
    """May be done twice: what is gone is gone."""
    server = server_of(operation)
    if server.is_volume:
        lease.step(f"Deleting the volume {server.data_directory}", 10)
        answering_engine(server).remove_volume(server.data_directory)
        return f"The volume {server.data_directory} is deleted."
    _insist_on_unused(server)
    children = list(Path(server.data_directory).iterdir())
    for number, child in enumerate(children):
        # A name may be of any bytes.
        name = os.fsencode(child.name).decode(errors="replace")
        lease.step(f"Deleting {name}", number * 100 // len(children))
        lease.renew()
        _erase(child)
    # Its repositories are gone by now, and pages should say so.
    scan_server(server)
    return f"{server.data_directory} is empty."


def _insist_on_unused(server: Server) -> None:
    """Also by a container that is no server of this house."""
    if names := answering_engine(server).mounting(server.data_directory):
        raise EngineError(
            f"{', '.join(names)} still uses {server.data_directory}. Nothing was deleted."
        )


def _erase(path: Path) -> None:
    """Links are deleted and not followed."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        else:
            with suppress(FileNotFoundError):
                shutil.rmtree(path)
    except OSError as error:
        name = os.fsencode(error.filename or "").decode(errors="replace")
        raise EngineError(f"{name} could not be deleted ({error.strerror}).") from error
