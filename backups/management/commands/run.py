"""`manage.py run`: the whole house under one process."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups import engines
from backups.actions.house import prepare_database, prepare_static
from backups.actions.operators import setup_token
from backups.management.supervisor import is_free
from backups.models import Operator
from backups.version import VERSION


class Command(BaseCommand):
    """Start web, worker and scheduler, and stop them together."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default=settings.RESTHOUSE_BIND, help="ADDRESS:PORT")

    def handle(self, *args: Any, bind: str, **options: Any) -> None:
        address, _, port = bind.rpartition(":")
        if not address or not port.isdecimal():
            raise CommandError("Write --bind as ADDRESS:PORT, such as 127.0.0.1:8080.")
        if not is_free(address, int(port)):
            raise CommandError(f"{bind} is taken. Choose another address: --bind 127.0.0.1:8081")
        prepare_database()
        prepare_static()
        url = settings.RESTHOUSE_URL if bind == settings.RESTHOUSE_BIND else f"http://{bind}"
        self._greet(url)
        # From here on Django is of no use to this process, only its memory would stay.
        supervisor = [sys.executable, "-m", "backups.management.supervisor", address, port, url]
        os.execv(sys.executable, supervisor)  # noqa: S606

    def _greet(self, url: str) -> None:
        self.stdout.write(
            f"Resthouse {VERSION} at {url}/ with its data in {settings.RESTHOUSE_DATA}"
        )
        if not Operator.objects.exists():
            self.stdout.write(f"Set up: {url}/setup/{setup_token()}/")
        self.stdout.write(engines.engine_at().status().sentence)
        self.stdout.write("Ctrl-C stops it; backups go on without it.")
        self.stdout.flush()
