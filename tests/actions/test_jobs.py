"""Silence is a failure: what is said of a job whose runs do not come or do not end."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.assessments import UnitReport
from backups.actions.hosts import HostFacts
from backups.actions.jobs import judge_jobs
from backups.actions.reports import record_report
from backups.models import Host, Run
from tests.actions.telling import DUE, KEY, NOW, run_report, state_of, tell, unit_report


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

    assert (before, after_boot) == ("late", "never")
    assert missed == ("never", "It was due on 23 Nov at 02:00 and has never reported a run.")
    assert state_of(host)[0] == "ok"


def test_a_turn_that_a_condition_skipped_says_so(host: Host, clock: Any) -> None:
    """As with an unmet Condition: the timer elapsed, no run began, the next turn is announced."""
    yesterday = DUE - timedelta(days=1)
    tell(host, run_report(started=yesterday, finished=yesterday))
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(minutes=5))
    tell(host, units=[unit_report(next_=DUE + timedelta(days=1), last=DUE)])

    clock.move_to(DUE + timedelta(minutes=61))
    judge_jobs.call()

    state, reason = state_of(host)
    assert state == "skipped"
    assert reason.startswith("Its timer elapsed on 23 Nov at 02:00, but no run began: a `Cond")


def test_a_run_whose_condition_was_not_met_is_skipped(host: Host) -> None:
    tell(host, run_report(exit_code=None, result="exec-condition", output=""))

    assert state_of(host)[0] == "skipped"


def test_a_backup_is_late_before_it_is_missed(host: Host, clock: Any) -> None:
    clock.move_to(DUE - timedelta(hours=1))
    yesterday = DUE - timedelta(days=1)
    tell(host, run_report(started=yesterday, finished=yesterday))
    tell(host, units=[unit_report(next_=DUE)])
    stories = []

    for minutes in (5, 7, 59, 61):
        clock.move_to(DUE + timedelta(minutes=minutes))
        judge_jobs.call()
        stories.append(state_of(host))

    assert [state for state, _ in stories] == ["ok", "late", "late", "missed"]
    assert stories[1][1] == ("Due on 23 Nov at 02:00; it counts as missed from 23 Nov at 03:00 on.")
    assert stories[3][1] == "No run came since it was due on 23 Nov at 02:00."


def test_a_failure_stays_one_until_the_next_turn_is_missed(host: Host, clock: Any) -> None:
    yesterday = DUE - timedelta(days=1)
    tell(host, run_report(started=yesterday, finished=yesterday, exit_code=12, output=""))
    tell(host, units=[unit_report(next_=DUE)])
    clock.move_to(DUE + timedelta(minutes=30))
    judge_jobs.call()

    assert state_of(host)[0] == "failed"


def test_a_host_that_may_sleep_has_days_for_its_turn(host: Host, clock: Any) -> None:
    host.may_sleep = timedelta(days=3)
    host.save()
    yesterday = DUE - timedelta(days=1)
    tell(host, run_report(started=yesterday, finished=yesterday))
    tell(host, units=[unit_report(next_=DUE)])
    stories = []

    for hours in (30, 71, 73):
        clock.move_to(DUE + timedelta(hours=hours))
        judge_jobs.call()
        stories.append((state_of(host)[0], Host.objects.silent().exists()))

    assert stories == [("ok", False), ("ok", False), ("missed", True)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"next_": None, "state": "disabled"},
            "is off: no further run is due.",
        ),
        (
            {"next_": DUE + timedelta(days=1), "state": "disabled"},
            "is disabled: it ends with the next start of its machine.",
        ),
        (
            {"next_": None, "state": "masked"},
            "is masked: nothing can start it.",
        ),
    ],
)
def test_a_timer_that_is_not_on_is_not_fine(
    host: Host, told: dict[str, Any], expected: str
) -> None:
    tell(host, run_report())

    tell(host, units=[unit_report(**told)])

    state, reason = state_of(host)
    assert state == ("masked" if "masked" in expected else "off")
    assert reason == f"restic-backup.timer {expected}"


def test_a_run_that_curl_told_is_lost_when_its_job_runs_again_and_not_before(
    host: Host, clock: Any
) -> None:
    curl = {"sent": NOW, "facts": HostFacts(agent="curl")}
    begun = {"finished": None, "exit_code": None, "result": "", "output": ""}
    record_report(host, **curl, runs=(run_report(**begun),))
    clock.move_to(NOW + timedelta(hours=1))
    record_report(host, **curl, runs=(run_report(key="1" * 32, job="other"),))
    judge_jobs.call()
    before = state_of(host)[0]

    # Its machine went down; the next night tells.
    tomorrow = run_report(**begun, key="2" * 32, started=NOW + timedelta(days=1))
    record_report(host, **curl, runs=(tomorrow,))
    judge_jobs.call()

    assert before == "running"
    assert [run.key for run in Run.objects.filter(status=Run.Status.LOST)] == [KEY]


def test_a_timer_that_is_told_no_more_is_gone_and_may_come_back(host: Host) -> None:
    tell(host, run_report(), units=(unit_report(next_=DUE + timedelta(days=1)),))
    tell(host, units=[UnitReport("restic-backup.service")])
    gone = state_of(host)

    tell(host, units=[unit_report(next_=DUE + timedelta(days=1))])

    assert gone == ("gone", "restic-backup.timer was removed: nothing starts it any more.")
    assert state_of(host)[0] == "ok"


def test_a_unit_that_was_changed_says_so_until_it_has_run(host: Host, clock: Any) -> None:
    unit = "restic-backup.service"
    tell(host, run_report(unit=unit), units=(UnitReport(unit, text="[Service]\nType=oneshot"),))
    first = state_of(host)[0]
    clock.shift(timedelta(minutes=30))
    tell(host, units=[UnitReport(unit, text="[Service]\nType=oneshot\nNice=5")])
    changed = state_of(host)

    clock.shift(timedelta(minutes=30))
    now = timezone.now()
    tell(host, run_report(key="f" * 32, unit=unit, started=now, finished=now))

    assert first == "ok"
    assert changed == ("changed", "Its unit was changed on 23 Nov at 02:40 and has not run since.")
    assert state_of(host)[0] == "ok"


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


def test_a_run_that_takes_far_longer_than_any_before_it_is_stuck(host: Host, clock: Any) -> None:
    for number in range(3):
        before = NOW - timedelta(days=1 + number)
        ended = before + timedelta(hours=2)
        tell(host, run_report(key=f"{number:032x}", started=before, finished=ended))
    goes_on = run_report(finished=None, exit_code=None, result="", output="")
    stories = []

    for hours in (1, 7, 9):
        clock.move_to(NOW + timedelta(hours=hours))
        tell(host, goes_on)
        judge_jobs.call()
        stories.append(state_of(host)[0])
    tell(host, run_report())

    assert stories == ["running", "running", "stuck"]
    assert state_of(host)[0] == "ok"
