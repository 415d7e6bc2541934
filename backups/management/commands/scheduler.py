"""`manage.py scheduler`: hands out what happens again and again."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from backups.actions.house import prepare_database
from backups.schedules import SCHEDULES, hand_out

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Hand out periodic work until told to stop; any number of schedulers may run."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_database()
        stop = threading.Event()
        for name in ("SIGINT", "SIGTERM"):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
        while not stop.wait(1):
            close_old_connections()
            try:
                for schedule in SCHEDULES:
                    hand_out(schedule)
            except DatabaseError:
                logger.exception("The database does not answer; trying again in a second")
