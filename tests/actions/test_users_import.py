"""Users from another file: nothing usable is changed unasked."""

from pathlib import Path

import pytest

from backups.actions import users
from backups.actions.users_import import export_users, import_users, preview_import
from backups.actions.users_reconcile import differences
from backups.engines.errors import EngineError
from backups.engines.htpasswd import parse
from backups.models import Event, Server
from tests.factories import make_server
from tests.rig.servers import make_data_directory, owner_of

BCRYPT = "$2y$10$" + "a" * 53
OTHER = "$2y$10$" + "b" * 53


pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def server(unmade: Server) -> Server:
    file = Path(unmade.data_directory) / ".htpasswd"
    file.write_text(f"same:{BCRYPT}\nkept:{BCRYPT}\ntaken:{BCRYPT}\n")
    users.disable_user(users.add_user(unmade, "off", by="terminal").user, by="terminal")
    return unmade


TEXT = f"""# of the old server
same:{BCRYPT}
kept:{OTHER}
taken:{OTHER}
new:{OTHER}
off:{OTHER}
data:{OTHER}
we b:{OTHER}
md5:$apr1$x$y
bob
"""


def hashes_in(server: Server) -> dict[str, str]:
    text = (Path(server.data_directory) / ".htpasswd").read_text()
    return {entry.name: entry.hash for entry in parse(text).entries}


def test_the_preview_says_what_would_become_of_every_line(server: Server) -> None:
    before = hashes_in(server)

    plan = preview_import(server, TEXT)

    assert [(line.number, line.name, line.code) for line in plan.lines] == [
        (2, "same", "same"),
        (3, "kept", "changed"),
        (4, "taken", "changed"),
        (5, "new", "added"),
        (6, "off", "refused"),
        (7, "data", "refused"),
        (8, "we b", "refused"),
        (9, "md5", "refused"),
        (10, "", "refused"),
    ]
    assert all(line.sentence for line in plan.refused)
    assert hashes_in(server) == before


def test_another_hash_is_taken_only_where_it_was_chosen(server: Server) -> None:
    import_users(server, TEXT, by="ines", replace={"taken"})

    assert hashes_in(server) == {"same": BCRYPT, "kept": BCRYPT, "taken": OTHER, "new": OTHER}
    assert differences(server) == ()
    assert server.users.filter(name="new").exists()
    [event] = Event.objects.filter(verb="imported users into")
    assert event.sentence.startswith("1 added, 1 replaced; ")
    assert import_users(server, TEXT, by="ines", replace={"taken"}).is_empty is False
    assert preview_import(server, f"same:{BCRYPT}\n").is_empty


def test_an_import_settles_no_edit_by_hand(server: Server) -> None:
    users.note_user(users.add_user(server, "web-1", by="terminal").user, "", by="terminal")
    file = Path(server.data_directory) / ".htpasswd"
    file.write_text(file.read_text() + f"by-hand:{BCRYPT}\n")

    import_users(server, f"new:{OTHER}\nby-hand:{OTHER}\n", by="ines")

    assert [(one.name, one.code) for one in differences(server)] == [("by-hand", "added")]
    assert hashes_in(server)["by-hand"] == BCRYPT


def test_what_is_exported_is_imported_elsewhere_as_it_was(server: Server, tmp_path: Path) -> None:
    text = export_users(server, by="ines")

    [event] = Event.objects.filter(verb="exported the users of")
    assert (event.by_name, BCRYPT in event.sentence) == ("ines", False)
    (tmp_path / "other").mkdir()
    directory = make_data_directory(tmp_path / "other")
    fields = {"data_directory": str(directory), **owner_of(directory)}
    other = make_server(status=Server.Status.NEW, **fields)
    import_users(other, text, by="ines")
    assert hashes_in(other) == hashes_in(server)


def test_a_damaged_file_is_not_exported(server: Server) -> None:
    (Path(server.data_directory) / ".htpasswd").write_text("bob\n")

    with pytest.raises(EngineError, match="damaged"):
        export_users(server, by="ines")
