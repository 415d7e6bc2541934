"""`manage.py demo`: a made-up fleet to look at, in a data folder of its own."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backups.actions.house import prepare_database, prepare_static
from backups.demo import folder
from backups.demo.fleet import CAST, Wish
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.management.start import become_supervisor, free_address
from backups.models import Operator, Run

_OPERATOR = "demo"
# Of a real house's environment, what would lead the demonstration to its database or its address.
_FOREIGN = ("DATABASE_URL", "RESTHOUSE_DATA", "RESTHOUSE_URL", "HTTPS", "STATIC_ROOT", "SECRET_KEY")
_MOST = {"hosts": (len(CAST), 1000), "days": (14, 730), "runs": (0, 1_000_000)}


class Command(BaseCommand):
    """Fill a data folder with a made-up fleet, and show it."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        wish = Wish()
        parser.add_argument("--hosts", type=int, default=wish.hosts, help="12 to 1000")
        parser.add_argument("--days", type=int, default=wish.days, help="of history")
        parser.add_argument("--runs", type=int, default=0, help="about so many, up to 1000000")
        parser.add_argument("--seed", type=int, default=wish.seed, help="another fleet")
        parser.add_argument("--bind", default="127.0.0.1:8081", help="ADDRESS:PORT")
        parser.add_argument("--fill-only", action="store_true", help="do not start anything")
        parser.add_argument("--pulse", action="store_true", help="keep a shown fleet awake")

    def handle(self, *args: Any, bind: str, **options: Any) -> None:
        data = Path(settings.RESTHOUSE_DATA)
        if not _is_apart(data):
            _begin_again(bind)
        if options["pulse"]:
            _keep_awake(data)
        else:
            self._show(_wish_of(options), data, bind, fill_only=options["fill_only"])

    def _show(self, wish: Wish, data: Path, bind: str, *, fill_only: bool) -> None:
        address, port = ("", "") if fill_only else free_address(bind)
        self._fill(wish, data)
        password = _let_in()
        if fill_only:
            self._say(f"Sign in as {_OPERATOR} with {password}")
            return
        prepare_static()
        self._say(f"A demonstration at http://{bind}/: sign in as {_OPERATOR} with {password}")
        self._say("Ctrl-C stops it.")
        become_supervisor(address, port, f"http://{bind}", is_demo=True)

    def _fill(self, wish: Wish, data: Path) -> None:
        mark = folder.Mark.read(data)
        if mark is not None and mark.fits(wish):
            prepare_database()
            self._say(f"{data} holds this fleet already.")
            return
        # The engines and their rows are needed for filling alone.
        from backups.demo.fill import fill

        try:
            folder.claim(data, wish)
        except EngineError as error:
            raise CommandError(str(error)) from error
        prepare_database()
        now = timezone.now()
        fill(wish, folder.servers_in(data), now)
        folder.Mark(wish, now).write(data)
        took = timezone.now() - now
        self._say(
            f"{data} is filled: {wish.hosts} hosts, {wish.days} days, {Run.objects.count()} runs, "
            f"in {took / timedelta(seconds=1):.1f} s."
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _wish_of(options: dict[str, Any]) -> Wish:
    wish = Wish(**{name: options[name] for name in ("hosts", "days", "runs", "seed")})
    for name, (least, most) in _MOST.items():
        if not least <= getattr(wish, name) <= most:
            raise CommandError(f"--{name} must be from {least} to {most}.")
    return wish


def _is_apart(data: Path) -> bool:
    """Whether this process can reach nothing but the demonstration's own folder."""
    own = f"sqlite:///{data}/resthouse.sqlite3"
    return bool(settings.RESTHOUSE_DEMO) and own == settings.DATABASE_URL


def _begin_again(bind: str) -> NoReturn:
    """The same command in an environment of its own."""
    is_given = not {"RESTHOUSE_DATA", "RESTHOUSE_DATA_FILE"}.isdisjoint(os.environ)
    data = settings.RESTHOUSE_DATA if is_given else settings.BASE_DIR / "var-demo"
    foreign = {*_FOREIGN, *(f"{name}_FILE" for name in _FOREIGN)}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    environment |= {
        "RESTHOUSE_DATA": str(data),
        "RESTHOUSE_DEMO": "true",
        "RESTHOUSE_URL": f"http://{bind}",
    }
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606


def _let_in() -> str:
    """The operator of the demonstration, with a new password each time it starts."""
    password = htpasswd.generate_password()
    operator, _ = Operator.objects.get_or_create(
        username=_OPERATOR, defaults={"is_staff": True, "is_superuser": True}
    )
    operator.set_password(password)
    operator.save()
    return password


def _keep_awake(data: Path) -> None:
    from backups.demo.pulse import keep_awake

    mark = folder.Mark.read(data)
    if mark is None or mark.filled is None:
        raise CommandError(f"{data} holds no demonstration.")
    stop = Event()
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda *_: stop.set())
    keep_awake(mark.filled, stop)
