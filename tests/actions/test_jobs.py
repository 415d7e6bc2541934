"""Silence is a failure: what is said of a job whose runs do not come or do not end."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from backups.actions.jobs import judge_jobs
from backups.models import Host, Run
from tests.actions.telling import DUE, run_report, state_of, tell, unit_report


def test_a_backup_that_does_not_come_is_missed_until_one_comes(host: Host, clock: Any) -> None:
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(minutes=59))
    judge_jobs.call()
    before = state_of(host)[0]
    clock.move_to(DUE + timedelta(minutes=61))
    judge_jobs.call()
    missed = state_of(host)
    # The machine is up again, and its timer speaks of tomorrow: the backup still did not come.
    tell(host, units=[unit_report(next_=DUE + timedelta(days=1))])
    judge_jobs.call()
    after_boot = state_of(host)[0]

    tell(host, run_report(started=timezone.now(), finished=timezone.now()))

    assert (before, after_boot) == ("new", "missed")
    assert missed == ("missed", "No run came since it was due on 23 Nov at 02:00.")
    assert state_of(host)[0] == "ok"


def test_a_turn_that_was_skipped_on_a_living_host_is_missed(host: Host, clock: Any) -> None:
    """As with an unmet Condition: the timer elapsed, no run began, the next turn is announced."""
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(minutes=5))
    tell(host, units=[unit_report(next_=DUE + timedelta(days=1))])

    clock.move_to(DUE + timedelta(minutes=61))
    judge_jobs.call()

    assert state_of(host)[0] == "missed"


def test_the_next_turn_counts_once_a_run_came(host: Host, clock: Any) -> None:
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(minutes=5))
    unit = unit_report(next_=DUE + timedelta(days=1))
    tell(host, run_report(started=DUE, finished=timezone.now()), units=(unit,))
    clock.move_to(DUE + timedelta(hours=5))
    judge_jobs.call()
    same_day = state_of(host)[0]

    clock.move_to(DUE + timedelta(days=1, minutes=61))
    judge_jobs.call()

    assert (same_day, state_of(host)[0]) == ("ok", "missed")


def test_a_timer_that_was_switched_off_is_not_fine(host: Host) -> None:
    tell(host, run_report())

    tell(host, units=[unit_report(next_=None, state="disabled")])

    assert state_of(host) == ("off", "restic-backup.timer is off: no further run is due.")


def test_a_run_that_its_host_no_longer_knows_is_lost_but_may_turn_up(
    host: Host, clock: Any
) -> None:
    running = run_report(finished=None, exit_code=None, result="", output="")
    tell(host, running)
    clock.shift(timedelta(minutes=20))
    judge_jobs.call()
    of_a_silent_host = Run.objects.get().status
    tell(host)
    judge_jobs.call()
    lost = Run.objects.get().status, state_of(host)[0]
    tell(host, running)
    again = Run.objects.get().status

    tell(host, run_report())

    assert (of_a_silent_host, lost, again) == ("running", ("lost", "failed"), "running")
    assert Run.objects.get().status == "succeeded"
