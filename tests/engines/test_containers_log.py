"""The log of containers that really run, read within bounds."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest
from docker.types import LogConfig

from backups.engines import container_logs, restserver
from backups.engines.containers import Containers, Spec
from backups.engines.errors import EngineError, EngineUnavailable
from backups.engines.restserver import Options
from backups.engines.restserver_log import Line, read_log
from tests.engines.conftest import Served
from tests.rig.waiting import wait_until

Serve = Callable[[Options], Served]
MARK = "Resthouse/0123456789"


def lines_of(containers: Containers, name: str, since: int = 0) -> list[Line]:
    found = containers.recent_log(name, tail=1000, since=since)
    assert found is not None
    return read_log(found.lines, mark=MARK)


def test_what_strangers_and_we_ourselves_leave_in_the_log_is_told_apart(
    containers: Containers, serve: Serve
) -> None:
    served = serve(Options(has_access_log=True))
    served.add_user("alice", "correct horse battery")
    served.reload()
    began = int(time.time()) - 1

    assert restserver.probe(served.url, mark=MARK).is_live
    assert not restserver.is_let_in(served.url, "alice", "wrong", mark=MARK)
    assert not restserver.is_let_in(served.url, "stranger", "guess")
    time.sleep(0.2)

    lines = [line for line in lines_of(containers, served.name, began) if line.request]
    refused = [(line.request.path, line.is_own_probe) for line in lines[-3:] if line.request]
    assert refused == [("/", True), ("/alice/config", True), ("/stranger/config", False)]
    assert all(line.at and line.at.timestamp() > began for line in lines)
    told = [line for line in lines_of(containers, served.name) if "entry for alice" in line.text]
    assert [line.is_own_probe for line in told] == [True]


@pytest.mark.parametrize("engine", ["docker", "podman"], indirect=True)
def test_docker_and_podman_hand_out_the_same_log(engine: Containers, spec: Spec) -> None:
    spec = replace(spec, options=Options(has_access_log=True))
    url = f"http://127.0.0.1:{spec.port}/"
    engine.create(spec)
    empty = engine.recent_log(spec.name, tail=10)
    began = datetime.now(UTC) - timedelta(seconds=2)
    engine.start(spec.name)
    wait_until(lambda: restserver.probe(url, mark=MARK).is_live, 20)
    restserver.is_let_in(url, "stranger", "guess")
    wait_until(lambda: "/stranger/config" in lines_of(engine, spec.name)[-1].text, 5)

    assert empty is not None
    assert empty.lines == ()
    lines = lines_of(engine, spec.name, int(began.timestamp()))
    # The entry point's word comes by the other stream, before these or among them.
    begun = [line.text for line in lines if not line.request and "sign in" not in line.text]
    assert begun == [
        "Data directory: /data",
        "Authentication enabled",
        "Loaded htpasswd file /data/.htpasswd",
        "Private repositories enabled",
        "start server on [::]:8000",
    ]
    assert [line.is_own_probe for line in lines[-2:]] == [True, False]
    assert all(line.at and began < line.at < datetime.now(UTC) for line in lines)
    newest = engine.recent_log(spec.name, tail=1)
    assert newest is not None
    assert [line.text for line in read_log(newest.lines)] == [lines[-1].text]


def test_a_container_that_is_not_there_has_no_log(containers: Containers) -> None:
    assert containers.recent_log("resthouse-test-nobody", tail=10) is None


def test_a_log_that_the_engine_gives_to_another_says_so(
    containers: Containers, prepare: Serve, docker_client: docker.DockerClient
) -> None:
    served = prepare(Options())
    docker_client.containers.run(
        served.spec.image,
        ["true"],
        name=served.name,
        detach=True,
        log_config=LogConfig(type="none"),
    )

    with pytest.raises(EngineError, match="logging driver does not support reading"):
        containers.recent_log(served.name, tail=10)


@pytest.mark.parametrize("has_terminal", [False, True])
def test_a_flood_is_cut_at_its_beginning(
    containers: Containers,
    prepare: Serve,
    docker_client: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
    has_terminal: bool,
) -> None:
    served = prepare(Options())
    flood = "seq -f 'line %.0f of a flood' 20000; echo the end"
    container = docker_client.containers.run(
        served.spec.image, ["sh", "-c", flood], name=served.name, detach=True, tty=has_terminal
    )
    container.wait(timeout=30)
    monkeypatch.setattr(container_logs, "MAX_BYTES", 100_000)

    found = containers.recent_log(served.name, tail=50_000)

    assert found is not None
    assert found.is_cut
    assert sum(map(len, found.lines)) <= 100_000
    texts = [line.text for line in read_log(found.lines)]
    assert texts[-2:] == ["line 20000 of a flood", "the end"]
    assert texts[0].endswith(" of a flood")
    few = containers.recent_log(served.name, tail=2)
    assert few is not None
    assert ([line.text for line in read_log(few.lines)], few.is_cut) == (texts[-2:], False)


@contextmanager
def engine_that(answers: list[bytes], path: Path) -> Iterator[Containers]:
    """One that gives these answers, one per connection or request, and then is silent."""
    rest = iter(answers)

    def serve(line: socket.socket) -> None:
        with line:
            while line.recv(65536):
                line.sendall(next(rest, b""))

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def accept() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield Containers(f"unix://{path}")
        listener.shutdown(socket.SHUT_RDWR)


def json_answer(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"
CONTAINER = json_answer(
    b'{"Id": "abc", "Name": "/house", "State": {"Status": "running"}, "Config": {}}'
)
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answers",
    [[], [PING], [PING, CONTAINER], [PING, CONTAINER, STREAM + b"5\r\nhello\r\n"]],
    ids=["at once", "after its first word", "after the container", "in the log"],
)
def test_an_engine_that_falls_silent_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[bytes]
) -> None:
    monkeypatch.setattr(container_logs, "TIMEOUT", 1)

    with (
        engine_that(answers, tmp_path / "engine.sock") as engine,
        pytest.raises(EngineUnavailable, match="does not answer in time"),
    ):
        engine.recent_log("house", tail=10)


def test_an_engine_that_dribbles_holds_nobody_up() -> None:
    with pytest.raises(EngineUnavailable, match="did not hand out the log within"):
        list(container_logs._on_time([b"one", b"two"], time.monotonic() - 1))
