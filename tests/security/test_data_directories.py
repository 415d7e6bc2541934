"""Data directories: what the container of a server can put there, and where they must not lie."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client

from backups.actions.making import prepare_directory
from backups.actions.repositories import scan_server
from backups.engines.errors import EngineError
from backups.engines.files import LocalFiles
from backups.engines.htpasswd import Htpasswd
from backups.models import Receipt, Repository, Server
from tests.factories import make_server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def files(data: Path) -> LocalFiles:
    return LocalFiles(data, os.getuid(), os.getgid())


@pytest.fixture
def _little_memory() -> Iterator[None]:
    """Whoever reads a file without an end runs into this limit, not into the machine's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 1024**3, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def make_repository_at(folder: Path, *snapshots: tuple[str, float]) -> None:
    for part in ("data", "index", "keys", "locks", "snapshots"):
        (folder / part).mkdir(parents=True)
    (folder / "config").write_bytes(b"x")
    for name, at in snapshots:
        (folder / "snapshots" / name).write_bytes(b"x")
        os.utime(folder / "snapshots" / name, (at, at))


@pytest.mark.usefixtures("_little_memory")
def test_a_users_file_without_end_is_refused(data: Path, files: LocalFiles, tmp_path: Path) -> None:
    with (data / ".htpasswd").open("wb") as file:
        file.truncate(64 * 1024**3)

    with pytest.raises(EngineError, match="larger than"):
        Htpasswd(files, tmp_path / "lock").read()


def test_neither_links_nor_pipes_nor_folders_are_read(data: Path, files: LocalFiles) -> None:
    (data / "link").symlink_to("/etc/shadow")
    os.mkfifo(data / "pipe")
    (data / "folder").mkdir()

    for name in ("link", "pipe", "folder"):
        with pytest.raises(EngineError):
            files.read(name)


@pytest.mark.django_db
def test_odd_names_do_not_stop_the_look_at_the_disk(data: Path, client: Client) -> None:
    names = [b"\xff", b"\xfe", b"a\nb", b"\x1b[31m", b"<script>", b"x" * 255]
    for name in names:
        make_repository_at(data / os.fsdecode(name))
        if len(name) == 255:
            make_repository_at(data / os.fsdecode(name) / os.fsdecode(b"y" * 255))
    server = make_server(data_directory=str(data))

    scan_server(server)

    server.refresh_from_db()
    assert server.scanned is not None
    assert all(len(path) <= 255 for path in Repository.objects.values_list("path", flat=True))
    for page in ("/repositories/", "/", f"/servers/{server.name}/", "/users/"):
        response = client.get(page)

        assert response.status_code == 200
        assert "<script>/" not in response.content.decode()


@pytest.mark.django_db
def test_sizes_beyond_every_disk_do_not_stop_it_either(data: Path, client: Client) -> None:
    for name in ("one", "two", "three"):
        make_repository_at(data / name)
        for number in range(3):
            with (data / name / "data" / f"{number}").open("wb") as file:
                file.truncate(15 * 1024**4)
    Repository.objects.bulk_create(
        Repository(server=make_server(), path=f"{number}", bytes=2**53) for number in range(500)
    )

    scan_server(make_server(data_directory=str(data)))

    for page in ("/repositories/", "/", "/servers/"):
        assert client.get(page).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("at", [253402300799.0, 2**33 + 0.0, -(2**40) + 0.0])
def test_a_snapshot_from_another_age_does_not_count_as_arrived(
    data: Path, client: Client, at: float
) -> None:
    make_repository_at(data / "web-1", ("ab" * 32, at))

    scan_server(make_server(data_directory=str(data)))

    assert Receipt.objects.get().arrived.year <= 1970
    for page in ("/repositories/", "/users/", "/"):
        assert client.get(page).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/srv",
        "/etc/restic",
        "/usr/share/restic",
        "/var/run/docker",
        "/run/restic",
        "/var/lib/docker/volumes",
        "/var/lib/resthouse-agent/spool",
        "/proc/self/cwd",
        "/dev/shm/restic",
        "/root/.ssh",
        "/home/ines",
        "/home/ines/.ssh",
        "/var/lib",
        "/srv/../etc/restic",
        "//etc//restic/",
        "/srv/restic,target=/etc",
        '/srv/"restic"',
        "/srv/rest\nic",
        "/srv/rest\x1bic",
        "srv/restic",
        pytest.param(str(settings.RESTHOUSE_DATA), id="the house's own"),
        pytest.param(f"{settings.RESTHOUSE_DATA}/servers/main", id="within the house's own"),
        pytest.param(str(Path(settings.RESTHOUSE_DATA).parent), id="around the house's own"),
        pytest.param(str(settings.BASE_DIR / "static"), id="the program's"),
    ],
)
def test_a_directory_that_is_not_for_backups_is_refused(path: str) -> None:
    server = Server(name="main", image="rest-server:test", port=8000, data_directory=path)

    with pytest.raises(ValidationError) as refused:
        server.full_clean()

    assert set(refused.value.message_dict) == {"data_directory"}


@pytest.mark.django_db
def test_a_link_does_not_lead_to_one_either(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    server = Server(name="main", image="x", port=8000, data_directory=f"{tmp_path}/link/restic")

    with pytest.raises(ValidationError, match="system"):
        server.full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/srv/restic/main", "/srv/restic/main/in", "/srv/restic"])
def test_two_servers_have_no_directory_in_common(path: str) -> None:
    make_server(name="main", data_directory="/srv/restic/main")
    server = Server(name="second", image="x", port=8000, data_directory=path)

    with pytest.raises(ValidationError, match="main"):
        server.full_clean()


@pytest.mark.django_db
def test_neighbours_are_no_relatives() -> None:
    make_server(name="main", data_directory="/srv/restic/main")
    server = Server(name="second", image="x", port=8000, data_directory="/srv/restic/main-2")

    server.full_clean()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root could give a folder away.")
def test_a_folder_of_root_with_other_things_in_it_is_not_given_away(data: Path) -> None:
    (data / "precious").write_text("x")
    server = Server(name="main", data_directory=str(data), uid=1000, gid=1000)

    with pytest.raises(EngineError, match="belongs to root"):
        prepare_directory(server)

    assert data.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root could give a folder away.")
@pytest.mark.parametrize("name", ["", ".htpasswd", "config"])
def test_an_empty_one_and_one_of_backups_are(data: Path, name: str) -> None:
    if name:
        (data / name).write_text("")

    prepare_directory(Server(name="main", data_directory=str(data), uid=1000, gid=1000))

    assert data.stat().st_uid == 1000
