"""What a change of users promises: proven on the server that runs, or all as it was before."""

import json
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
from django.utils import timezone

from backups import engines
from backups.actions import users, users_reconcile
from backups.engines.containers import Containers
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry, hash_password, parse
from backups.engines.restserver import is_let_in, probe
from backups.models import Event, Server, User
from tests.factories import make_operator, make_server, make_user
from tests.rig.servers import make_data_directory, wait_until_live
from tests.rig.waiting import wait_until

Serve = Callable[..., Server]


NEW_HASH = "$2y$10$" + "b" * 53


def file_of(server: Server) -> bytes:
    return (Path(server.data_directory) / ".htpasswd").read_bytes()


def names_in(server: Server) -> set[str]:
    return {entry.name for entry in parse(file_of(server).decode()).entries}


def put_by_hand(server: Server, **passwords: str) -> None:
    """As somebody with an editor: neither rows nor events know of it."""
    with engines.htpasswd_of(server).change() as entries:
        for name, password in passwords.items():
            entries[name] = Entry(name, hash_password(password, cost=4))


def rows_of(server: Server) -> list[dict[str, Any]]:
    return list(server.users.order_by("name").values())


def test_every_change_is_live_and_proven_when_it_returns(serve: Serve) -> None:
    server = serve()
    operator = make_operator(username="ines")

    def lets_in(password: str) -> bool:
        return is_let_in(server.probe_url, "web-1", password)

    new = users.add_user(server, "web-1", by=operator)
    assert (lets_in(new.password), new.user.live_since is not None) == (True, True)

    rotated = users.rotate_user(new.user, by=operator)
    assert (lets_in(new.password), lets_in(rotated.password)) == (False, True)

    users.disable_user(new.user, by=operator)
    assert (lets_in(rotated.password), names_in(server)) == (False, set())

    users.enable_user(new.user, by=operator)
    assert lets_in(rotated.password)

    users.delete_user(new.user, by=operator)
    assert (lets_in(rotated.password), names_in(server)) == (False, set())
    assert [(event.verb, event.sentence) for event in Event.objects.order_by("id")] == [
        ("added", "proven by a real sign-in"),
        ("rotated", "proven by a real sign-in"),
        ("disabled", "proven: the server read its users again"),
        ("enabled", "proven: the server read its users again"),
        ("deleted", "proven: the server read its users again"),
    ]


@pytest.mark.parametrize("obstacle", ["frozen", "paused", "open to anybody"])
def test_a_change_that_cannot_be_proven_leaves_everything_as_it_was(
    serve: Serve, docker_client: docker.DockerClient, obstacle: str
) -> None:
    server = serve()
    put_by_hand(server, old="the-former-password", off="the-former-password")
    Containers().reload_users(server.name)
    users_reconcile.adopt_users(server)
    old, off = server.users.get(name="old"), server.users.get(name="off")
    users.disable_user(off, by="terminal")
    before = file_of(server), rows_of(server), Event.objects.count()
    changes: list[Callable[[], object]] = [
        lambda: users.add_user(server, "new", by="terminal"),
        lambda: users.disable_user(old, by="terminal"),
        lambda: users.rotate_user(old, by="terminal"),
        lambda: users.enable_user(off, by="terminal"),
        lambda: users.delete_user(old, by="terminal"),
    ]

    if obstacle == "frozen":
        docker_client.containers.get(server.name).kill(signal="STOP")
        changes = changes[:1]  # Each waits for an answer, many seconds.
    elif obstacle == "paused":
        docker_client.containers.get(server.name).pause()
    else:
        open_to_anybody(docker_client, server)

    for change in changes:
        with pytest.raises(EngineError):
            change()
        assert (file_of(server), rows_of(server), Event.objects.count()) == before
    if obstacle == "frozen":
        docker_client.containers.get(server.name).kill(signal="CONT")
        assert is_let_in(server.probe_url, "old", "the-former-password")


