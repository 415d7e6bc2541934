"""Rows as tests need them: plain functions that fill in what a test does not care about."""

import hashlib
import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from backups.actions.day_sums import sum_day
from backups.engines.systemd import Row
from backups.models import (
    Assessment,
    Certificate,
    Event,
    Host,
    Job,
    Operation,
    Operator,
    Receipt,
    Repository,
    Run,
    Server,
    Unit,
    User,
)
from backups.queries.unit_news import change_of, worst_of

_numbers = itertools.count(1)


def make_operator(**fields: Any) -> Operator:
    fields.setdefault("username", f"operator-{next(_numbers)}")
    return Operator.objects.create_user(**fields)


def make_server(**fields: Any) -> Server:
    number = next(_numbers)
    defaults = {
        "name": f"house-{number}",
        "port": 10000 + number,
        "image": "rest-server:test",
        "data_directory": f"/nonexistent/house-{number}",
        "status": Server.Status.LIVE,
        "live_since": timezone.now(),
        "proven": timezone.now(),
    }
    return Server.objects.create(**defaults | fields)


def make_user(server: Server | None = None, **fields: Any) -> User:
    defaults = {"name": f"user-{next(_numbers)}", "live_since": timezone.now()}
    return User.objects.create(server=server or make_server(), **defaults | fields)


def make_certificate(server: Server | None = None, **fields: Any) -> Certificate:
    now = timezone.now()
    defaults = {
        "fingerprint": f"{next(_numbers):064x}",
        "subject": "rest.example.org",
        "issuer": "House CA",
        "names": ["rest.example.org"],
        "key_kind": "EC P-256",
        "chain": "-----BEGIN CERTIFICATE-----\n",
        "origin": Certificate.Origin.UPLOADED,
        "not_before": now - timedelta(days=10),
        "not_after": now + timedelta(days=80),
        "live_since": now - timedelta(days=10),
    }
    return Certificate.objects.create(server=server or make_server(), **defaults | fields)


def make_host(**fields: Any) -> Host:
    """A host whose agent reported just now."""
    now = timezone.now()
    defaults = {
        "name": f"host-{next(_numbers)}",
        "enrolled": now,
        "reported": now,
        "clock_offset": timedelta(0),
        "key_hash": f"{next(_numbers):064x}",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "systemd": "252",
        "restic": "0.18.0",
        "agent": "1.0",
    }
    return Host.objects.create(**defaults | fields)


def make_unit(host: Host | None = None, **fields: Any) -> Unit:
    defaults = {"name": f"restic-{next(_numbers)}.service", "seen": timezone.now()}
    return Unit.objects.create(host=host or make_host(), **defaults | fields)


def make_assessment(unit: Unit | None = None, **fields: Any) -> Assessment:
    """A scoring; the unit's own columns follow the newest."""
    unit = unit or make_unit()
    defaults = {
        "at": timezone.now(),
        "exposure": 96,
        "level": "UNSAFE",
        "mode": Assessment.Mode.ONLINE,
        "systemd": "252",
        "text_hash": f"{next(_numbers):064x}",
    }
    unit.change = change_of({**defaults, **fields}["exposure"], unit.exposure)
    unit.worst = worst_of(Row(name, name, *rest) for name, *rest in fields.get("rows", ()))
    assessment = Assessment.objects.create(unit=unit, **defaults | fields)
    unit.exposure, unit.level, unit.assessed = assessment.exposure, assessment.level, assessment.at
    unit.save()
    return assessment


def make_job(host: Host | None = None, **fields: Any) -> Job:
    """A job; `state` brings its severity along."""
    state = Job.State(fields.pop("state", Job.State.OK))
    job = Job(
        **{"host": host or make_host(), "name": f"job-{next(_numbers)}", "reason": ""} | fields
    )
    job.set_state(state, job.reason)
    job.save()
    return job


def make_repository(server: Server | None = None, **fields: Any) -> Repository:
    name = f"user-{next(_numbers)}"
    defaults = {"path": name, "user_name": name, "bytes": 10**9, "seen": timezone.now()}
    return Repository.objects.create(server=server or make_server(), **defaults | fields)


def make_receipt(repository: Repository | None = None, **fields: Any) -> Receipt:
    snapshot_id = hashlib.sha256(b"%d" % next(_numbers)).hexdigest()
    defaults = {"snapshot_id": snapshot_id, "arrived": timezone.now()}
    return Receipt.objects.create(repository=repository or make_repository(), **defaults | fields)


def make_run(job: Job | None = None, **fields: Any) -> Run:
    """A run of ten minutes that succeeded; it becomes its job's last one if it is the newest."""
    job = job or make_job()
    defaults = {
        "key": f"{next(_numbers):032x}",
        "status": Run.Status.SUCCEEDED,
        "started": timezone.now() - timedelta(minutes=10),
    }
    values = defaults | fields
    if values["status"] != Run.Status.RUNNING:
        values.setdefault("finished", values["started"] + timedelta(minutes=10))
        values.setdefault("exit_code", 0)
    run = Run.objects.create(job=job, **values)
    if run.finished is not None:
        sum_day(job, run.started)
    if job.last_run is None or job.last_run.started <= run.started:
        job.last_run = run
        job.save(update_fields=["last_run"])
    return run


def make_operation(server: Server | None = None, **fields: Any) -> Operation:
    server = server or make_server()
    defaults = {
        "kind": Operation.Kind.CREATE_SERVER,
        "subject": server.name,
        "by_name": "test",
        "state": Operation.State.SUCCEEDED,
        "finished": timezone.now(),
    }
    return Operation.objects.create(server=server, **defaults | fields)


def make_event(**fields: Any) -> Event:
    defaults = {"by_name": "test", "verb": "added", "noun": "host", "name": "db-03"}
    return Event.objects.create(**defaults | fields)
