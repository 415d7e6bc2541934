"""The certificates of one server: what is brought is judged, kept without a trace, applied."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.actions import certificates as actions
from backups.engines.certificates import Pair, make_authority, make_certificate
from backups.models import (
    Certificate,
    Event,
    Handshake,
    Operation,
    Server,
    SigningRequest,
    Watch,
)
from tests.factories import make_certificate as make_certificate_of
from tests.factories import make_host, make_job, make_operation, make_server
from tests.views.reading import text_of

Ask = Callable[..., HttpResponse]
NEW = "/certificates/house-main/new/"


@pytest.fixture
def server(db: None) -> Server:
    return make_server(name="house-main", public_name="rest.example.org")


@pytest.fixture
def pair() -> Pair:
    return make_certificate(make_authority("Example CA"), ["rest.example.org"])


def file(content: bytes, name: str = "file.pem") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def everything_of(pair: Pair) -> bytes:
    return (pair.key + pair.chain + pair.root).encode()


def test_what_is_fine_is_kept_and_led_to_its_page(
    client: Client, server: Server, pair: Pair
) -> None:
    response = client.post(NEW, {"brought": file(everything_of(pair))}, follow=True)

    certificate = Certificate.objects.get()
    assert response.request["PATH_INFO"] == certificate.get_absolute_url()
    assert "rest.example.org is fine Nothing has changed on house-main yet." in text_of(response)
    assert (certificate.fingerprint, certificate.by_name) == (pair.facts.fingerprint, "ines")
    assert not Operation.objects.exists()


def test_several_files_and_pasted_text_are_one(client: Client, server: Server, pair: Pair) -> None:
    brought = [file(pair.root.encode(), "ca.pem"), file(pair.key.encode(), "x.key")]

    client.post(NEW, {"brought": brought, "text": pair.chain})

    assert Certificate.objects.get().root == pair.root


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("cert.pem", "x" * 100)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "This is neither a certificate nor a key."),
        (b"\x00\xff" * 400, "This is neither a certificate nor a key."),
        (zipped(), "This is a zip archive, no certificate."),
        (b"%PDF-1.7 ...", "This is a PDF document, no certificate."),
        (b"x" * (1024 * 1024 + 1), "That is more than 1 MB, and no certificate."),
        (b"x" * (50 * 1024 * 1024), "That is more than 1 MB, and no certificate."),
        (b"", "There is nothing in it."),
    ],
    ids=["text", "noise", "zip", "pdf", "too-large", "50-megabytes", "empty"],
)
def test_junk_is_refused_with_a_sentence_and_nothing_is_kept(
    htmx: Ask, server: Server, content: bytes, sentence: str
) -> None:
    response = htmx(NEW, "ways", method="post", data={"brought": file(content)})

    assert response.status_code == 422
    assert response.template_name == "certificates/new.html#ways"
    assert sentence in text_of(response)
    assert not Certificate.objects.exists()


def test_a_text_that_is_too_large_to_be_read_is_refused_in_words(
    client: Client, server: Server
) -> None:
    response = client.post(NEW, {"text": "x" * (9 * 1024 * 1024)})

    assert response.status_code == 422
    assert "That is more than 1 MB" in text_of(response)


def test_a_key_in_place_of_a_certificate_is_refused_and_stands_nowhere(
    client: Client, server: Server, pair: Pair
) -> None:
    response = client.post(NEW, {"text": pair.key, "password": "a secret of mine"})

    assert response.status_code == 422
    assert "This is a private key, but its certificate is missing." in text_of(response)
    secret = pair.key.splitlines()[1]
    kept = " ".join(str(session.get_decoded()) for session in Session.objects.all())
    kept += " ".join(event.sentence for event in Event.objects.all())
    assert secret not in response.content.decode() + kept
    assert "a secret of mine" not in response.content.decode() + kept


def test_errors_stand_each_on_a_line_with_what_to_do(
    client: Client, server: Server, pair: Pair
) -> None:
    other = make_certificate(make_authority("Other"), ["other.example.org"])

    response = client.post(NEW, {"text": other.chain + pair.key})

    shown = text_of(response)
    assert "The key does not belong to the certificate." in shown
    assert "Hosts use rest.example.org, but it is for other.example.org." in shown
    assert "Have one made for rest.example.org." in shown
    assert not Certificate.objects.exists()


def test_an_upload_never_reaches_the_disk(
    client: Client, server: Server, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file for a private key")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", refuse)
    padding = b"x" * (3 * 1024 * 1024)

    client.post(NEW, {"brought": [file(everything_of(pair)), file(padding)]})

    assert not Certificate.objects.exists()


@pytest.mark.parametrize("way", ["authority", "self-signed"])
def test_one_is_made_here_for_the_names_that_were_given(
    client: Client, server: Server, way: str
) -> None:
    names = "rest.example.org\n10.0.0.7"
    data = {"way": way, "names": names, "kind": "ecdsa-p256"}

    response = client.post(f"{NEW}made/", data, follow=True)

    assert Certificate.objects.get().names == ["rest.example.org", "10.0.0.7"]
    assert "rest.example.org is fine" in text_of(response)


def test_a_name_that_is_none_is_refused_where_it_stands(client: Client, server: Server) -> None:
    data = {"way": "authority", "names": "not/a/name", "kind": "ecdsa-p256"}

    response = client.post(f"{NEW}made/", data)

    assert response.status_code == 422
    assert "is no name for a certificate" in text_of(response)
    assert not Certificate.objects.exists()


def test_a_signing_request_is_handed_out_and_its_answer_needs_no_key(
    client: Client, server: Server
) -> None:
    data = {"way": "request", "names": "rest.example.org", "kind": "ecdsa-p256"}
    client.post(f"{NEW}made/", data)
    request = SigningRequest.objects.get()

    handed = client.get(f"/certificates/house-main/requests/{request.pk}/").content.decode()

    assert handed == request.pem
    assert "BEGIN CERTIFICATE REQUEST" in handed
    page = text_of(client.get("/certificates/house-main/"))
    assert "1 signing request without an answer" in page


def test_who_would_be_locked_out_is_named_and_has_to_be_read_first(
    client: Client, server: Server
) -> None:
    url = f"rest:https://rest.example.org:{server.port}/db/"
    other = make_authority("Another CA")
    make_job(name="nightly", repository_url=url, trusted=other.chain, is_trust_known=True)
    certificate = actions.make_certificate(server, by="test")

    page = text_of(client.get(certificate.get_absolute_url()))
    response = client.post(f"{certificate.get_absolute_url()}application/")

    assert "rest.example.org would lock 1 job out" in page
    assert "It does not trust Resthouse CA." in page
    assert response.status_code == 422
    assert "Say that you have read what is above." in text_of(response)
    assert not Operation.objects.exists()

    client.post(f"{certificate.get_absolute_url()}application/", {"is_read": "on"})
    assert Operation.objects.get().wanted["certificate"] == certificate.pk


def test_the_key_leaves_only_by_name_and_the_book_tells(client: Client, server: Server) -> None:
    certificate = actions.make_certificate(server, by="test")
    url = f"{certificate.get_absolute_url()}key/"

    refused = client.post(url, {"name": "house"})
    given = client.post(url, {"name": "house-main"})

    assert refused.status_code == 422
    assert "PRIVATE KEY" not in refused.content.decode()
    assert given.content.decode().startswith("-----BEGIN PRIVATE KEY-----")
    assert given["Cache-Control"] == "no-store"
    assert Event.objects.filter(verb="exported the key of").count() == 1


def test_no_page_shows_a_key(client: Client, server: Server) -> None:
    certificate = actions.make_certificate(server, by="test")
    here = certificate.get_absolute_url()
    pages = ["/certificates/", "/certificates/house-main/", NEW, here, f"{here}chain.pem"]
    pages += [f"{here}ca.pem", f"/admin/backups/certificate/{certificate.pk}/change/"]

    assert [url for url in pages if b"PRIVATE KEY" in client.get(url).content] == []


def test_a_folder_is_watched_until_it_is_not(client: Client, server: Server, tmp_path: Any) -> None:
    refused = client.post("/certificates/house-main/watch/", {"directory": "/nonexistent/x"})
    assert (refused.status_code, "cannot be read" in text_of(refused)) == (422, True)

    client.post("/certificates/house-main/watch/", {"directory": str(tmp_path)})
    assert Watch.objects.get().directory == str(tmp_path)

    client.post("/certificates/house-main/watch/end/")
    assert not Watch.objects.exists()


def test_the_line_is_changed_only_to_something_else(client: Client, server: Server) -> None:
    url = "/certificates/house-main/line/"

    same = client.post(url, {"line": "plain"})
    without = client.post(url, {"line": "1.2"})

    assert "It is so already." in text_of(same)
    assert "has no certificate yet" in text_of(without)
    actions.make_certificate(server, by="test")
    assert client.post(url, {"line": "1.3"})["Location"] == "/certificates/house-main/"
    assert Operation.objects.get().wanted["fields"] == {"has_tls": True, "tls_min_version": "1.3"}


def test_the_line_is_cut_only_after_the_names_of_whom_it_would_lock_out(
    htmx: Ask, client: Client, server: Server
) -> None:
    url = "/certificates/house-main/line/"
    make_live(server)
    for scheme in ("http", "https"):
        address = f"rest:{scheme}://rest.example.org:{server.port}/db/"
        make_job(make_host(name=f"db-{scheme}"), repository_url=address)

    unread = htmx(url, "form", method="post", data={"line": "plain"})

    assert (unread.status_code, unread.template_name) == (422, "certificates/line.html#form")
    assert "1 job would fail from then on" in text_of(unread)
    assert ("db-https" in text_of(unread), "db-http " in text_of(unread)) == (True, False)
    assert not Operation.objects.exists()
    client.post(url, {"line": "plain", "is_read": "on"})
    assert Operation.objects.get().wanted["fields"]["has_tls"] is False


def test_a_version_asks_nobody(client: Client, server: Server) -> None:
    make_live(server)
    make_job(repository_url=f"rest:http://rest.example.org:{server.port}/db/")

    client.post("/certificates/house-main/line/", {"line": "1.3"})

    assert Operation.objects.get().wanted["fields"] == {"has_tls": True, "tls_min_version": "1.3"}


def make_live(server: Server) -> Certificate:
    certificate = actions.make_certificate(server, by="test")
    server.has_tls, certificate.live_since = True, timezone.now()
    server.save()
    certificate.save()
    return certificate


def test_a_change_that_could_not_be_taken_back_is_not_said_to_be(
    client: Client, server: Server
) -> None:
    make_operation(
        server,
        kind=Operation.Kind.APPLY_CERTIFICATE,
        state=Operation.State.FAILED,
        problem="It could not be taken back: nothing answers.",
    )

    shown = text_of(client.get("/certificates/house-main/"))

    assert "It could not be taken back: nothing answers." in shown
    assert "was taken back" not in shown


def test_those_who_take_it_and_those_who_do_not_tell_are_counted_not_listed(
    client: Client, server: Server
) -> None:
    root = make_live(server).root
    address = f"rest:https://rest.example.org:{server.port}/db/"
    for number in range(40):
        known = {"trusted": root, "is_trust_known": True} if number % 2 else {}
        make_job(make_host(name=f"web-{number:02}"), repository_url=address, **known)

    response = client.get("/certificates/house-main/")

    shown = text_of(response)
    assert "20 of 40 jobs are known to take it" in shown
    assert "20 jobs may trust it or not" in shown
    assert [n for n in range(40) if f"web-{n:02}" not in shown] == []
    assert "Why it would fail" not in shown


def test_what_the_port_does_not_show_is_not_said_to_be_shown(
    client: Client, server: Server
) -> None:
    make_live(server)
    Handshake.objects.create(
        server=server, looked=timezone.now(), fingerprint="9f" * 32, problem="Another one."
    )

    shown = text_of(client.get("/certificates/house-main/"))

    assert "Applied, but not shown" in shown


def test_a_port_that_shows_another_one_has_one_filled_button(
    client: Client, server: Server
) -> None:
    server.has_tls = True
    server.save()
    Handshake.objects.create(
        server=server, looked=timezone.now(), fingerprint="9f" * 32, problem="Another one."
    )

    page = client.get("/certificates/house-main/").content.decode().partition("<dialog")[0]

    assert page.count("primary") == 1
    assert "Adopt what it shows" in page


def test_pages_are_for_operators(stranger: Client, server: Server) -> None:
    paths = ["/certificates/house-main/", NEW, "/certificates/house-main/line/"]

    assert {stranger.get(path).status_code for path in paths} == {302}
    assert stranger.post("/certificates/authority/").status_code == 302
    assert not Certificate.objects.exists()


@pytest.mark.parametrize(
    "path", ["watch/", "renewal/", "adopted/", "restored/", "new/made/", "1/application/"]
)
def test_what_changes_something_wants_a_post(client: Client, server: Server, path: str) -> None:
    assert client.get(f"/certificates/house-main/{path}").status_code == 405


def test_more_files_than_anybody_has_are_refused_in_words(client: Client, server: Server) -> None:
    files = [file(b"x", f"{number}.pem") for number in range(150)]

    response = client.post(NEW, {"brought": files})

    assert response.status_code == 422
    assert not Certificate.objects.exists()


def test_rolling_back_asks_before_it_locks_hosts_out(
    client: Client, server: Server, pair: Pair
) -> None:
    Server.objects.filter(pk=server.pk).update(has_tls=True)
    actions.keep_pair(server, pair, origin=Certificate.Origin.UPLOADED, by="test")
    former = Certificate.objects.get()
    make_certificate_of(server, live_since=timezone.now())
    Certificate.objects.filter(pk=former.pk).update(
        live_since=timezone.now() - timedelta(days=9), live_until=timezone.now()
    )
    make_job(
        make_host(name="web-1"),
        repository_url=f"rest:https://rest.example.org:{server.port}/alice/",
        trusted=make_authority("Another CA").chain,
        is_trust_known=True,
    )

    page = client.get(f"/certificates/{server}/rollback/")
    assert "web-1" in text_of(page)
    refused = client.post(f"/certificates/{server}/rollback/")

    assert (refused.status_code, Operation.objects.count()) == (422, 0)
    client.post(f"/certificates/{server}/rollback/", {"is_read": "on"})
    assert Operation.objects.count() == 1