def open_to_anybody(client: docker.DockerClient, server: Server) -> None:
    """The same server, made again by hand without authentication."""
    Containers().remove(server.name)
    client.containers.run(
        server.image,
        name=server.name,
        user=f"{server.uid}:{server.gid}",
        environment=server.spec.environment | {"DISABLE_AUTHENTICATION": "1"},
        ports={"8000/tcp": (server.address, server.port)},
        volumes=[f"{server.data_directory}:/data"],
        detach=True,
    )
    wait_until(lambda: "lets anybody in" in probe(server.probe_url).sentence, 30)


def test_what_is_changed_while_the_server_is_stopped_applies_at_its_start(serve: Serve) -> None:
    server = serve()
    Containers().stop(server.name)

    new = users.add_user(server, "web-1", by="terminal")

    assert new.user.live_since is None
    assert [event.sentence for event in Event.objects.all()] == ["applies when it starts"]
    Containers().start(server.name)
    wait_until_live(server.probe_url)
    assert is_let_in(server.probe_url, "web-1", new.password)


def test_the_engine_is_asked_not_the_last_check_whether_the_server_runs(serve: Serve) -> None:
    server = serve(status=Server.Status.STOPPED)

    new = users.add_user(server, "web-1", by="terminal")

    assert new.user.live_since is not None


def test_a_damaged_file_is_neither_adopted_nor_changed(tmp_path: Path, db: None) -> None:
    directory = make_data_directory(tmp_path)
    server = make_server(data_directory=str(directory), status=Server.Status.NEW)
    (directory / ".htpasswd").write_text("web-1:$2y$05$abc\n   # no comment\n")

    assert users_reconcile.adopt_users(server) == 0
    with pytest.raises(EngineError, match="damaged"):
        users.add_user(server, "web-2", by="terminal")

    assert rows_of(server) == []


def test_two_who_read_the_same_page_do_not_undo_each_other(unmade: Server) -> None:
    new = users.add_user(unmade, "web-1", by="terminal")
    hashed = parse(file_of(unmade).decode()).entries[0].hash
    first, second = (unmade.users.get(name="web-1") for _ in range(2))
    users.disable_user(first, by="terminal")

    for change in (users.disable_user, users.rotate_user):
        with pytest.raises(EngineError, match="disabled"):
            change(second, by="terminal")
        new.user.refresh_from_db()
        assert (new.user.disabled_hash, names_in(unmade)) == (hashed, set())

    users.delete_user(first, by="terminal")
    with pytest.raises(EngineError, match="deleted in the meantime"):
        users.rotate_user(second, by="terminal")
    assert names_in(unmade) == set()


def test_who_cannot_be_expired_does_not_keep_others_in(unmade: Server) -> None:
    past = timezone.now() - timedelta(days=1)
    make_user(unmade, name="removed-by-hand", expires=past)
    make_user(make_server(status=Server.Status.NEW), name="out-of-reach", expires=past)
    new = users.add_user(unmade, "web-1", by="terminal")
    User.objects.filter(pk=new.user.pk).update(expires=past)

    assert users.expire_users.call() == 1

    assert names_in(unmade) == set()


def test_secrets_are_in_no_event_log_or_trace_of_the_engine(
    serve: Serve, docker_client: docker.DockerClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    since = int(time.time()) - 1
    server = serve()
    new = users.add_user(server, "web-1", by="terminal")
    hashes = [parse(file_of(server).decode()).entries[0].hash]
    rotated = users.rotate_user(new.user, by="terminal")
    hashes.append(parse(file_of(server).decode()).entries[0].hash)
    users.disable_user(new.user, by="terminal")
    users.enable_user(new.user, by="terminal")
    container = docker_client.containers.get(server.name)
    container.pause()
    with pytest.raises(EngineError) as refusal:
        users.rotate_user(new.user, by="terminal", password="chosen-by-hand-1")
    container.unpause()

    told = [caplog.text, repr(new), repr(rotated), str(refusal.value), json.dumps(container.attrs)]
    told += [repr(event.__dict__) for event in Event.objects.all()]
    told += [repr(line) for line in docker_client.events(since=since, until=int(time.time()) + 1)]
    secrets = [new.password, rotated.password, "chosen-by-hand-1", *hashes]
    assert [secret for secret in secrets if any(secret in text for text in told)] == []
