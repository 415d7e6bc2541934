"""`manage.py jobs`, and what `manage.py hosts` tells of one host."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backups.models import Job
from tests.factories import make_host, make_job, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> Any:
        call_command(*words, "--json")
        return json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def job() -> Job:
    job = make_job(make_host(name="web-1"), name="pg", state=Job.State.FAILED)
    make_run(job, status="failed", exit_code=1)
    return job


def test_jobs_are_listed_worst_first_and_by_state(ask: Any, job: Job) -> None:
    make_job(make_host(name="web-0"), name="fine")

    assert [row["job"] for row in ask("jobs", "list")] == ["pg", "fine"]
    assert [row["host"] for row in ask("jobs", "list", "--state", "ok")] == ["web-0"]
    assert [row["state"] for row in ask("jobs", "list", "--host", "web-1")] == ["failed"]


def test_a_job_is_held_and_let_go(ask: Any, job: Job) -> None:
    paused = ask("jobs", "pause", "web-1", "pg", "--why", "new disk")
    resumed = ask("jobs", "resume", "web-1", "pg")
    known = ask("jobs", "acknowledge", "web-1", "pg")
    snoozed = ask("jobs", "snooze", "web-1", "pg", "--hours", "3")

    states = [(row["state"], row["hold"]) for row in (paused, resumed, known, snoozed)]
    assert states == [
        ("paused", "paused"),
        ("failed", ""),
        ("failed", "acknowledged"),
        ("failed", "snoozed"),
    ]
    assert (paused["held_by"], paused["held_why"]) == ("terminal", "new disk")


def test_a_schedule_is_stated_and_left_to_the_timer_again(ask: Any, job: Job) -> None:
    stated = ask("jobs", "expect", "web-1", "pg", "hours", "6", "--grace", "30")
    left = ask("jobs", "expect", "web-1", "pg", "timer")

    assert (stated["expected"], bool(stated["due"])) == ("every 6 hours", True)
    assert (left["expected"], left["due"]) == ("", None)


def test_what_is_not_there_is_said_in_one_sentence(job: Job) -> None:
    with pytest.raises(CommandError, match="web-1 has no job called nothing"):
        call_command("jobs", "pause", "web-1", "nothing")
    with pytest.raises(CommandError, match="There is no host called web-9"):
        call_command("jobs", "list", "--host", "web-9")
    with pytest.raises(CommandError, match="says no time that comes"):
        call_command("jobs", "expect", "web-1", "pg", "cron", "boom")


def test_a_host_is_shown_retired_and_taken_back(ask: Any, job: Job) -> None:
    shown = ask("hosts", "show", "web-1")
    ask("hosts", "retire", "web-1")
    retired = ask("hosts", "show", "web-1")
    with pytest.raises(CommandError, match="Take it back"):
        call_command("hosts", "token", "web-1")
    ask("hosts", "return", "web-1")

    assert (shown["is_enrolled"], shown["jobs"][0]["state"]) == (True, "failed")
    assert (retired["is_retired"], retired["is_enrolled"]) == (True, False)
    assert retired["jobs"][0]["state"] == "paused"
    assert ask("hosts", "show", "web-1")["jobs"][0]["state"] == "failed"
