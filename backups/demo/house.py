"""The made-up house itself: its two servers, and who may back up to them."""

from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

from backups.demo.fleet import Member
from backups.engines.htpasswd import Entry, render
from backups.models import Repository, Sample, Server, User

_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# People whose entries tell a story of their own: name, note, what is the matter.
_SPECIAL = (
    ("old-erp", "switched off in spring, kept until the audit", "disabled"),
    ("scanner", "label printer in the hall", "never"),
    ("backup-test", "Ines tries things out", "unused"),
    ("contractor", "until the move is done", "expires"),
    ("legacy-nas", "", "weak"),
)


def make_servers(folder: Path, now: datetime, days: int) -> dict[str, Server]:
    """Live as far as anybody looks; no container engine is ever asked for them."""
    created = now - timedelta(days=days)
    common = {
        "image": "restic/rest-server:0.14.0",
        "status": Server.Status.LIVE,
        "live_since": now - timedelta(days=16, hours=4),
        "proven": now,
        "scanned": now,
        "created": created,
        "since": now - timedelta(days=16, hours=4),
        "seen": {
            "state": "running",
            "health": "healthy",
            "started": (now - timedelta(days=16, hours=4)).isoformat(),
            "restarts": 0,
            "exit_code": 0,
            "ended": "",
            "image_id": "",
            "digest": f"sha256:{'6b1e' * 16}",
        },
        "address": "192.0.2.10",
        "public_name": "backup.example.net",
        "has_tls": True,
        "tls_min_version": "1.2",
    }
    main = Server(
        pk=1,
        name="house-main",
        port=8000,
        data_directory=str(folder / "house-main"),
        is_append_only=False,
        **common,
    )
    offsite = Server(
        pk=2,
        name="house-offsite",
        port=8001,
        data_directory=str(folder / "house-offsite"),
        max_size=40 * 1024**4,
        **common,
    )
    return {main.name: main, offsite.name: offsite}


def make_samples(servers: dict[str, Server], now: datetime, random: Random) -> list[Sample]:
    """The last hour, with the backups of a few hosts in it."""
    samples: list[Sample] = []
    for server in servers.values():
        for step in range(180):
            load = max(0.0, random.gauss(0.2, 0.1) + (0.7 if 40 < step % 90 < 55 else 0.0))
            samples.append(
                Sample(
                    pk=len(samples) + 1,
                    server=server,
                    at=now - timedelta(seconds=20 * (180 - step)),
                    cpu=load * 60,
                    memory=round((24 + 20 * load) * 1024**2),
                    received=round(load * 40_000_000),
                    sent=round(load * 200_000),
                    read=round(load * 100_000),
                    written=round(load * 40_000_000),
                    uploads=round(load * 5) if load > 0.5 else 0,
                )
            )
    return samples


def make_repositories(
    fleet: list[Member], servers: dict[str, Server], now: datetime
) -> dict[str, Repository]:
    """One for each member that backs up to this house; their sums are told by the history."""
    numbers = count(1)
    return {
        member.name: Repository(
            pk=next(numbers),
            server=servers[member.server],
            path=member.path,
            user_name=member.user,
            # restic compresses, and stores what is the same once.
            bytes=int(member.bytes * 0.7),
            first_seen=servers[member.server].created,
            seen=now,
        )
        for member in fleet
        if member.server and not member.is_waiting
    }


def make_users(
    fleet: list[Member], servers: dict[str, Server], now: datetime, random: Random
) -> list[User]:
    """One for each repository's owner, and some with a story."""
    numbers = count(1)
    owners = dict.fromkeys((m.server, m.user, m.role.note) for m in fleet if m.server)
    users = [
        User(
            pk=next(numbers),
            server=servers[server],
            name=name,
            note=note,
            created=servers[server].created + timedelta(hours=random.randrange(72)),
            rotated=now - timedelta(days=random.randrange(1, 300)),
            live_since=servers[server].live_since,
        )
        for server, name, note in owners
    ]
    return users + [
        _special(next(numbers), servers["house-main"], special, now, random) for special in _SPECIAL
    ]


def _special(
    pk: int, server: Server, special: tuple[str, str, str], now: datetime, random: Random
) -> User:
    name, note, story = special
    user = User(pk=pk, server=server, name=name, note=note, created=server.created)
    user.last_seen = None if story == "never" else now - timedelta(days=2)
    if story == "disabled":
        user.disabled, user.disabled_hash = now - timedelta(days=140), made_up_hash(random)
    elif story == "unused":
        user.last_seen = now - timedelta(days=131)
    elif story == "expires":
        user.expires = now + timedelta(days=9)
    return user


def write_files(servers: dict[str, Server], users: list[User], random: Random) -> None:
    """Data directories with a users file, so that the pages find what they read."""
    for server in servers.values():
        folder = Path(server.data_directory)
        folder.mkdir(parents=True)
        here = [user for user in users if user.server is server and not user.is_disabled]
        entries = [Entry(user.name, _hash_of(user, random)) for user in here]
        (folder / ".htpasswd").write_text(render(entries))


def made_up_hash(random: Random) -> str:
    """Of bcrypt's form; no password fits it, since none was hashed."""
    return "$2y$10$" + "".join(random.choices(_ALPHABET, k=53))


def _hash_of(user: User, random: Random) -> str:
    if user.name == "legacy-nas":
        return "{SHA}" + "".join(random.choices(_ALPHABET[2:], k=27)) + "="
    return made_up_hash(random)
