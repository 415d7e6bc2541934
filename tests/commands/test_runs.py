"""`manage.py runs`."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from backups.actions.run_texts import write_text
from backups.models import Run
from tests.factories import make_host, make_job, make_run


@pytest.mark.django_db
def test_runs_come_newest_first_with_what_scripts_need(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = make_job(make_host(name="web-1"), name="restic-backup")
    make_run(make_job(make_host(name="web-2")))
    old = make_run(job, started=timezone.now() - timedelta(days=1))
    new = make_run(job, status=Run.Status.WARNING, exit_code=3, snapshot_id="5" * 64, bytes_added=7)

    call_command("runs", "list", "--host", "web-1", "--json")

    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == [new.pk, old.pk]
    assert {name: rows[0][name] for name in ("host", "job", "kind", "state", "verdict")} == {
        "host": "web-1",
        "job": "restic-backup",
        "kind": "backup",
        "state": "warning",
        "verdict": "none",
    }
    assert (rows[0]["exit_code"], rows[0]["bytes_added"]) == (3, 7)
    assert (rows[0]["snapshot"], rows[0]["bytes"]) == ("5" * 64, None)
    assert rows[0]["started"].startswith(f"{new.started:%Y-%m-%dT%H:%M}")


@pytest.mark.django_db
def test_a_limit_limits(capsys: pytest.CaptureFixture[str]) -> None:
    job = make_job()
    for _ in range(3):
        make_run(job)

    call_command("runs", "list", "--limit", "2", "--json")

    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.django_db
def test_runs_are_found_by_state_and_job(capsys: pytest.CaptureFixture[str]) -> None:
    failed = make_run(make_job(make_host(name="web-1"), name="pg"), status="failed", exit_code=1)
    failed.reason = "The server could not be reached."
    write_text(failed, is_new=True)
    make_run(failed.job)
    make_run(status="failed", exit_code=1)

    call_command("runs", "list", "--host", "web-1", "--job", "pg", "--state", "failed", "--json")

    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [failed.pk]

    call_command("runs", "list", "--text", "not be reach", "--json")

    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [failed.pk]


@pytest.mark.django_db
def test_a_host_that_is_not_there_is_said_and_not_an_empty_list() -> None:
    with pytest.raises(CommandError, match="There is no host called web-9"):
        call_command("runs", "list", "--host", "web-9")
