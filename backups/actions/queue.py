"""The queue of tasks: nothing waits in it twice, nothing stays in it for ever."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

_KEEP_ENDED = timedelta(hours=6)
# A task that is said to run for longer was left by a killed worker.
_KEEP_RUNNING = timedelta(days=2)


def enqueue_once(task: Any, *arguments: Any) -> bool:
    """Hand the task to a worker, unless an equal one waits that will see the same."""
    call = {"args": list(arguments), "kwargs": {}}
    waiting = DBTaskResult.objects.filter(
        status=TaskResultStatus.READY, task_path=task.module_path, args_kwargs=call
    )
    if waiting.exists():
        return False
    task.enqueue(*arguments)
    return True


def forget_ended_tasks() -> int:
    now = timezone.now()
    ended = Q(finished_at__lt=now - _KEEP_ENDED)
    left = Q(status=TaskResultStatus.RUNNING, started_at__lt=now - _KEEP_RUNNING)
    deleted, _ = DBTaskResult.objects.filter(ended | left).delete()
    return deleted
