"""What host and disk say together: agreed, different, or seen by one alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.repositories import scan_server
from backups.models import Host, Job, Receipt, Run, Server
from tests.actions.telling import NOW, SNAPSHOT, run_report, summary, tell
from tests.factories import make_server


@pytest.fixture
def server(host: Host, tmp_path: Path) -> Server:
    """A server whose disk is seen; nothing of it runs."""
    (tmp_path / "web-1" / "data").mkdir(parents=True)
    (tmp_path / "web-1" / "config").write_bytes(b"c" * 155)
    return make_server(port=8000, data_directory=str(tmp_path))


def store(server: Server, snapshot_id: str) -> None:
    """What rest-server does at the end of a backup."""
    folder = Path(server.data_directory) / "web-1" / "snapshots"
    folder.mkdir(exist_ok=True)
    (folder / snapshot_id).write_bytes(b"encrypted")


def look(server: Server, clock: Any, *, after: float = 6) -> tuple[str, str]:
    clock.shift(timedelta(seconds=after))
    server.refresh_from_db()
    scan_server(server)
    return Run.objects.latest("pk").verdict, Job.objects.get().state


@pytest.mark.parametrize("digits", [8, 64])
def test_both_agree_by_the_name_of_the_snapshot(server: Server, clock: Any, digits: int) -> None:
    store(server, SNAPSHOT)
    tell(Host.objects.get(), run_report(output=summary(SNAPSHOT[:digits])))

    assert look(server, clock) == ("agreed", "ok")
    run = Run.objects.get()
    assert run.receipt == Receipt.objects.get(snapshot_id=SNAPSHOT)
    assert (run.job.repository.path, run.job.last_arrived) == ("web-1", run.receipt.arrived)


def test_what_was_told_as_stored_but_is_on_no_disk_of_ours_differs(
    server: Server, clock: Any
) -> None:
    tell(Host.objects.get(), run_report())

    assert look(server, clock, after=1) == ("waiting", "ok")
    assert look(server, clock) == ("differs", "differs")
    # It was only late: the headline must not stay wrong.
    store(server, SNAPSHOT)
    assert look(server, clock) == ("agreed", "ok")


def test_a_look_that_began_before_the_end_was_told_decides_nothing(
    server: Server, clock: Any
) -> None:
    tell(Host.objects.get(), run_report(finished=None, exit_code=None, result="", output=""))
    clock.shift(timedelta(hours=2))
    tell(Host.objects.get(), run_report(finished=NOW + timedelta(hours=2)))

    assert look(server, clock, after=0) == ("waiting", "ok")
    store(server, SNAPSHOT)
    assert look(server, clock) == ("agreed", "ok")


@pytest.mark.parametrize(
    "repository",
    [
        "s3:s3.example.com/bucket",
        "rest:https://backup.example.net:8001/web-1/",
        "rest:http://another-house.example.net:8000/web-1/",
        "rest:http://[::bad/",
        "",
    ],
)
def test_what_goes_elsewhere_is_unseen_not_different(
    server: Server, clock: Any, repository: str
) -> None:
    tell(Host.objects.get(), run_report(repository=repository))

    assert look(server, clock) == ("unseen", "ok")


def test_a_host_that_moves_elsewhere_is_not_expected_on_the_former_disk(
    server: Server, clock: Any
) -> None:
    store(server, SNAPSHOT)
    tell(Host.objects.get(), run_report())
    assert look(server, clock) == ("agreed", "ok")

    moved = "rest:https://backup.example.net:8001/web-1/"
    tell(
        Host.objects.get(),
        run_report(
            key="f" * 32,
            started=timezone.now(),
            finished=timezone.now(),
            repository=moved,
            output=summary("7" * 64),
        ),
    )

    assert look(server, clock) == ("unseen", "ok")


def test_a_disk_that_cannot_be_seen_is_no_witness(server: Server, clock: Any) -> None:
    far = make_server(port=8002, engine="tcp://far:2376", data_directory="/srv/far")
    tell(Host.objects.get(), run_report(repository="rest:http://127.0.0.1:8002/web-1/"))

    assert look(server, clock) == ("unseen", "ok")
    assert far.scanned is None


def test_a_disk_that_was_never_looked_at_is_waited_for(server: Server, clock: Any) -> None:
    (Path(server.data_directory) / "second").mkdir()
    second = make_server(port=8003, data_directory=f"{server.data_directory}/second")
    tell(Host.objects.get(), run_report(repository="s3:elsewhere"))

    assert look(server, clock) == ("waiting", "ok")
    assert look(second, clock) == ("unseen", "ok")
