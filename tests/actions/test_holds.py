"""Holds and stated schedules: who said what of a job, and what that changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.expectations import expect_runs
from backups.actions.holds import acknowledge_job, pause_job, resume_job, snooze_job
from backups.actions.jobs import judge_jobs
from backups.engines.errors import EngineError
from backups.models import Event, Host, Job
from backups.queries import standing
from backups.queries.needs import count_needs
from tests.actions.telling import DUE, NOW, run_report, state_of, tell, unit_report
from tests.factories import make_operator

DAY = timedelta(days=1)


@pytest.fixture
def job(host: Host) -> Job:
    """Its last run failed, and the next is due tomorrow."""
    tell(host, run_report(exit_code=12, output=""), units=(unit_report(next_=DUE + DAY),))
    return host.jobs.get()


def test_a_paused_job_is_expected_by_nobody_and_says_who_paused_it(
    host: Host, job: Job, clock: Any
) -> None:
    pause_job(job, why="The disk is being replaced.", by=make_operator(username="ines"))
    paused = state_of(host)
    clock.move_to(DUE + 3 * DAY)
    tell(host)
    judge_jobs.call()

    assert paused == ("paused", "Paused by ines: The disk is being replaced.")
    assert (state_of(host)[0], count_needs()) == ("paused", 0)
    event = Event.objects.get(verb="paused")
    assert (event.by_name, event.sentence) == ("ines", "The disk is being replaced.")


def test_what_passed_during_a_pause_is_not_missed_after_it(
    host: Host, job: Job, clock: Any
) -> None:
    pause_job(job, why="", by="terminal")
    clock.move_to(DUE + 3 * DAY)

    resumed = resume_job(job, by="terminal")
    judge_jobs.call()

    assert (state_of(host)[0], resumed.due) == ("failed", DUE + 4 * DAY)
    assert Event.objects.filter(verb="resumed").exists()


def test_a_pause_with_an_end_ends_by_itself(host: Host, job: Job, clock: Any) -> None:
    pause_job(job, why="", until=NOW + timedelta(hours=2), by="terminal")
    clock.move_to(NOW + timedelta(hours=1))
    judge_jobs.call()
    during = state_of(host)[0]

    clock.move_to(NOW + timedelta(hours=3))
    judge_jobs.call()

    assert (during, state_of(host)[0]) == ("paused", "failed")


def test_what_is_acknowledged_counts_as_failed_but_asks_nobody(host: Host, job: Job) -> None:
    before = count_needs()

    acknowledge_job(job, why="I know", by="terminal")

    assert (before, count_needs()) == (1, 0)
    assert (state_of(host)[0], standing.jobs().ill) == ("failed", 1)


def test_an_acknowledgement_ends_with_a_success_or_with_another_failure(
    host: Host, job: Job, clock: Any
) -> None:
    acknowledge_job(job, why="", by="terminal")
    tell(host, run_report(key="a" * 32, started=NOW, finished=NOW, exit_code=12, output=""))
    same = host.jobs.get().hold
    clock.move_to(DUE + DAY + timedelta(hours=2))
    judge_jobs.call()
    missed = host.jobs.get()
    acknowledge_job(missed, why="", by="terminal")
    now = timezone.now()
    tell(host, run_report(key="b" * 32, started=now, finished=now))

    assert (same, missed.hold, missed.state) == ("acknowledged", "", "missed")
    assert (host.jobs.get().hold, state_of(host)[0]) == ("", "ok")


def test_a_snoozed_job_needs_nobody_until_then(host: Host, job: Job, clock: Any) -> None:
    snooze_job(job, why="", until=NOW + timedelta(hours=8), by="terminal")
    clock.move_to(NOW + timedelta(hours=7))
    tell(host)
    judge_jobs.call()
    before = count_needs()

    clock.move_to(NOW + timedelta(hours=9))
    tell(host)
    judge_jobs.call()

    assert (before, count_needs()) == (0, 1)


def test_a_hold_that_makes_no_sense_is_refused(host: Host, job: Job) -> None:
    with pytest.raises(EngineError, match="in the future"):
        snooze_job(job, why="", until=NOW - DAY, by="terminal")
    with pytest.raises(EngineError, match="neither paused"):
        resume_job(job, by="terminal")
    tell(host, run_report(key="a" * 32, started=NOW, finished=NOW))
    with pytest.raises(EngineError, match="nothing to acknowledge"):
        acknowledge_job(host.jobs.get(), why="", by="terminal")

    assert host.jobs.get().hold == ""


@pytest.mark.parametrize(
    ("rhythm", "stated", "due"),
    [
        ("cron", "30 4 * * *", NOW.replace(hour=4, minute=30)),
        ("calendar", "Tue 05:00", NOW.replace(day=24, hour=5, minute=0)),
        ("hours", "6", NOW + timedelta(hours=6)),
    ],
)
def test_a_wrapped_job_is_expected_as_somebody_stated(
    host: Host, clock: Any, rhythm: str, stated: str, due: Any
) -> None:
    tell(host, run_report())
    job = expect_runs(host.jobs.get(), rhythm, stated, by="terminal")
    first = job.due
    clock.move_to(due + timedelta(hours=2))
    judge_jobs.call()
    missed = state_of(host)[0]

    tell(host, run_report(key="a" * 32, started=timezone.now(), finished=timezone.now()))

    assert (first, missed, state_of(host)[0]) == (due, "missed", "ok")
    assert (host.jobs.get().due or NOW) > timezone.now()


@pytest.mark.parametrize(
    ("rhythm", "stated"),
    [
        ("cron", "whenever"),
        ("cron", ""),
        ("calendar", "*-02-31"),
        ("hours", "0"),
        ("hours", "-1"),
        ("hours", "99999"),
        ("hours", "1" * 300),
    ],
)
def test_a_rhythm_that_never_comes_is_refused(host: Host, rhythm: str, stated: str) -> None:
    tell(host, run_report())

    with pytest.raises(EngineError, match="says no time that comes"):
        expect_runs(host.jobs.get(), rhythm, stated, by="terminal")

    assert host.jobs.get().rhythm == ""
