"""Gives a filled demonstration ten thousand users, known keys of its hosts, and static files.

Run as `python -m tests.bench.crowd`, with the variables of the demonstration.
"""

import hashlib
from pathlib import Path

import django
from django.conf import settings

USERS = 10_000
SERVER = "house-crowd"


def key_of(host: str) -> str:
    """The key that a host reports with in the bench."""
    return f"bench key of {host}"


def main() -> None:
    from backups.actions.house import prepare_static
    from backups.models import Host, Server, User

    prepare_static()
    for host in Host.objects.enrolled():
        host.key_hash = hashlib.sha256(key_of(host.name).encode()).hexdigest()
        host.save(update_fields=["key_hash"])
    if Server.objects.filter(name=SERVER).exists():
        return
    folder = Path(settings.RESTHOUSE_DATA) / "servers" / SERVER
    folder.mkdir(parents=True)
    server = Server.objects.create(
        name=SERVER,
        port=8002,
        image="restic/rest-server:0.14.0",
        data_directory=str(folder),
        status=Server.Status.LIVE,
    )
    names = [f"user-{number:05}" for number in range(USERS)]
    User.objects.bulk_create([User(server=server, name=name) for name in names], batch_size=1000)
    hashed = "$2y$10$" + "x" * 53
    (folder / ".htpasswd").write_text("".join(f"{name}:{hashed}\n" for name in names))


if __name__ == "__main__":
    django.setup()
    main()
