"""What the tests of an engine's contract have in common, whichever engine it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import docker
import pytest
from docker.errors import APIError

from backups.engines.container_state import Container
from backups.engines.containers import Containers, Spec
from backups.engines.errors import EngineError
from tests.rig.fake_engine import FakeEngine
from tests.rig.waiting import wait_until

Engine = Containers | FakeEngine


@contextmanager
def cleared_away(client: docker.DockerClient, name: str) -> Iterator[None]:
    """Containers of this name, with or without a suffix, and their volumes."""
    yield
    volumes = set()
    for container in client.containers.list(all=True, filters={"name": f"^/?{name}(-|$)"}):
        volumes |= {mount.get("Name") for mount in container.attrs["Mounts"]}
        with suppress(APIError):
            # Else Podman would first wait for its end as long as for a server with uploads.
            container.kill()
        container.remove(force=True, v=True)
    for volume in client.volumes.list():
        if volume.name in volumes:
            volume.remove()


def look(engine: Engine, name: str) -> Container:
    found = engine.find(name)
    assert found is not None
    return found


def run(engine: Engine, spec: Spec) -> Container:
    """Make and start it, and wait until rest-server is ready."""
    engine.create(spec)
    engine.start(spec.name)
    wait_until_ready(engine, spec.name)
    return look(engine, spec.name)


def wait_until_ready(engine: Engine, name: str, starts: int = 1) -> None:
    """For signals: before that it may not hear them, or end as if it had crashed."""

    def is_ready() -> bool:
        return sum("start server on" in line for line in engine.logs(name)) == starts

    wait_until(is_ready, 30)


def wait_until_ended(engine: Engine, name: str) -> Container:
    """As it was when it had ended; by now it may run again, and end again."""
    seen: list[Container] = []

    def has_ended() -> bool:
        seen.append(look(engine, name))
        return seen[-1].exit_code != 0

    wait_until(has_ended, 20)
    return seen[-1]


def refusal(verb: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(EngineError) as error:
        verb(*arguments)
    return str(error.value)
