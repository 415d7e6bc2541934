"""From the first password to the revoked one: sign-ins, expiry, other machines, many users."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
import time_machine
from django.utils import timezone

from backups import engines
from backups.actions import users
from backups.engines import htpasswd
from backups.engines.containers import Containers
from backups.engines.htpasswd import parse
from backups.engines.restserver import is_let_in, repository_url
from backups.models import Server
from tests.rig.containers import PREFIX
from tests.rig.servers import wait_until_live

Serve = Callable[..., Server]
NEW_HASH = "$2y$10$" + "b" * 53


def file_of(server: Server) -> bytes:
    return (Path(server.data_directory) / ".htpasswd").read_bytes()


def names_in(server: Server) -> set[str]:
    return {entry.name for entry in parse(file_of(server).decode()).entries}


def test_restic_works_right_after_add_and_is_refused_right_after_disable(
    serve: Serve, restic_binary: Path, tmp_path: Path
) -> None:
    server = serve()
    new = users.add_user(server, "web-1", by="terminal")
    repository = repository_url(server.url, "web-1", new.password, "web-1/laptop")

    def restic(*arguments: str) -> subprocess.CompletedProcess[str]:
        mine = {"RESTIC_PASSWORD": "of the repository", "RESTIC_CACHE_DIR": str(tmp_path / "cache")}
        command = [str(restic_binary), "--repo", repository, *arguments]
        return subprocess.run(command, env=os.environ | mine, capture_output=True, text=True)

    assert restic("init").returncode == 0
    assert restic("backup", "/etc/hostname").returncode == 0

    users.disable_user(new.user, by="terminal")

    assert not is_let_in(server.probe_url, "web-1", new.password)
    refused = restic("backup", "/etc/hostname")
    assert (refused.returncode != 0, "401" in refused.stderr) == (True, True)


def test_a_user_expires_on_the_server_that_runs(serve: Serve) -> None:
    server = serve()
    new = users.add_user(server, "web-1", by="terminal")
    users.set_expiry(new.user, timezone.now() + timedelta(minutes=2), by="terminal")

    assert users.expire_users.call() == 0
    assert is_let_in(server.probe_url, "web-1", new.password)
    with time_machine.travel(new.user.expires + timedelta(seconds=1)):
        assert users.expire_users.call() == 1

    assert not is_let_in(server.probe_url, "web-1", new.password)
    new.user.refresh_from_db()
    users.enable_user(new.user, by="terminal")
    assert is_let_in(server.probe_url, "web-1", new.password)


def test_an_expiry_that_is_over_is_cleared_by_enabling(unmade: Server) -> None:
    new = users.add_user(unmade, "web-1", by="terminal")
    users.set_expiry(new.user, timezone.now() + timedelta(minutes=2), by="terminal")
    with time_machine.travel(new.user.expires):
        users.expire_users.call()

        users.enable_user(new.user, by="terminal")

        assert (new.user.expires, users.expire_users.call()) == (None, 0)


@pytest.fixture
def volume(docker_client: docker.DockerClient, serve: Serve) -> Iterator[str]:
    """One of the engine's, which no directory of ours is; gone after the container."""
    name = f"{PREFIX}users-{os.getpid()}"
    yield name
    for container in docker_client.containers.list(all=True, filters={"volume": name}):
        container.remove(force=True)
    docker_client.volumes.get(name).remove()


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_where_the_directory_is_not_seen_the_engine_reaches_it(
    serve: Serve, volume: str, state: str
) -> None:
    # A new volume belongs to root.
    server = serve(data_directory=volume, uid=0, gid=0)
    assert not engines.is_visible(server)
    if state == "stopped":
        Containers().stop(server.name)

    first = users.add_user(server, "web-1", by="terminal")
    new = users.rotate_user(first.user, by="terminal")
    users.add_user(server, "web-2", by="terminal")

    assert (new.user.live_since is None) == (state == "stopped")
    content = engines.files_of(server).read(".htpasswd")
    assert content is not None
    assert {entry.name for entry in parse(content.decode()).entries} == {"web-1", "web-2"}
    if state == "stopped":
        Containers().start(server.name)
        wait_until_live(server.probe_url)
    assert is_let_in(server.probe_url, "web-1", new.password)


def test_only_the_new_one_of_ten_thousand_is_hashed(
    unmade: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"web-{number}:$2y$10${'a' * 53}\n" for number in range(10_000))
    (Path(unmade.data_directory) / ".htpasswd").write_text(lines)
    hashed: list[str] = []
    monkeypatch.setattr(
        htpasswd, "hash_password", lambda password, cost: hashed.append(password) or NEW_HASH
    )

    users.add_user(unmade, "new", by="terminal")

    assert len(hashed) == 1
    assert file_of(unmade).decode() == f"{lines}new:{NEW_HASH}\n"


def test_the_cost_of_a_hash_is_a_setting(unmade: Server, settings: Any) -> None:
    settings.BCRYPT_COST = 5

    users.add_user(unmade, "web-1", by="terminal")

    assert parse(file_of(unmade).decode()).entries[0].cost == 5
