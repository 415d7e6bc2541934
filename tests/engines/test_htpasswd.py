import base64
import hashlib
import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.engines.files import LocalFiles
from backups.engines.htpasswd import Entry, Htpasswd

PASSWORD = "correct horse: bättery"
HASH = htpasswd.hash_password(PASSWORD, cost=4)
SHA1 = "{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()

names = st.text(
    st.one_of(st.characters(categories=["L"]), st.sampled_from("0123456789@._-")), min_size=1
)
hashes = st.sampled_from([HASH, SHA1, "$apr1$x$y", "plain", "", "a b", "x#y"])
entries = st.lists(st.builds(Entry, names, hashes), unique_by=lambda entry: entry.name, max_size=20)
# Text of the pieces that the grammar is made of, in any order.
pieces = st.sampled_from(
    [
        "alice",
        "bob",
        HASH,
        ":",
        ":",
        "\n",
        "\n",
        "\r",
        "\r\n",
        " ",
        "\t",
        "#",
        '"',
        "\ufeff",
        "\xa0",
    ]
)
files = st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=30).map("".join)


@pytest.fixture
def users(tmp_path: Path) -> Htpasswd:
    return htpasswd_in(tmp_path)


def htpasswd_in(directory: Path) -> Htpasswd:
    owner = directory.stat()
    return Htpasswd(LocalFiles(directory, owner.st_uid, owner.st_gid), directory / "lock")


def file_of(users: Htpasswd) -> bytes | None:
    return users.files.read(".htpasswd")


@given(entries)
def test_what_is_rendered_reads_back_equal(wanted: list[Entry]) -> None:
    contents = htpasswd.parse(htpasswd.render(wanted))

    assert contents.entries == tuple(wanted)
    assert not contents.is_refused


@given(st.lists(st.builds(Entry, st.text(), st.text()), max_size=5))
@example([Entry("alice", "x\n#")])
@example([Entry("#alice", HASH)])
@example([Entry("alice", "\udcc3\udca4")])
@example([Entry("alice", "\ud800")])
@example([Entry("alice", "x\r")])
def test_render_refuses_what_would_read_back_differently(wanted: list[Entry]) -> None:
    try:
        text = htpasswd.render(wanted)
    except EngineError:
        return

    assert htpasswd.parse(text).entries == tuple(wanted)


@given(files)
def test_any_text_can_be_read_and_what_is_accepted_can_be_written_again(text: str) -> None:
    contents = htpasswd.parse(text)

    if not contents.is_refused:
        again = htpasswd.render(contents.entries, comments=contents.comments)
        assert htpasswd.parse(again).entries == contents.entries


@pytest.mark.parametrize(
    ("name", "is_private", "is_fine"),
    [
        ("alice", True, True),
        ("Zoë.laptop-2@home_", True, True),
        ("日本", True, True),
        ("metrics", True, True),
        ("data", True, False),
        ("data", False, True),
        ("..", True, False),
        ("", True, False),
        ("al ice", True, False),
        ("a+b", False, False),
        ("a/b", False, False),
        ("e\u0301", False, False),
        ("alice\n", False, False),
        ("٣", False, False),
    ],
)
def test_names_are_those_that_rest_server_serves(
    name: str, is_private: bool, is_fine: bool
) -> None:
    if is_fine:
        htpasswd.check_name(name, is_private=is_private)
    else:
        with pytest.raises(EngineError):
            htpasswd.check_name(name, is_private=is_private)


@pytest.mark.parametrize(
    "password", ["", "x" * 11, "é" * 37, "x" * 73, "with a\nline break", "with\0zero is bad"]
)
def test_passwords_that_would_be_weak_cut_or_lost_are_refused(password: str) -> None:
    with pytest.raises(EngineError) as refusal:
        htpasswd.check_password(password)

    assert password == "" or password not in str(refusal.value)


def test_a_generated_password_passes_and_is_never_the_same() -> None:
    first, second = htpasswd.generate_password(), htpasswd.generate_password()

    htpasswd.check_password(first)
    assert first != second
    assert len(first) == 24


