"""What should be tidied among the users of a server."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.actions.users_reconcile import adopt_users
from backups.models import Server, User
from backups.queries.hygiene import book_of, hygiene
from tests.factories import make_repository, make_server, make_user
from tests.rig.servers import make_data_directory, owner_of

BCRYPT = "$2y$10$" + "a" * 53
SHA1 = "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="


@pytest.fixture
def server(tmp_path: Path, db: None) -> Server:
    directory = make_data_directory(tmp_path)
    return make_server(data_directory=str(directory), scanned=timezone.now(), **owner_of(directory))


def write(server: Server, **hashes: str) -> None:
    file = Path(server.data_directory) / ".htpasswd"
    file.write_text("".join(f"{name}:{hashed}\n" for name, hashed in hashes.items()))


def test_everything_that_should_be_tidied_is_named(server: Server) -> None:
    now, long_ago = timezone.now(), timezone.now() - timedelta(days=100)
    hashes = {"idle": SHA1, "never": BCRYPT, "metrics": BCRYPT, "late": BCRYPT, "bad": "plain"}
    write(server, **hashes)
    for name, fields in {
        "idle": {"last_seen": long_ago},
        "never": {},
        "metrics": {"last_seen": now},
        "late": {"last_seen": now, "expires": now - timedelta(hours=1)},
        "bad": {"last_seen": now},
        "off": {"disabled": now, "disabled_hash": BCRYPT},
    }.items():
        make_user(server, name=name, **fields)
    User.objects.filter(name="never").update(created=long_ago)
    for name in ("idle", "late", "bad"):
        make_repository(server, path=name, user_name=name)
    make_repository(server, path="stray/laptop", user_name="stray")
    adopt_users(server)

    found = hygiene(server)

    assert {finding.code: finding.names for finding in found} == {
        "expired": ("late",),
        "unusable": ("bad",),
        "weak-hash": ("idle",),
        "unused": ("idle",),
        "never-used": ("never",),
        "no-repository": ("never", "metrics"),
        "disabled": ("off",),
        "no-user": ("stray/laptop",),
        "metrics": ("metrics",),
    }
    assert [finding.sentence for finding in found][:3] == [
        "late has expired, but is let in.",
        "bad cannot sign in.",
        "idle has a hash that is quick to guess.",
    ]


def test_without_private_repositories_nobody_owns_any(server: Server) -> None:
    server.has_private_repositories = False
    write(server, **{"web-1": BCRYPT})
    make_user(server, name="web-1", last_seen=timezone.now())
    make_repository(server, path="shared", user_name="shared")

    assert hygiene(server) == ()


def test_an_edit_by_hand_stands_before_everything_else(server: Server) -> None:
    write(server, **{"web-1": BCRYPT, "web-2": BCRYPT})
    adopt_users(server)
    write(server, **{"web-1": SHA1, "web-2": BCRYPT})

    book = book_of(server)

    first = book.standings[0]
    assert (first.user.name, first.code, first.kind) == ("web-1", "differs", "sha1")
    assert first.difference == book.differences[0]
    assert book.headline == "web-1 was changed by hand"


def test_ten_thousand_users_take_no_more_questions_than_three(server: Server) -> None:
    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            book_of(server)
        return len(asked)

    write(server, **{f"web-{number}": BCRYPT for number in range(3)})
    adopt_users(server)
    few = questions()
    write(server, **{f"web-{number}": BCRYPT for number in range(10_000)})
    User.objects.bulk_create(User(server=server, name=f"web-{n}") for n in range(3, 10_000))

    assert questions() == few <= 5
