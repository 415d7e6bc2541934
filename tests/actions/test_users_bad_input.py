"""Bad input of every kind: a clear error, and the file as it was, byte for byte."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.actions import users
from backups.actions.users_import import import_users, preview_import
from backups.actions.users_reconcile import adopt_difference, differences, undo_difference
from backups.engines.errors import EngineError
from backups.engines.htpasswd import decode, parse
from backups.engines.htpasswd_entries import is_name
from backups.models import Server

BCRYPT = "$2y$10$" + "a" * 53
RESERVED = {"data", "index", "keys", "locks", "snapshots", "config", ".", ".."}
# Rows that one example leaves are what the next one finds: a house is used like that.
LIVED_IN = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ANY_TEXT = st.one_of(
    st.text(max_size=120),
    st.text(alphabet='ab:#"\r\n \0/+', max_size=8),
    st.sampled_from(sorted(RESERVED)),
)
# A file with one of everything, which no refusal may touch.
FILE = f"# people\r\nweb-1:{BCRYPT}\r\nmd5:$apr1$x$y\nwe b:{BCRYPT}\n\xff:x\n".encode("latin-1")


pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def server(unmade: Server) -> Server:
    (Path(unmade.data_directory) / ".htpasswd").write_bytes(FILE)
    return unmade


def file_of(server: Server) -> Path:
    return Path(server.data_directory) / ".htpasswd"


def refused(server: Server, change: Callable[[], object]) -> bool:
    """Whether it was, and then with a sentence and without a trace in the file."""
    before, rows = file_of(server).read_bytes(), server.users.count()
    sentence = ""
    try:
        change()
    except EngineError as error:
        sentence = str(error)
    if sentence:
        assert sentence.endswith(".")
        assert file_of(server).read_bytes() == before
        assert server.users.count() == rows
    return bool(sentence)


@LIVED_IN
@given(name=ANY_TEXT)
def test_a_name_is_served_or_refused(server: Server, name: str) -> None:
    was_refused = refused(server, lambda: users.add_user(server, name, by="test"))

    if was_refused:
        assert not is_name(name) or name in RESERVED or len(name) > 100 or _is_there(server, name)
    else:
        assert _is_there(server, name)


def _is_there(server: Server, name: str) -> bool:
    return name in {entry.name for entry in parse(decode(file_of(server).read_bytes())).entries}


@LIVED_IN
@given(password=st.one_of(st.text(min_size=1, max_size=90), st.text(alphabet="aé\n\0", min_size=1)))
def test_a_password_works_or_is_refused(server: Server, password: str) -> None:
    server.users.all().delete()
    file_of(server).write_bytes(FILE)
    good = len(password) >= 12 and len(password.encode()) <= 72 and password.isprintable()

    was_refused = refused(
        server, lambda: users.add_user(server, "web-2", by="test", password=password)
    )

    assert was_refused is not good


@LIVED_IN
@given(note=st.one_of(st.text(max_size=300), st.sampled_from(["\0", "\udcff"])))
def test_a_note_is_kept_or_refused(server: Server, note: str) -> None:
    before = file_of(server).read_bytes()
    user, _ = server.users.get_or_create(name="web-1")

    if not refused(server, lambda: users.note_user(user, note, by="test")):
        user.refresh_from_db()
        assert user.note == note
    assert file_of(server).read_bytes() == before


@LIVED_IN
@given(text=st.one_of(st.text(max_size=200), st.text(alphabet='ab:#"\r\n $', max_size=60)))
def test_any_text_can_be_imported_without_harm(server: Server, text: str) -> None:
    plan = preview_import(server, text)
    import_users(server, text, by="test", replace={line.name for line in plan.changed})

    contents = parse(decode(file_of(server).read_bytes()))
    assert not contents.is_refused
    assert {"web-1", "md5"} <= {entry.name for entry in contents.entries}


@LIVED_IN
@given(content=st.one_of(st.binary(max_size=80), st.text(alphabet='ab:#"\r\n $', max_size=60)))
def test_whatever_stands_in_the_file_a_refused_change_leaves_it(
    server: Server, content: bytes | str
) -> None:
    text = content.encode() if isinstance(content, str) else content
    users.add_user(server, "web-2", by="test")
    file_of(server).write_bytes(text)

    for difference in differences(server):
        refused(server, lambda name=difference.name: adopt_difference(server, name, by="test"))
        refused(server, lambda name=difference.name: undo_difference(server, name, by="test"))

    assert differences(server) == () or parse(decode(file_of(server).read_bytes())).is_refused
    server.users.filter(name="web-2").delete()
    server.users_file.delete()
    server.refresh_from_db()
    file_of(server).write_bytes(FILE)


def test_an_expiry_that_is_over_is_refused(server: Server) -> None:
    user = users.add_user(server, "web-2", by="test").user

    assert refused(server, lambda: users.set_expiry(user, timezone.now(), by="test"))
    users.set_expiry(user, timezone.now() + timedelta(hours=1), by="test")
    assert (user.expires.second, user.expires.microsecond) == (0, 0)
