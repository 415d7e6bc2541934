"""docs/engine-calls.md is the list of all that Resthouse asks of an engine, and not longer."""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any

import docker
import pytest

from backups.engines import uploads
from backups.engines.containers import Containers
from backups.engines.errors import EngineError
from backups.engines.restserver import Options
from tests.engines.conftest import Served, wait_until_live
from tests.rig import ROOT
from tests.rig.containers import PREFIX
from tests.rig.engine_proxy import EngineProxy, serving

Serve = Callable[[Options], Served]
DOCUMENT = (ROOT / "docs" / "engine-calls.md").read_text()
PLACES = {
    "version": r"v1\.\d+",
    "container": "[^/]+",
    "image": ".+",
    "volume": "[^/]+",
    "exec": "[^/]+",
}


@dataclass
class Noting:
    """An engine that notes what it was asked to do."""

    containers: Containers
    verbs: set[str] = field(default_factory=set)

    def __getattr__(self, verb: str) -> Any:
        self.verbs.add(verb)
        return getattr(self.containers, verb)


def allow_list(name: str) -> dict[str, re.Pattern[str]]:
    block = re.search(rf"^```{name}\n(.+?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert block
    patterns = re.findall(r"^-allow([A-Z]+)=(.+)$", block[1], re.MULTILINE)
    return {method: re.compile(pattern) for method, pattern in patterns}


def lines_of_the_table() -> dict[str, re.Pattern[str]]:
    """Each as it stands there, and what it means for a method and path together."""
    lines = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", DOCUMENT, re.MULTILINE)
    return {
        f"{method} {path}": re.compile(
            f"{method} " + re.sub(r"\{(\w+)\}", lambda place: PLACES.get(place[1], "[^/]+"), path)
        )
        for method, path in lines
    }


@contextmanager
def through(folder: Path, engine: str, name: str) -> Iterator[tuple[Containers, EngineProxy]]:
    with serving(folder, engine, allow_list(name)) as proxy:
        yield Containers(f"unix://{folder}/engine.sock"), proxy


def live_a_life(containers: Any, served: Served, folder: Path, tag: str) -> None:
    """Everything that a server may go through, and the way to its image."""
    name, spec = served.name, served.spec
    assert containers.status().is_up
    assert containers.has_image(spec.image)
    with pytest.raises(EngineError, match="could not be pulled"):
        list(containers.pull(f"127.0.0.1:{spec.port}/resthouse/none:latest"))
    with pytest.raises(EngineError, match="refused"):
        containers.newest_digest(f"127.0.0.1:{spec.port}/resthouse/none:latest")
    (folder / "Dockerfile").write_text(f"FROM {spec.image}\nLABEL a=b\n")
    list(containers.build(folder, tag, {}))
    assert containers.image_id(tag)

    assert containers.try_out(spec).free
    containers.create(spec)
    containers.start(name)
    wait_until_live(served)
    assert containers.look(name).reading
    assert name in containers.mounting(spec.data_directory)
    assert containers.usage(name)
    files = containers.files(name, spec.uid, spec.gid)
    files.write(".htpasswd", b"")
    files.write(f"upload{uploads.MARK}", b"half")
    assert containers.uploads(name) == 1
    files.remove(f"upload{uploads.MARK}")
    assert files.read(".htpasswd") == b""
    assert containers.reload_users(name)
    assert containers.logs(name)[-1] == "Reloaded htpasswd file"
    assert containers.recent_log(name, tail=1).lines
    containers.restart(name)
    assert containers.find(name).is_running
    assert name in {server.name for server in containers.rest_servers()}
    containers.stop(name)
    containers.rename(name, f"{name}-former")
    containers.remove(f"{name}-former")
    containers.create(replace(spec, data_directory=f"{name}-data"))
    containers.remove(name)
    containers.remove_volume(f"{name}-data")


def test_a_server_lives_by_the_listed_calls_and_needs_each_of_them(
    prepare: Serve, docker_client: docker.DockerClient, docker_socket: str, tmp_path: Path
) -> None:
    served, tag = prepare(Options()), f"{PREFIX}listed:1"
    context = tmp_path / "context"
    context.mkdir()

    with through(tmp_path, docker_socket, "all") as (containers, proxy):
        noting, heard = Noting(containers), set[str]()
        # It listens until the proxy goes.
        listener = Thread(target=lambda: heard.update(noting.changes()))
        listener.start()
        try:
            live_a_life(noting, served, context, tag)
        finally:
            docker_client.images.remove(tag, force=True)
    listener.join()

    assert served.name in heard
    calls = [f"{method} {path}" for method, path in proxy.passed]
    table = lines_of_the_table()
    assert proxy.refused == []
    assert [line for line, does in table.items() if not any(map(does.fullmatch, calls))] == []
    listed = list(table.values())
    assert [call for call in calls if not any(does.fullmatch(call) for does in listed)] == []
    every = {name for name, _ in inspect.getmembers(Containers, inspect.isfunction)}
    assert {verb for verb in every if not verb.startswith("_")} == noting.verbs


def test_who_may_only_watch_start_and_stop_can_change_nothing(
    serve: Serve, docker_client: docker.DockerClient, docker_socket: str, tmp_path: Path
) -> None:
    served = serve(Options())
    name, spec = served.name, served.spec

    with through(tmp_path, docker_socket, "watch") as (containers, proxy):
        assert containers.status().is_up
        containers.restart(name)
        wait_until_live(served)
        assert containers.reload_users(name)
        containers.stop(name)
        containers.start(name)
        assert containers.logs(name)
        assert proxy.refused == []
        changes: list[Callable[[], object]] = [
            lambda: containers.create(replace(spec, name=f"{name}-2")),
            lambda: containers.rename(name, f"{name}-2"),
            lambda: containers.uploads(name),
            lambda: containers.files(name, spec.uid, spec.gid).write(".htpasswd", b""),
            lambda: containers.remove(name),
        ]
        for change in changes:
            with pytest.raises(EngineError, match="The container engine refused"):
                change()

    found = docker_client.containers.get(name)
    assert found.attrs["Name"] == f"/{name}"
