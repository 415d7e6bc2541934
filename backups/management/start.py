"""How `run` and `demo` become the house: an address that is free, and the supervisor."""

import os
import sys
from typing import NoReturn

from django.core.management.base import CommandError

from backups.management.supervisor import is_free


def free_address(bind: str) -> tuple[str, str]:
    """The address and the port of ADDRESS:PORT; CommandError when nobody could listen there."""
    address, _, port = bind.rpartition(":")
    if not address or not port.isdecimal():
        raise CommandError("Write --bind as ADDRESS:PORT, such as 127.0.0.1:8080.")
    if not is_free(address, int(port)):
        other = f"{address}:{int(port) + 1}"
        raise CommandError(f"{bind} is taken. Choose another address: --bind {other}")
    return address, port


def become_supervisor(address: str, port: str, url: str, *, is_demo: bool = False) -> NoReturn:
    """From here on Django is of no use to this process, only its memory would stay."""
    command = [sys.executable, "-m", "backups.management.supervisor", address, port, url]
    os.execv(sys.executable, [*command, "demo" if is_demo else "house"])  # noqa: S606
