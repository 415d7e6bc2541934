"""The page of certificates: which servers speak TLS, and what it means where one does not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backups.models import Authority, Handshake
from backups.queries.needs import count_needs, needs
from tests.factories import make_certificate, make_server
from tests.views.reading import text_of


@pytest.mark.parametrize(
    ("servers", "sentences"),
    [
        ([], ["No server needs a certificate yet"]),
        ([{}], ["house-0 speaks plain HTTP", "That is safe where it is"]),
        (
            [{"address": "0.0.0.0"}],
            ["house-0 speaks plain HTTP", "Readable on the network", "plain, over the network"],
        ),
        ([{"has_tls": True}, {}], ["1 of 2 servers speaks TLS"]),
        ([{"has_tls": True}, {"has_tls": True}], ["Both servers speak TLS"]),
    ],
)
def test_index_says_what_the_line_is(
    client: Client, servers: list[dict[str, object]], sentences: list[str]
) -> None:
    for number, fields in enumerate(servers):
        make_server(name=f"house-{number}", **fields)

    shown = text_of(client.get("/certificates/"))

    assert [sentence for sentence in sentences if sentence not in shown] == []


def test_index_names_the_certificate_that_ends_first(client: Client) -> None:
    server = make_server(name="house-main", has_tls=True)
    soon = timezone.now() + timedelta(days=6, hours=1)
    make_certificate(server, issuer="<script>alert(1)</script>", not_after=soon)

    response = client.get("/certificates/")

    assert "The certificate of house-main ends in 6 days" in text_of(response)
    assert "<script>alert" not in response.content.decode()


def test_index_says_what_the_port_shows_otherwise(client: Client) -> None:
    server = make_server(name="house-main", has_tls=True)
    Handshake.objects.create(
        server=server, looked=timezone.now(), problem="The files hold another certificate."
    )

    shown = text_of(client.get("/certificates/"))

    assert "house-main does not show what it should Its port and its files were" in shown
    assert "not as it should be The files hold another certificate." in shown
    assert "has a certificate that is not as it should be" in [n.sentence for n in needs()]


def test_index_shows_what_the_port_shows_not_what_was_applied(client: Client) -> None:
    server = make_server(has_tls=True)
    make_certificate(server, subject="rest.example.org", fingerprint="ab" * 32)
    handshake = Handshake.objects.create(
        server=server, looked=timezone.now(), fingerprint="ab" * 32, version="1.3"
    )
    assert "rest.example.org from House CA ABAB ABAB…" in text_of(client.get("/certificates/"))

    handshake.fingerprint, handshake.not_after = "9f3c" * 16, timezone.now()
    handshake.problem = "The port shows another certificate."
    handshake.save()

    shown = text_of(client.get("/certificates/"))
    assert "Another one 9F3C 9F3C…" in shown
    assert "rest.example.org" not in shown


def test_what_a_port_showed_before_tls_was_turned_off_needs_nobody(client: Client) -> None:
    server = make_server(has_tls=False)
    Handshake.objects.create(server=server, looked=timezone.now(), problem="Nothing answers.")

    assert (needs(), count_needs()) == ([], 0)
    assert "speaks plain HTTP" in text_of(client.get("/certificates/"))


def test_index_is_for_operators_to_read(client: Client, stranger: Client) -> None:
    assert stranger.get("/certificates/")["Location"] == "/account/login/?next=/certificates/"
    assert "HX-Redirect" in stranger.get("/certificates/", headers={"HX-Request": "true"})
    assert client.post("/certificates/").status_code == 405


def test_the_authority_is_made_once_and_handed_out_without_its_key(client: Client) -> None:
    assert client.get("/certificates/authority/").status_code == 404

    client.post("/certificates/authority/")
    response = client.get("/certificates/authority/")

    assert response.content.decode() == Authority.objects.get().chain
    assert "PRIVATE" not in response.content.decode()
    client.post("/certificates/authority/")
    assert Authority.objects.count() == 1
    assert "has an authority already" in text_of(client.get("/certificates/"))


def test_index_costs_the_same_for_three_servers_as_for_one(
    client: Client, queries_of: Callable[[str], int]
) -> None:
    make_certificate(make_server(has_tls=True))
    one = queries_of("/certificates/")
    for _ in range(2):
        make_certificate(make_server(has_tls=True))

    assert queries_of("/certificates/") == one
