"""`manage.py worker`: does the work that pages and the scheduler hand out."""

import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.crypto import get_random_string
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS
from django_tasks_db.management.commands.db_worker import Worker

from backups.actions.house import prepare_database
from backups.management.listeners import listen

# A long operation must not hold up the checks, so each queue has a thread of its own.
_IDLE_SECONDS = 0.3


class Command(BaseCommand):
    """Work on operations and checks until told to stop."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_database()
        stop = threading.Event()
        for name in ("SIGINT", "SIGTERM"):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
        workers = [_worker(queue) for queue in settings.QUEUES]
        threads = [threading.Thread(target=_run, args=(worker, stop)) for worker in workers]
        # Never joined: it may hang in the answer of an engine.
        threading.Thread(target=listen, args=(stop,), daemon=True).start()
        for thread in threads:
            thread.daemon = True
            thread.start()
        stop.wait()
        for worker in workers:
            worker.running = False
        for thread in threads:
            thread.join(timeout=0.7)
        # What is not done now is taken up by its lease; waiting for it would hold up Ctrl-C.
        os._exit(0 if all(not thread.is_alive() for thread in threads) else 1)


def _worker(queue: str) -> Worker:
    return Worker(
        queue_names=[queue],
        interval=_IDLE_SECONDS,
        batch=False,
        backend_name=DEFAULT_TASK_BACKEND_ALIAS,
        startup_delay=False,
        max_tasks=None,
        worker_id=get_random_string(32),
        excluded_queue_names=[],
    )


def _run(worker: Worker, stop: threading.Event) -> None:
    """A thread that dies takes the process along: its supervisor starts a whole one again."""
    try:
        worker.run()
    finally:
        stop.set()
