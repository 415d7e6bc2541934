"""A house whose workers kill themselves, and what is left of one server and its container."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker

from backups.engines import certificates, tls
from tests.rig.containers import PREFIX
from tests.rig.forks import Forks
from tests.rig.house import House

Rows = Callable[..., list[tuple[Any, ...]]]

KILL = "import os, signal; kill = lambda: os.kill(os.getpid(), signal.SIGKILL)"


class Place:
    """A house with one server that speaks TLS, and two certificates for it."""

    def __init__(self, house: House, forks: Forks, rows: Rows, port: int, data: Path) -> None:
        self.house, self.forks, self.rows = house, forks, rows
        self.port, self.data = port, data
        self.name = f"{PREFIX}{port}"

    def certificate(self) -> str:
        made = self.house.manage("certificates", "make", "--json")
        return str(json.loads(made.stdout)["fingerprint"])

    def shown(self) -> str:
        return tls.look("127.0.0.1", self.port).fingerprint

    def die_while(self, *code: str) -> None:
        """Run it in a process of its own, which kills itself on the way."""
        source = "\n".join([KILL, *code])
        assert self.forks.run("shell", "--no-imports", "-c", source) == -9

    def take_up_what_is_left(self) -> None:
        """As the house does by itself: the lease of the dead worker lapses, another one begins."""
        [(pk, state)] = self.rows(
            "select id, state from backups_operation order by id desc limit 1"
        )
        if state in {"queued", "running"}:
            code = (
                "from backups.actions.operations import finish; "
                "from backups.models import Operation; "
                f"finish(Operation.objects.get(pk={pk}))"
            )
            assert self.forks.run("shell", "--no-imports", "-c", code) == 0

    def last_state(self) -> str:
        [(state,)] = self.rows("select state from backups_operation order by id desc limit 1")
        return str(state)

    def agrees(self) -> str:
        """The one certificate that port, files and database tell of."""
        query = "select fingerprint from backups_certificate"
        [(known,)] = self.rows(f"{query} where live_since is not null and live_until is null")
        chain, key = ((self.data / n).read_text() for n in ("public_key", "private_key"))
        assert certificates.fits(chain, key)
        assert certificates.facts_of(chain).fingerprint == known == self.shown()
        return str(known)

    def containers(self, client: docker.DockerClient) -> list[tuple[str, str]]:
        """Name and state of all that were ever made for the server."""
        found = client.containers.list(all=True, filters={"name": self.name})
        return sorted((one.name or "", one.status) for one in found)
