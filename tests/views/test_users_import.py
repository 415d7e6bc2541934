"""Users from another file and for another file: nothing happens before somebody saw it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from backups.actions.users_reconcile import adopt_users
from backups.models import Event, Server, User
from tests.views.reading import text_of
from tests.views.users import BCRYPT, OTHER, SHA1, file_of, write

IMPORT = "/users/import/?server=house-main"
EXPORT = "/users/export/?server=house-main"


@pytest.fixture
def known(stopped: Server) -> Server:
    write(stopped, alice=BCRYPT, bo=BCRYPT)
    adopt_users(stopped)
    return stopped


def bring(client: Client, text: str, **more: object) -> HttpResponse:
    return client.post(IMPORT, {"text": text, **more})


def test_the_preview_says_what_becomes_of_each_line_and_changes_nothing(
    client: Client, known: Server
) -> None:
    before = file_of(known).read_bytes()

    response = bring(client, f"alice:{OTHER}\nbo:{BCRYPT}\ncarl:{SHA1}\ndata:{BCRYPT}\neve:$apr1$x")

    plan, shown = response.context["plan"], text_of(response)
    assert [(line.name, line.code) for line in plan.lines] == [
        ("alice", "changed"),
        ("bo", "same"),
        ("carl", "added"),
        ("data", "refused"),
        ("eve", "refused"),
    ]
    assert "1 user would be added" in shown
    assert "Line 5: 'eve' cannot sign in" in shown
    assert response["Cache-Control"] == "no-store"
    assert file_of(known).read_bytes() == before


def test_an_import_adds_who_is_new_and_keeps_who_is_known(client: Client, known: Server) -> None:
    response = bring(client, f"alice:{OTHER}\ncarl:{SHA1}\n", confirmed="yes")

    assert response["Location"] == "/users/?server=house-main"
    lines = set(file_of(known).read_text().split())
    assert lines == {f"alice:{BCRYPT}", f"bo:{BCRYPT}", f"carl:{SHA1}"}
    assert User.objects.filter(name="carl").exists()
    assert Event.objects.filter(verb="imported users into").count() == 1


def test_an_import_replaces_only_who_was_ticked(client: Client, known: Server) -> None:
    bring(client, f"alice:{OTHER}\nbo:{OTHER}\n", confirmed="yes", replace=["alice"])

    assert set(file_of(known).read_text().split()) == {f"alice:{OTHER}", f"bo:{BCRYPT}"}


def test_a_file_is_read_as_pasted_lines_are(client: Client, known: Server) -> None:
    file = SimpleUploadedFile("users", f"\r\njörg:{BCRYPT}\r\n".encode())

    plan = client.post(IMPORT, {"file": file}).context["plan"]

    assert [line.name for line in plan.added] == ["jörg"]


def test_lines_that_bring_nothing_offer_no_button(client: Client, known: Server) -> None:
    response = bring(client, "one line of a letter\n")

    assert "No line brings anything" in text_of(response)
    assert "Import" not in text_of(response).split("Nothing was changed")[1]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"text": ""}, "There is not one line in it."),
        ({"text": "  \n\n"}, "There is not one line in it."),
        ({"file": b""}, "There is not one line in it."),
        ({"file": b"\x7fELF\x02\x01\xff\xfe"}, "That is no text in UTF-8."),
        ({"file": b"alice:\0\0\0\n"}, "That is no text: it holds zero bytes."),
        ({"text": "alice:x", "file": b"bo:x"}, "Give lines or a file, not both."),
        ({"file": b"a" * 50_000_000}, "That is more than 4 MB"),
        ({"text": "a" * 5_000_000}, "That is more than 4 MB"),
        ({"text": "a" * 50_000_000}, "That is more than 4 MB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_users_file_is_refused_in_place(
    client: Client, known: Server, what: dict[str, object], sentence: str
) -> None:
    before = file_of(known).read_bytes()
    if isinstance(content := what.get("file"), bytes):
        what = what | {"file": SimpleUploadedFile("users", content)}

    response = client.post(IMPORT, what, headers={"HX-Request": "true", "HX-Target": "form"})

    assert (response.status_code, response.template_name) == (422, "users/import.html#form")
    assert sentence in text_of(response)
    assert file_of(known).read_bytes() == before


def test_an_import_needs_the_token_of_its_page(known: Server, client: Client) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = client.cookies

    response = careful.post(IMPORT, {"text": f"eve:{BCRYPT}", "confirmed": "yes"})

    assert response.status_code == 403
    assert "eve" not in file_of(known).read_text()


def test_an_import_into_a_damaged_file_changes_nothing(client: Client, known: Server) -> None:
    file_of(known).write_text(f"alice:{BCRYPT}\nbroken\n")

    bring(client, f"carl:{BCRYPT}", confirmed="yes")

    assert file_of(known).read_text() == f"alice:{BCRYPT}\nbroken\n"


def test_hostile_lines_stay_words(client: Client, known: Server) -> None:
    content = bring(client, "<script>alert(1)</script>:x\n\"'><b>:y\n").content.decode()

    assert "<script>alert" not in content
    assert "'><b>" not in content


def test_an_export_is_asked_for_by_name_and_written_into_the_book(
    client: Client, known: Server
) -> None:
    response = client.post(EXPORT, {"name": "house-main"})

    assert response.content.decode() == file_of(known).read_text()
    assert response["Content-Disposition"] == 'attachment; filename="house-main.htpasswd"'
    assert response["Cache-Control"] == "no-store"
    event = Event.objects.get(verb="exported the users of")
    assert (event.by_name, event.sentence) == ("ines", "2 users")


def test_an_export_by_a_slip_of_the_hand_gives_nothing(client: Client, known: Server) -> None:
    response = client.post(EXPORT, {"name": "house"})

    assert response.status_code == 422
    assert BCRYPT not in response.content.decode()
    assert not Event.objects.filter(verb="exported the users of").exists()


@pytest.mark.parametrize("path", [IMPORT, EXPORT])
def test_a_stranger_brings_and_takes_nothing(stranger: Client, known: Server, path: str) -> None:
    before = file_of(known).read_bytes()

    for answer in (stranger.get(path), stranger.post(path, {"text": f"eve:{BCRYPT}", "name": "x"})):
        assert answer["Location"].startswith("/account/login/")
    assert file_of(known).read_bytes() == before


@pytest.mark.parametrize("path", [IMPORT, EXPORT])
def test_other_methods_and_other_servers_are_refused(
    client: Client, known: Server, path: str
) -> None:
    assert client.put(path).status_code == 405
    assert client.get(path.replace("house-main", "nowhere")).status_code == 404
