"""Thirty days of a job: what came, what failed, and what did not come."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from backups.models import Job, Run
from backups.queries.days import DAYS, added_by_day, days_of, nights_since
from backups.queries.ledger import ledger_of
from tests.factories import make_job, make_run

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=ZoneInfo("UTC"))


@pytest.fixture(autouse=True)
def seven_in_the_morning(time_machine):
    time_machine.move_to(NOW, tick=False)


def states(job):
    return [state for _, state, _ in days_of([job])[job.pk]]


def ran(job, days_ago, **fields):
    return make_run(job, started=NOW - timedelta(days=days_ago, hours=5), **fields)


def test_days_end_today_and_expect_nothing_of_a_job_that_never_ran():
    job = make_job(schedule="*-*-* 02:00:00")

    marks = days_of([job])[job.pk]

    assert len(marks) == DAYS
    assert marks[-1][0] == timezone.localdate()
    assert {state for _, state, _ in marks} == {"off"}


def test_a_day_without_its_run_counts_as_missed_from_the_first_run_on():
    job = make_job(schedule="*-*-* 02:00:00")
    ran(job, 3)
    ran(job, 1)

    assert states(job)[-5:] == ["off", "ok", "missed", "ok", "off"]


def test_a_job_that_last_ran_long_ago_missed_all_of_its_days():
    job = make_job(schedule="*-*-* 02:00:00", state=Job.State.MISSED)
    ran(job, 90)

    assert states(job) == ["missed"] * DAYS


def test_today_is_not_missed_before_its_time():
    job = make_job(schedule="*-*-* 22:00:00", state=Job.State.MISSED)
    ran(job, 2)

    assert states(job)[-3:] == ["ok", "missed", "off"]


def test_a_weekly_job_is_not_expected_on_the_days_between():
    job = make_job(schedule="Mon *-*-* 02:00:00")
    ran(job, 14)

    assert states(job)[-15:] == ["ok", *["off"] * 6, "missed", *["off"] * 7]


def test_what_only_the_host_claims_did_not_come():
    job = make_job()
    ran(job, 0, verdict=Run.Verdict.DIFFERS)

    assert states(job)[-1] == "missed"


def test_a_failure_that_succeeded_the_same_day_is_made_good():
    job = make_job()
    ran(job, 0, status=Run.Status.FAILED, exit_code=1)
    ran(job, 0)

    assert states(job)[-1] == "ok"


def test_days_are_those_of_the_house_not_of_utc(settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    with timezone.override("Pacific/Auckland"):
        job = make_job()
        make_run(job, started=datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("UTC")))

        assert states(job)[-1] == "ok"


def test_a_schedule_that_cannot_be_read_expects_nothing():
    job = make_job(schedule="whenever it rains")
    ran(job, 9)

    assert states(job)[-9:] == ["off"] * 9


def test_added_is_nothing_where_a_backup_should_have_come():
    job = make_job(schedule="*-*-* 02:00:00")
    ran(job, 3, bytes_added=5)
    ran(job, 3, bytes_added=2)
    ran(job, 1, bytes_added=None)

    assert added_by_day(job, days_of([job])[job.pk])[-4:] == [7, None, 0, 0]


def test_the_ledger_counts_the_days_in_a_row():
    job = make_job(state=Job.State.FAILED)
    for day in range(3):
        ran(job, day, status=Run.Status.FAILED, exit_code=1)
    ran(job, 3)

    (line,) = ledger_of(Job.objects.all())

    assert (line.state, line.words) == ("failed", "Failed, 3 days")
    assert nights_since(line.marks, "ok") == 0


def test_marks_of_many_jobs_take_one_query(django_assert_num_queries):
    jobs = [make_job() for _ in range(3)]
    for job in jobs:
        ran(job, 0)

    with django_assert_num_queries(1):
        days_of(jobs)
