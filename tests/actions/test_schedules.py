"""What happens again and again: each turn once, however many schedulers, and none in a heap."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from backups.actions import hosts, operations
from backups.actions.queue import enqueue_once
from backups.models import Slot
from backups.schedules import SCHEDULES, Schedule, forget_old_turns, hand_out
from tests.rig import ROOT
from tests.rig.house import House
from tests.rig.waiting import wait_until

NOW = datetime(2026, 11, 23, 2, 0, 3, tzinfo=UTC)
REAPING = Schedule(operations.reap_operations, 5)


@contextmanager
def scheduler(house: House) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "scheduler"],
        cwd=ROOT,
        env=house.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        process.terminate()
        _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


def test_two_schedulers_hand_out_each_turn_once(
    house: House, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    done = "update django_tasks_database_dbtaskresult set status = 'SUCCESSFUL'"
    house.manage("hosts", "list")

    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(scheduler(house))
        wait_until(lambda: rows("select 1 from backups_slot"), 60)
        # Somebody works on them, so that the next turns come.
        rows(done)
        wait_until(
            lambda: rows("select 1 from backups_slot group by schedule having count(*) > 1"), 60
        )

    slots = rows("select schedule, at, task_id from backups_slot")
    tasks = rows("select task_path from django_tasks_database_dbtaskresult")
    assert {name for name, _, _ in slots} == {schedule.name for schedule in SCHEDULES}
    assert Counter(name for name, _, _ in slots) == Counter(
        path.rpartition(".")[2] for (path,) in tasks
    )


@pytest.mark.django_db
def test_without_a_worker_turns_do_not_pile_up() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        first = hand_out(REAPING)
        clock.shift(1)
        within_the_same_turn = hand_out(REAPING)
        clock.shift(timedelta(hours=3))
        after_hours = hand_out(REAPING)
        DBTaskResult.objects.update(status=TaskResultStatus.SUCCESSFUL)
        after_work = hand_out(REAPING)

    assert (first, within_the_same_turn, after_hours, after_work) == (True, False, False, True)
    assert (Slot.objects.count(), DBTaskResult.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_a_turn_whose_worker_was_killed_does_not_stop_the_next_ones() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        hand_out(REAPING)
        DBTaskResult.objects.update(status=TaskResultStatus.RUNNING)
        clock.shift(5)

        assert hand_out(REAPING)


@pytest.mark.django_db
def test_a_turn_that_waits_through_an_upgrade_does_not_stop_the_scheduler() -> None:
    """Its task may have another name by then."""
    with time_machine.travel(NOW, tick=False) as clock:
        assert hand_out(REAPING)
        DBTaskResult.objects.update(task_path="backups.actions.elsewhere.reap_operations")
        clock.shift(10)
        assert not hand_out(REAPING)
        DBTaskResult.objects.update(status=TaskResultStatus.FAILED)
        assert hand_out(REAPING)


@pytest.mark.django_db
def test_nothing_waits_twice_and_nothing_stays_for_ever() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        waits = [enqueue_once(operations.work_on_operation, pk) for pk in (1, 1, 2)]
        waits.append(enqueue_once(hosts.forget_expired_tokens))
        DBTaskResult.objects.filter(task_path__endswith="tokens").update(
            status=TaskResultStatus.SUCCESSFUL, finished_at=NOW
        )
        hand_out(REAPING)
        clock.shift(timedelta(hours=7))

        forget_old_turns.call()

    assert waits == [True, False, True, True]
    assert not Slot.objects.exists()
    assert Counter(task.task_name for task in DBTaskResult.objects.all()) == {
        "work_on_operation": 2,
        "reap_operations": 1,
    }
