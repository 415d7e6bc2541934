"""Changes of users: from the click to the proof, and a file of ten thousand."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

import django
import docker

from tests.bench.processes import environment, free_port
from tests.bench.table import Line, most, say
from tests.rig import ROOT

_TURNS = 10
_MANY = 10_000


def run() -> None:
    """In a process of its own, with the settings and the data of a new house."""
    with tempfile.TemporaryDirectory(prefix="resthouse-bench-") as folder:
        variables = environment(Path(folder), DJANGO_SETTINGS_MODULE="dashboard.settings")
        subprocess.run(
            [sys.executable, "-m", "tests.bench.users", folder], cwd=ROOT, env=variables, check=True
        )


def measure(folder: Path) -> list[Line]:
    from backups.actions.house import prepare_database
    from tests.rig import images
    from tests.rig.containers import PREFIX, removed_at_the_end
    from tests.rig.servers import make_real_server

    prepare_database()
    with closing(docker.from_env()) as client, removed_at_the_end(client) as note:
        port = free_port()
        note(f"{PREFIX}{port}")
        return _measure_on(make_real_server(images.server(), port, folder))


def _measure_on(server: object) -> list[Line]:
    from backups.actions import users
    from backups.models import User
    from backups.queries.hygiene import book_of

    first = users.add_user(server, "first", by="bench").user
    names = iter(range(_TURNS))
    changes: dict[str, Callable[[], object]] = {
        "add": lambda: users.add_user(server, f"host-{next(names)}", by="bench"),
        "rotate": lambda: users.rotate_user(first, by="bench"),
    }
    lines = [
        most(f"{what} a user, click to proven", _median(change), "ms", 500)
        for what, change in changes.items()
    ]
    file = Path(server.data_directory) / ".htpasswd"
    crowd = "".join(f"web-{number}:$2y$10${'a' * 53}\n" for number in range(_MANY))
    file.write_text(file.read_text() + crowd)
    server.users_file.delete()
    server.refresh_from_db()
    User.objects.bulk_create(User(server=server, name=f"web-{n}") for n in range(_MANY))
    lines.append(most(f"rotate one of {_MANY:,}", _median(changes["rotate"]), "ms", 1000))
    lines.append(most(f"how {_MANY:,} stand", _median(lambda: book_of(server)), "ms"))
    return lines


def _median(change: Callable[[], object]) -> float:
    taken = []
    for _ in range(_TURNS):
        begun = time.monotonic()
        change()
        taken.append((time.monotonic() - begun) * 1000)
    return median(taken)


if __name__ == "__main__":
    django.setup()
    say("Users, on a server that runs", measure(Path(sys.argv[1])))
