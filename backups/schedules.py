"""What happens again and again, and how often."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from backups.actions import hosts, jobs, operations, repositories
from backups.actions.day_sums import count_missing_days, forget_old_runs
from backups.actions.handshakes import check_handshakes
from backups.actions.queue import forget_ended_tasks
from backups.actions.renewals import look_at_watches, renew_certificates
from backups.actions.sampling import forget_old_samples, sample_servers
from backups.actions.users import expire_users
from backups.actions.users_reconcile import reconcile_users
from backups.actions.users_rotation import drive_rotations
from backups.actions.watching import check_servers, look_for_images
from backups.actions.windows import close_windows
from backups.models import Slot

_KEEP_SLOTS = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task and the seconds between its turns."""

    task: Any
    every: int

    @property
    def name(self) -> str:
        return str(self.task.func.__name__)

    def slot_at(self, now: datetime) -> datetime:
        """The turn that `now` belongs to, the same for every scheduler."""
        seconds = int(now.timestamp())
        return datetime.fromtimestamp(seconds - seconds % self.every, UTC)


@task(queue_name="checks")
def forget_old_turns() -> None:
    """Some thirty thousand turns a day, and what came of them."""
    Slot.objects.filter(at__lt=timezone.now() - _KEEP_SLOTS).delete()
    forget_ended_tasks()


SCHEDULES = [
    Schedule(operations.reap_operations, 5),
    Schedule(check_servers, 10),
    Schedule(sample_servers, 20),
    Schedule(look_for_images, 3600),
    Schedule(close_windows, 10),
    Schedule(repositories.scan_servers, 60),
    Schedule(jobs.judge_jobs, 30),
    Schedule(expire_users, 30),
    Schedule(reconcile_users, 60),
    Schedule(drive_rotations, 10),
    Schedule(check_handshakes, 60),
    Schedule(look_at_watches, 60),
    Schedule(renew_certificates, 3600),
    Schedule(hosts.forget_expired_tokens, 3600),
    Schedule(count_missing_days, 3600),
    Schedule(forget_old_runs, 3600),
    Schedule(forget_old_samples, 3600),
    Schedule(forget_old_turns, 3600),
]


def hand_out(schedule: Schedule) -> bool:
    """Enqueue this turn unless another scheduler did, or the turn before still waits."""
    slot = schedule.slot_at(timezone.now())
    previous = Slot.objects.filter(schedule=schedule.name).order_by("-at").first()
    if previous is not None and (previous.at >= slot or _still_waits(previous)):
        return False
    try:
        with transaction.atomic():
            row = Slot.objects.create(schedule=schedule.name, at=slot)
            row.task_id = schedule.task.enqueue().id
            row.save(update_fields=["task_id"])
    except IntegrityError:
        return False
    return True


def _still_waits(slot: Slot) -> bool:
    """Without workers the turns must not pile up; they would all be done at once later."""
    # The row alone: the task that it names may have moved with an upgrade.
    ready = DBTaskResult.objects.filter(status=TaskResultStatus.READY)
    return bool(slot.task_id) and ready.filter(id=slot.task_id).exists()
