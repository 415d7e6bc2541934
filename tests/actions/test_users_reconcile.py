"""A users file that others edit as well: every difference is found, and adopted or undone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backups import engines
from backups.actions import users, users_reconcile
from backups.actions.users_reconcile import (
    adopt_difference,
    adopt_users,
    differences,
    mend_users,
    propose_mending,
    undo_difference,
)
from backups.engines.containers import Containers
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry, hash_password, parse
from backups.engines.restserver import is_let_in
from backups.models import Event, Server, UsersFile
from tests.factories import make_server, make_user

Serve = Callable[..., Server]
BCRYPT = "$2y$10$" + "a" * 53
OTHER = "$2y$10$" + "b" * 53


pytestmark = pytest.mark.usefixtures("cheap_hashes")


def file_of(server: Server) -> Path:
    return Path(server.data_directory) / ".htpasswd"


def hashes_in(server: Server) -> dict[str, str]:
    return {entry.name: entry.hash for entry in parse(file_of(server).read_text()).entries}


def codes(server: Server) -> dict[str, str]:
    return {difference.name: difference.code for difference in differences(server)}


def by_hand(server: Server, **hashes: str | None) -> None:
    """As somebody with an editor."""
    found = hashes_in(server) | hashes
    lines = [f"{name}:{hashed}\n" for name, hashed in found.items() if hashed]
    file_of(server).write_text("# by hand\n" + "".join(lines))


def test_the_first_file_is_right_as_it_is(unmade: Server) -> None:
    text = (
        f"# people\r\nweb-1:{BCRYPT}\r\nweb-2:{{SHA}}qUqP5cyxm6YcTAhz05Hph5gvu9M=\r\n"
        f"web-3:$apr1$x$y\r\nweb-1:{OTHER}\r\n"
    )
    file_of(unmade).write_bytes(b"\xef\xbb\xbf# bom\n" + text.encode())
    before = file_of(unmade).read_bytes()

    with pytest.raises(EngineError, match="byte order mark"):
        users.add_user(unmade, "new", by="terminal")
    assert codes(unmade) == {"": "damaged"}
    file_of(unmade).write_text(text)
    assert adopt_users(unmade) == 3

    assert before != file_of(unmade).read_bytes() == text.encode()
    assert [user.name for user in unmade.users.all()] == ["web-1", "web-2", "web-3"]
    users.add_user(unmade, "new", by="terminal")
    assert {name: hashes_in(unmade)[name] for name in ("web-1", "web-3")} == {
        "web-1": OTHER,
        "web-3": "$apr1$x$y",
    }
    assert file_of(unmade).read_text().startswith("# people\n")
    assert codes(unmade) == {}


@pytest.fixture
def edited(unmade: Server) -> Server:
    """One edit by hand of each kind."""
    for name in ("changed", "removed", "returned", "same", "spoilt"):
        users.add_user(unmade, name, by="terminal")
    users.disable_user(unmade.users.get(name="returned"), by="terminal")
    by_hand(unmade, added=BCRYPT, changed=BCRYPT, removed=None, returned=BCRYPT, spoilt="plain")
    return unmade


KINDS = {
    "added": "added",
    "changed": "changed",
    "removed": "removed",
    "returned": "returned",
    "spoilt": "unusable",
}


def test_every_edit_by_hand_is_found_told_once_and_touched_by_nothing_else(edited: Server) -> None:
    text = file_of(edited).read_text()
    adopt_users(edited)
    adopt_users(edited)

    book = UsersFile.objects.get(server=edited)
    assert codes(edited) == KINDS == {line["name"]: line["code"] for line in book.found}
    assert (book.difference_count, book.found_since is not None) == (5, True)
    assert Event.objects.filter(verb="found changes by hand at").count() == 1
    assert file_of(edited).read_text() == text
    users.add_user(edited, "another", by="terminal")
    assert codes(edited) == KINDS
    assert file_of(edited).read_text().startswith("# by hand\n")


def test_an_edit_is_adopted_by_choice(edited: Server) -> None:
    adopt_users(edited)
    before = hashes_in(edited)

    for name in KINDS:
        adopt_difference(edited, name, by="ines")
        with pytest.raises(EngineError, match="no difference"):
            adopt_difference(edited, name, by="ines")

    assert (hashes_in(edited), codes(edited)) == (before, {})
    rows = {user.name: user.is_disabled for user in edited.users.all()}
    assert rows == dict.fromkeys(["added", "changed", "returned", "same", "spoilt"], False)
    book = UsersFile.objects.get(server=edited)
    assert (book.difference_count, book.found, book.found_since) == (0, [], None)


def test_an_edit_is_undone_by_choice_and_nobody_is_lost(unmade: Server) -> None:
    names = ("changed", "removed", "spoilt", "off")
    for name in names:
        users.add_user(unmade, name, by="terminal")
    users.disable_user(unmade.users.get(name="off"), by="terminal")
    before = hashes_in(unmade)
    by_hand(unmade, added=BCRYPT, changed=BCRYPT, removed=None, off=BCRYPT, spoilt="plain")

    for name in ("added", "changed", "removed", "off", "spoilt"):
        undo_difference(unmade, name, by="ines")

    assert (hashes_in(unmade), codes(unmade)) == (before, {})
    assert unmade.users.get(name="off").is_disabled


@pytest.mark.parametrize("obstacle", ["gone", "empty", "damaged"])
def test_a_whole_file_comes_back(unmade: Server, obstacle: str) -> None:
    for name in ("web-1", "web-2"):
        users.add_user(unmade, name, by="terminal")
    before = hashes_in(unmade)
    if obstacle == "gone":
        file_of(unmade).unlink()
    else:
        file_of(unmade).write_text("" if obstacle == "empty" else "web-1\n\nweb-2:x:y\n")
    adopt_users(unmade)
    assert codes(unmade) == {"": "damaged" if obstacle == "damaged" else "emptied"}

    undo_difference(unmade, "", by="ines")

    assert (hashes_in(unmade), codes(unmade)) == (before, {})
    assert UsersFile.objects.get(server=unmade).difference_count == 0


def test_a_damaged_file_is_mended_as_it_was_shown(unmade: Server) -> None:
    users.add_user(unmade, "web-1", by="terminal")
    good = file_of(unmade).read_text()
    file_of(unmade).write_text(f"{good}bob\n   # no comment\n")
    mending = propose_mending(unmade)
    assert [(line.number, line.now) for line in mending.lines] == [
        (2, "#bob"),
        (3, "#   # no…"),
    ]

    file_of(unmade).write_text(f"{good}alice\n")
    damaged = file_of(unmade).read_bytes()
    with pytest.raises(EngineError, match="changed in the meantime"):
        mend_users(unmade, mending.digest, by="ines")
    assert file_of(unmade).read_bytes() == damaged
    mend_users(unmade, propose_mending(unmade).digest, by="ines")

    assert file_of(unmade).read_text() == f"{good}#alice\n"
    users.add_user(unmade, "web-2", by="terminal")


def test_a_change_that_was_cut_off_is_taken_back_and_no_hand_edit(unmade: Server) -> None:
    users.add_user(unmade, "web-1", by="terminal")
    book = UsersFile.objects.get(server=unmade)
    before = hashes_in(unmade)
    book.steps = {"web-1": [before["web-1"], BCRYPT], "web-2": [None, OTHER]}
    book.save()
    by_hand(unmade, **{"web-1": BCRYPT, "web-2": OTHER})
    assert codes(unmade) == {}

    adopt_users(unmade)

    assert (hashes_in(unmade), codes(unmade)) == (before, {})
    told = Event.objects.filter(verb="took back a change of")
    assert sorted(told.values_list("name", flat=True)) == ["web-1", "web-2"]


def test_a_server_that_runs_lets_in_whom_the_choice_says(serve: Serve) -> None:
    server = serve()
    new = users.add_user(server, "web-1", by="terminal")
    with engines.htpasswd_of(server).change() as entries:
        entries["web-1"] = Entry("web-1", hash_password("by-hand-by-hand", cost=4))
    Containers().reload_users(server.name)

    def lets_in(password: str) -> bool:
        return is_let_in(server.probe_url, "web-1", password)

    assert (lets_in(new.password), lets_in("by-hand-by-hand")) == (False, True)
    users_reconcile.reconcile_users.call()
    assert UsersFile.objects.get(server=server).difference_count == 1
    undo_difference(server, "web-1", by="terminal")

    assert (lets_in(new.password), lets_in("by-hand-by-hand")) == (True, False)


def test_one_server_out_of_reach_does_not_hide_the_others_differences(unmade: Server) -> None:
    make_server(name="aaa-out-of-reach")
    users.add_user(unmade, "web-1", by="terminal")
    make_user(unmade, name="without-entry")
    Server.objects.filter(pk=unmade.pk).update(status=Server.Status.LIVE)
    by_hand(unmade, added=BCRYPT)

    users_reconcile.reconcile_users.call()

    assert UsersFile.objects.get(server=unmade).difference_count == 1
