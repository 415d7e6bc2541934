"""One contract for both ways to a server's files, on real parts."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from backups.engines.containers import Containers
from backups.engines.errors import EngineError
from backups.engines.files import Files, LocalFiles

NAME = ".htpasswd"
UID, GID = 1000, 1000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A data directory that belongs to the container's user where we may give it away."""
    directory = tmp_path / "data"
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, UID, GID)
    return directory


@pytest.fixture
def local(directory: Path) -> LocalFiles:
    owner = directory.stat()
    return LocalFiles(directory, owner.st_uid, owner.st_gid)


@pytest.fixture(params=["local", "running", "stopped"])
def files(request: pytest.FixtureRequest, directory: Path, local: LocalFiles) -> Iterator[Files]:
    if request.param == "local":
        yield local
        return
    client: docker.DockerClient = request.getfixturevalue("docker_client")
    image: str = request.getfixturevalue("server_image")
    container = client.containers.create(
        image,
        ["sleep", "600"],
        init=True,
        user=f"{UID}:{GID}",
        mounts=[docker.types.Mount("/data", str(directory), type="bind")],
    )
    try:
        if request.param == "running":
            container.start()
        yield Containers().files(container.name, UID, GID)
    finally:
        container.remove(force=True, v=True)


def test_what_is_written_is_read_back_and_replaced_whole(files: Files, directory: Path) -> None:
    assert files.read(NAME) is None

    files.write(NAME, b"first, and longer than the second\n")
    files.write(NAME, b"second\n")

    assert files.read(NAME) == b"second\n"
    assert [path.name for path in directory.iterdir()] == [NAME]


def test_the_server_owns_and_can_read_what_is_written(files: Files, directory: Path) -> None:
    files.write(NAME, b"")
    files.write("private_key", b"secret", mode=0o600)

    users, key = (directory / NAME).stat(), (directory / "private_key").stat()
    owner = directory.stat()
    assert (users.st_uid, users.st_gid, users.st_mode & 0o777) == (
        owner.st_uid,
        owner.st_gid,
        0o640,
    )
    assert (key.st_uid, key.st_mode & 0o777) == (owner.st_uid, 0o600)


def test_a_second_write_of_the_same_size_can_be_told_by_its_time(
    files: Files, directory: Path
) -> None:
    files.write(NAME, b"alice:1\n")
    first = (directory / NAME).stat()

    time.sleep(0.01)
    files.write(NAME, b"alice:2\n")

    # rest-server compares time and size alone.
    assert (directory / NAME).stat().st_mtime_ns > first.st_mtime_ns > 10**18


def test_a_link_that_was_planted_is_neither_followed_nor_written_through(
    files: Files, directory: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("not for you")
    (directory / NAME).symlink_to(outside)

    with pytest.raises(EngineError):
        files.read(NAME)
    files.write(NAME, b"ours\n")

    assert outside.read_text() == "not for you"
    assert (directory / NAME).read_bytes() == b"ours\n"


def test_removing_is_done_or_said_to_be_impossible(
    files: Files, directory: Path, request: pytest.FixtureRequest
) -> None:
    files.remove(NAME)
    files.write(NAME, b"")

    if "stopped" in request.node.callspec.id:
        with pytest.raises(EngineError, match="Start it first"):
            files.remove(NAME)
    else:
        files.remove(NAME)
        assert list(directory.iterdir()) == []


def test_a_pipe_in_place_of_the_file_does_not_block(local: LocalFiles, directory: Path) -> None:
    os.mkfifo(directory / NAME)

    with pytest.raises(EngineError):
        local.read(NAME)


@pytest.mark.skipif(os.geteuid() != 0, reason="Run the tests as root: only root can step down.")
def test_without_the_right_to_give_files_away_the_group_must_do(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody, here = 65534, Path()
    # Only root may walk through pytest's folders.
    monkeypatch.chdir(directory)
    os.chown(directory, nobody, GID)
    os.setegid(nobody)
    os.seteuid(nobody)
    try:
        LocalFiles(here, UID, nobody).write("for-the-group", b"")
        with pytest.raises(EngineError, match=f"as user {UID}"):
            LocalFiles(here, UID, nobody).write("private_key", b"", mode=0o600)
        with pytest.raises(EngineError, match=f"in group {GID}"):
            LocalFiles(here, UID, GID).write("for-another-group", b"")
    finally:
        os.seteuid(0)
        os.setegid(0)

    assert [path.name for path in directory.iterdir()] == ["for-the-group"]
    assert (directory / "for-the-group").stat().st_gid == nobody


def test_a_failed_write_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "missing", os.getuid(), os.getgid())

    with pytest.raises(EngineError, match="No such file or directory"):
        files.write(NAME, b"")

    assert files.read(NAME) is None


def test_what_killed_writers_left_long_ago_is_swept(local: LocalFiles, directory: Path) -> None:
    old, young = (directory / f".htpasswd.{digit * 16}.new" for digit in "ab")
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))

    local.write(NAME, b"")

    assert {path.name for path in directory.iterdir()} == {NAME, young.name}


WRITER = """
import itertools, os, sys
from pathlib import Path
from backups.engines.files import LocalFiles
files = LocalFiles(Path(sys.argv[1]), os.getuid(), os.getgid())
print("ready", flush=True)
for state in itertools.cycle([b"a" * 300_000, b"b" * 200_000]):
    files.write(".htpasswd", state)
"""


def test_a_writer_killed_at_any_moment_leaves_one_of_the_two_states(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path, os.getuid(), os.getgid())
    files.write(NAME, b"a" * 300_000)

    for _ in range(40):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(random.uniform(0, 0.02))
            writer.send_signal(signal.SIGKILL)

        content = files.read(NAME)
        assert content in {b"a" * 300_000, b"b" * 200_000}
