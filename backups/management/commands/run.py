"""`manage.py run`: the whole house under one process."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups import engines
from backups.actions.house import prepare_database, prepare_static
from backups.actions.operators import setup_token
from backups.demo.folder import is_demo
from backups.management.start import become_supervisor, free_address
from backups.models import Operator
from backups.version import VERSION


class Command(BaseCommand):
    """Start web, worker and scheduler, and stop them together."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default=settings.RESTHOUSE_BIND, help="ADDRESS:PORT")

    def handle(self, *args: Any, bind: str, **options: Any) -> None:
        address, port = free_address(bind)
        if is_demo(settings.RESTHOUSE_DATA):
            raise CommandError(
                f"{settings.RESTHOUSE_DATA} holds a demonstration: start it with `manage.py demo`."
            )
        prepare_database()
        prepare_static()
        url = settings.RESTHOUSE_URL if bind == settings.RESTHOUSE_BIND else f"http://{bind}"
        self._greet(url)
        become_supervisor(address, port, url)

    def _greet(self, url: str) -> None:
        self.stdout.write(
            f"Resthouse {VERSION} at {url}/ with its data in {settings.RESTHOUSE_DATA}"
        )
        if not Operator.objects.exists():
            self.stdout.write(f"Set up: {url}/setup/{setup_token()}/")
        self.stdout.write(engines.engine_at().status().sentence)
        self.stdout.write("Ctrl-C stops it; backups go on without it.")
        self.stdout.flush()