def test_hashes_are_recognised_and_never_shown() -> None:
    entry = Entry("alice", HASH)

    assert (entry.kind, entry.cost, entry.is_usable) == ("bcrypt", 4, True)
    assert (Entry("a", SHA1).kind, Entry("a", SHA1).is_usable) == ("sha1", True)
    assert (Entry("a", HASH[:40]).kind, Entry("a", HASH[:40]).is_usable) == ("bcrypt", False)
    assert {Entry("a", other).kind for other in ["$apr1$a$b", "$6$a$b", "secret", ""]} == {
        "apr1",
        "crypt",
        "plain",
        "unknown",
    }
    assert HASH not in repr(entry)
    assert HASH not in repr(htpasswd.parse(f"alice:{HASH}\n"))


def test_a_change_keeps_hashes_comments_and_what_was_ignored(users: Htpasswd) -> None:
    users.files.write(".htpasswd", f"# ours\r\nal ice:{HASH}\r\nbob:{SHA1}\r\n".encode())

    with users.change() as entries:
        entries["carol"] = Entry("carol", HASH)

    assert file_of(users) == f"# ours\n#al ice:{HASH}\nbob:{SHA1}\ncarol:{HASH}\n".encode()
    assert users.read().problems == ()


def test_a_change_of_nothing_publishes_nothing(users: Htpasswd) -> None:
    original = f"# odd but fine\r\n\r\n  bob:{HASH}".encode()
    users.files.write(".htpasswd", original)

    with users.change() as entries:
        entries["bob"] = Entry("bob", HASH)

    assert file_of(users) == original
    assert users.files.read(".htpasswd.previous") is None


def test_an_exception_leaves_the_file_as_it_was(users: Htpasswd) -> None:
    users.files.write(".htpasswd", b"")

    with pytest.raises(KeyError), users.change() as entries:  # noqa: PT012
        entries["alice"] = Entry("alice", HASH)
        del entries["nobody"]
    with pytest.raises(EngineError), users.change() as entries:
        entries["alice"] = Entry("alice", f"{HASH}\nmallory:{HASH}")

    assert file_of(users) == b""


def test_a_change_that_is_not_proven_is_taken_back(users: Htpasswd) -> None:
    original = f"alice:{HASH}\r\n".encode()
    users.files.write(".htpasswd", original)
    seen: list[bytes | None] = []

    def prove() -> None:
        seen.append(file_of(users))
        raise EngineError("not let in")

    with (
        pytest.raises(EngineError, match="not let in"),
        users.change(prove=prove, undo=lambda: seen.append(file_of(users))) as entries,
    ):
        entries["bob"] = Entry("bob", HASH)

    assert seen == [f"alice:{HASH}\nbob:{HASH}\n".encode(), original]
    assert file_of(users) == original


def test_the_file_before_the_last_change_is_kept_beside_it(users: Htpasswd) -> None:
    with users.change() as entries:
        entries["alice"] = Entry("alice", HASH)
    with users.change() as entries:
        del entries["alice"]

    assert users.files.read(".htpasswd.previous") == f"alice:{HASH}\n".encode()
    assert users.read().entries == ()


@pytest.mark.parametrize("damage", ["bo", "x:y:z", " # indented", '"', "   ", 'bob:a"b'])
def test_a_damaged_file_is_not_written_over(users: Htpasswd, damage: str) -> None:
    damaged = f"alice:{HASH}\n{damage}\n".encode()
    users.files.write(".htpasswd", damaged)

    with pytest.raises(EngineError, match="Line 2"), users.change() as entries:
        entries.clear()

    assert file_of(users) == damaged


def _add_users(directory: Path, start: Barrier, prefix: str) -> None:
    start.wait()
    for number in range(10):
        with htpasswd_in(directory).change() as entries:
            entries[f"{prefix}{number}"] = Entry(f"{prefix}{number}", HASH)


def test_processes_that_add_users_at_once_lose_none(users: Htpasswd, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    adders = [context.Process(target=_add_users, args=(tmp_path, start, prefix)) for prefix in "ab"]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()

    added = {entry.name for entry in users.read().entries}
    assert added == {f"{prefix}{number}" for prefix in "ab" for number in range(10)}
