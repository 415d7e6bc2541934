import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backups.engines import repositories
from backups.engines.errors import EngineError
from tests.rig import missing


def run_restic(*arguments: str, repository: Path) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(repository.parent),
        "RESTIC_PASSWORD": "correct horse",
    }
    return subprocess.run(
        ["restic", "--no-cache", "--repo", repository, *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture(scope="session")
def real_repository(restic_binary, tmp_path_factory):
    """One made by restic; a local one has the layout of rest-server."""
    home = tmp_path_factory.mktemp("restic")
    source = home / "source"
    source.mkdir()
    (source / "letter").write_bytes(os.urandom(100_000))
    run_restic("init", repository=home / "repo")
    for _ in range(2):
        run_restic("backup", str(source), repository=home / "repo")
    return home / "repo"


@pytest.fixture
def data(tmp_path, real_repository):
    """A data directory in which alice has one repository."""
    shutil.copytree(real_repository, tmp_path / "alice", dirs_exist_ok=True)
    (tmp_path / ".htpasswd").write_text("")
    return tmp_path


def paths(directory: Path) -> list[str]:
    return [repository.path for repository in repositories.scan(directory)]


def test_a_real_repository_tells_what_it_may_without_its_password(real_repository):
    before = datetime.now(UTC)
    listed = json.loads(run_restic("snapshots", "--json", repository=real_repository))

    [found] = repositories.scan(real_repository)

    assert (found.path, found.user) == ("", "")
    assert [snapshot.id for snapshot in found.snapshots] == [entry["id"] for entry in listed]
    assert all(before - timedelta(hours=1) < s.arrived <= before for s in found.snapshots)
    assert [bool(key.username and key.hostname) for key in found.keys] == [True]
    assert before - timedelta(hours=1) < found.keys[0].created < before
    everything = [file for file in real_repository.rglob("*") if file.is_file()]
    assert found.files == len(everything)
    assert found.bytes == sum(file.stat().st_size for file in everything)
    assert (found.locks, found.leftovers, found.unreadable) == ((), 0, 0)


def test_repositories_are_found_in_each_other_and_down_to_where_rest_server_serves(data):
    for path in ("", "alice/laptop", "alice/.hidden", "bob/pc", "bob/pc/deeper", "bob/data"):
        shutil.copytree(data / "alice" / "data" / "..", data / path, dirs_exist_ok=True)

    assert paths(data) == ["", "alice", "alice/.hidden", "alice/laptop", "bob/pc"]


def test_a_nested_repository_is_not_counted_twice(data):
    alone = repositories.scan(data)[0]
    shutil.copytree(data / "alice", data / "alice" / "laptop")

    outer, inner = repositories.scan(data)

    assert (outer.bytes, outer.files) == (alone.bytes, alone.files)
    assert (inner.bytes, inner.files) == (alone.bytes, alone.files)
    assert (inner.path, inner.user) == ("alice/laptop", "alice")


def test_a_lock_is_stale_after_half_an_hour(data):
    touched = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
    lock = data / "alice" / "locks" / ("a" * 64)
    lock.write_bytes(b"encrypted")
    os.utime(lock, (touched.timestamp(), touched.timestamp()))

    [found] = repositories.scan(data)[0].locks

    assert found == repositories.Lock("a" * 64, touched)
    assert not found.is_stale(touched + timedelta(minutes=30))
    assert found.is_stale(touched + timedelta(minutes=31))


def test_an_upload_that_was_cut_is_a_leftover_and_no_snapshot(data):
    snapshots = data / "alice" / "snapshots"
    (snapshots / f"{'b' * 64}.rest-server-temp123").write_bytes(b"half")

    [found] = repositories.scan(data)

    assert (len(found.snapshots), found.leftovers) == (2, 1)


def test_symbolic_links_and_pipes_are_left_alone(data, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(data / "alice", elsewhere / "repo")
    before = repositories.scan(data)
    (data / "mallory").symlink_to(elsewhere / "repo")
    (data / "alice" / "loop").symlink_to(data)
    (data / "alice" / "keys" / "link").symlink_to("/etc/passwd")
    (data / "alice" / "snapshots" / "link").symlink_to("/etc/passwd")
    os.mkfifo(data / "alice" / "keys" / "pipe")

    assert repositories.scan(data) == before


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[" * 20_000, b"[]", b'{"created": 5, "username": ["a"]}']
)
def test_a_strange_key_is_a_key_of_nobody(data, content):
    [key] = (data / "alice" / "keys").iterdir()
    key.write_bytes(content)

    [found] = repositories.scan(data)

    assert found.keys == (repositories.Key(key.name, None, "", ""),)


def test_a_path_that_is_no_text_can_still_be_shown(data):
    (data / "alice").rename(os.fsdecode(os.fsencode(data) + b"/\xff"))

    [found] = repositories.scan(data)

    assert found.path == r"\xff"


def test_only_what_restic_wrote_is_a_snapshot(data):
    [before] = repositories.scan(data)
    (data / "alice" / "snapshots" / "notes").write_bytes(b"mine")
    (data / "alice" / "snapshots" / os.fsdecode(b"\xfe")).touch()

    [found] = repositories.scan(data)

    assert found.snapshots == before.snapshots
    assert (found.files, found.bytes) == (before.files + 2, before.bytes + 4)


def test_a_time_beyond_the_calendar_is_no_error(data):
    # ext4 ends in 2446; memory keeps any time.
    if not os.access("/dev/shm", os.W_OK):
        missing("/dev/shm is missing: mount a tmpfs there")
    with TemporaryDirectory(dir="/dev/shm") as memory:
        shutil.copytree(data, memory, dirs_exist_ok=True)
        [snapshot, _] = sorted(Path(memory, "alice", "snapshots").iterdir())
        os.utime(snapshot, (0, 2**40))

        [found] = repositories.scan(Path(memory))

    assert (found.snapshots[0].id, found.snapshots[0].arrived.year) == (snapshot.name, 1970)


def test_what_prune_deletes_meanwhile_is_no_error(data, monkeypatch):
    real_open = os.open

    def open_and_delete(path, *arguments, **options):
        if path == "data":
            shutil.rmtree(data / "alice" / "data")
            (data / "alice" / "config").unlink()
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_and_delete)

    [found] = repositories.scan(data)

    assert (found.unreadable, len(found.snapshots)) == (0, 2)


@pytest.fixture
def as_nobody(data):
    """The scan as a user who is neither root nor the server."""
    if os.geteuid() != 0:
        missing("only root can become nobody: run the tests as root")
    for folder in (data, *data.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    for path in data.rglob("*"):
        path.chmod(0o755)
    yield
    os.seteuid(0)


def test_what_may_not_be_read_is_counted_and_not_hidden(data, as_nobody):
    shutil.copytree(data / "alice", data / "closed")
    (data / "closed").chmod(0o700)
    (data / "alice" / "index").chmod(0o700)
    next((data / "alice" / "keys").iterdir()).chmod(0o600)
    os.seteuid(65534)

    alice, closed = repositories.scan(data)

    assert (alice.unreadable, len(alice.snapshots), alice.keys) == (2, 2, ())
    assert closed == repositories.Repository("closed", unreadable=1)


def test_a_data_directory_that_is_away_is_an_error_and_not_an_empty_house(tmp_path):
    with pytest.raises(EngineError, match="no such file or directory"):
        repositories.scan(tmp_path / "gone")


def test_an_empty_house_has_no_repositories(tmp_path):
    (tmp_path / "alice").mkdir()
    (tmp_path / "lost+found").mkdir()

    assert repositories.scan(tmp_path) == []
