"""What the database itself refuses, whichever code or hand writes to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.models import Event, Job, Operation, Receipt, Run, Server, Unit, User
from tests.factories import (
    make_assessment,
    make_certificate,
    make_event,
    make_host,
    make_job,
    make_operation,
    make_receipt,
    make_repository,
    make_run,
    make_server,
    make_unit,
    make_user,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
HEX = "a" * 64


def _two(make: Callable[..., object], parent: Callable[[], object], **fields: object) -> None:
    owner = parent()
    make(owner, **fields)
    make(owner, **fields)


@pytest.mark.parametrize(
    ("constraint", "write"),
    [
        ("backups_server.name", lambda: [make_server(name="main") for _ in range(2)]),
        ("port", lambda: [make_server(port=8000) for _ in range(2)]),
        ("server_port_is_a_port", lambda: make_server(port=65536)),
        ("data_directory_is_absolute", lambda: make_server(data_directory="srv/restic")),
        ("backups_user.name", lambda: _two(make_user, make_server, name="web-1")),
        ("user_disabled_keeps_its_hash", lambda: make_user(disabled=NOW)),
        ("backups_certificate.server_id", lambda: _two(make_certificate, make_server)),
        (
            "fingerprint",
            lambda: _two(make_certificate, make_server, fingerprint=HEX, live_until=NOW),
        ),
        ("dates_are_in_order", lambda: make_certificate(not_before=NOW, not_after=NOW)),
        ("backups_host.name", lambda: [make_host(name="web-1") for _ in range(2)]),
        ("key_hash", lambda: [make_host(key_hash=HEX) for _ in range(2)]),
        ("token_hash", lambda: [make_host(token_hash=HEX) for _ in range(2)]),
        ("backups_unit.name", lambda: _two(make_unit, make_host, name="restic.service")),
        ("unit_exposure_is_tenths", lambda: make_unit(exposure=101)),
        ("assessment_exposure_is_tenths", lambda: make_assessment(exposure=101)),
        ("backups_job.name", lambda: _two(make_job, make_host, name="restic-backup")),
        ("backups_run.key", lambda: _two(make_run, make_job, key="f" * 32)),
        ("run_running_has_not", lambda: make_run(status=Run.Status.RUNNING, finished=NOW)),
        ("run_percent_is_a_percentage", lambda: make_run(percent=101)),
        ("backups_repository.path", lambda: _two(make_repository, make_server, path="web-1")),
        ("snapshot_id", lambda: _two(make_receipt, make_repository, snapshot_id=HEX)),
        (
            "backups_operation.server_id",
            lambda: _two(make_operation, make_server, state=Operation.State.QUEUED, finished=None),
        ),
        (
            "operation_running_has_a_lease",
            lambda: make_operation(state=Operation.State.RUNNING, finished=None),
        ),
        ("operation_ended_has_finished", lambda: make_operation(finished=None)),
        ("operation_percent_is_a_percentage", lambda: make_operation(percent=101)),
    ],
)
def test_the_database_refuses(constraint: str, write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        write()


def test_what_is_over_makes_room_for_the_next() -> None:
    server = make_server()

    make_certificate(server, live_until=NOW)
    make_certificate(server)
    make_operation(server)
    make_operation(server, state=Operation.State.QUEUED, finished=None)
    make_host(key_hash="")
    make_host(key_hash="")

    assert (server.certificates.count(), server.operations.count()) == (2, 2)


def test_an_event_is_never_rewritten_and_outlives_whom_it_tells_of() -> None:
    event = make_event()
    event.sentence = "something else"

    with pytest.raises(TypeError):
        event.save()

    assert Event.objects.get().sentence == ""


def test_what_a_host_or_server_takes_with_it_when_it_goes() -> None:
    repository = make_repository()
    receipt = make_receipt(repository)
    job = make_job(repository=repository)
    run = make_run(job, receipt=receipt, verdict=Run.Verdict.AGREED)
    operation = make_operation(repository.server)
    make_user(repository.server)
    make_assessment(make_unit(job.host))

    repository.server.delete()

    job.refresh_from_db()
    run.refresh_from_db()
    operation.refresh_from_db()
    assert (job.repository, run.receipt, operation.server) == (None, None, None)
    assert not User.objects.exists()
    assert not Receipt.objects.exists()
    job.host.delete()
    assert [model.objects.count() for model in (Job, Run, Unit)] == [0, 0, 0]


def test_adjectives_of_servers_hosts_jobs_and_operations() -> None:
    for status in Server.Status:
        make_server(status=status)
    made = {server.status for server in Server.objects.made()}
    assert made == {"live", "stopped", "failed", "gone", "unknown"}
    assert [server.status for server in Server.objects.live()] == ["live"]

    past = timezone.now() - timedelta(minutes=1)
    waits = make_operation(state=Operation.State.QUEUED, finished=None)
    fields = {"state": Operation.State.RUNNING, "finished": None}
    works = make_operation(**fields, lease_until=timezone.now() + timedelta(minutes=1))
    left = make_operation(**fields, lease_until=past)
    make_operation()
    assert set(Operation.objects.open()) == {waits, works, left}
    assert set(Operation.objects.claimable()) == {waits, left}
    assert set(Operation.objects.lapsed()) == {left}

    awaited = make_job(due=timezone.now() - timedelta(minutes=7))
    make_job(due=timezone.now() - timedelta(minutes=3))
    make_job()
    assert list(Job.objects.awaited()) == [awaited]
