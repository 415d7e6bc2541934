"""Daily sums: equal to the runs they were made of, and there when those are forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.day_sums import count_missing_days, forget_old_runs
from backups.actions.jobs import judge_jobs
from backups.models import DaySum, Host, Run
from tests.actions.telling import DUE, NOW, run_report, tell, unit_report
from tests.factories import make_host, make_job, make_run

DAY = timedelta(days=1)


def sums_of(host: Host) -> list[tuple[Any, ...]]:
    rows = DaySum.objects.filter(job__host=host).order_by("day")
    return list(rows.values_list("day", "state", "runs", "failed", "missed"))


def test_a_day_is_summed_as_its_runs_are_reported_however_often(host: Host, clock: Any) -> None:
    good, bad = run_report(), run_report(key="a" * 32, exit_code=12, output="")
    for _ in range(3):
        tell(host, bad, good)
    tell(host, run_report(key="b" * 32, finished=None, exit_code=None, output=""))

    assert sums_of(host) == [(NOW.date(), "ok", 2, 1, 0)]
    assert DaySum.objects.get().seconds == 2 * 240


def test_a_missing_run_counts_on_the_day_it_was_due_and_on_those_after(
    host: Host, clock: Any
) -> None:
    tell(host, run_report(started=DUE - DAY, finished=DUE - DAY))
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(hours=2))
    judge_jobs.call()
    clock.move_to(DUE + 2 * DAY)
    count_missing_days.call()
    count_missing_days.call()

    assert sums_of(host)[1:] == [
        (DUE.date(), "missed", 0, 0, 1),
        ((DUE + DAY).date(), "missed", 0, 0, 1),
    ]


def test_a_run_that_comes_after_all_takes_the_miss_back(host: Host, clock: Any) -> None:
    tell(host, run_report(started=DUE - DAY, finished=DUE - DAY))
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(hours=2))
    judge_jobs.call()
    now = timezone.now()

    tell(host, run_report(key="a" * 32, started=now, finished=now))

    assert sums_of(host)[1:] == [(DUE.date(), "ok", 1, 0, 0)]


@pytest.mark.django_db
def test_old_runs_go_but_the_last_of_a_job_and_the_sums_stay(settings: Any) -> None:
    now = timezone.now()
    old, new = now - timedelta(days=401), now - timedelta(days=399)
    job, quiet = make_job(make_host()), make_job(make_host())
    for moment in (old - DAY, old, new):
        make_run(job, started=moment)
    last = make_run(quiet, started=old)

    forget_old_runs.call()

    assert set(Run.objects.values_list("job", "started")) == {(job.pk, new), (quiet.pk, old)}
    assert (quiet.runs.get(), DaySum.objects.count()) == (last, 4)

    settings.RUNS_KEPT_DAYS = 0
    make_run(job, started=old)
    forget_old_runs.call()
    assert Run.objects.count() == 3
