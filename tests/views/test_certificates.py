"""The page of certificates: which servers speak TLS, and what it means where one does not."""

import pytest
from django.test import Client

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


def test_index_lists_what_was_served(client: Client) -> None:
    make_certificate(subject="rest.example.org", issuer="<script>alert(1)</script>")

    response = client.get("/certificates/")

    assert "1 certificate known" in text_of(response)
    assert "rest.example.org Served" in text_of(response)
    assert "<script>alert" not in response.content.decode()


def test_index_is_for_operators_to_read(client: Client, stranger: Client) -> None:
    assert stranger.get("/certificates/")["Location"] == "/account/login/?next=/certificates/"
    assert "HX-Redirect" in stranger.get("/certificates/", headers={"HX-Request": "true"})
    assert client.post("/certificates/").status_code == 405
