"""Which hosts trust what: named before a certificate locks them out."""

import pytest

from backups.actions.certificates import add_certificate
from backups.engines import certificates
from backups.models import Server
from backups.queries.trust import clients_of, jobs_of, names_of, published_names
from tests.factories import make_host, make_job, make_repository, make_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Server:
    return make_server(
        name="house-main", address="0.0.0.0", port=8000, public_name="rest.example.org"
    )


def comes(name: str, url: str, trusted: str | None = None, **fields: object) -> None:
    make_job(
        make_host(name=name),
        repository_url=url,
        trusted=trusted or "",
        is_trust_known=trusted is not None,
        **fields,
    )


def test_each_job_is_judged_by_what_it_trusts_and_the_name_it_uses(server: Server) -> None:
    ours, other = certificates.make_authority("Ours"), certificates.make_authority("Other")
    chain = certificates.make_certificate(ours, ["rest.example.org"]).chain
    url = "rest:https://alice:***@rest.example.org:8000/alice/"
    comes("fine", url, ours.chain)
    comes("both", url, other.chain + ours.chain)
    comes("other", url, other.chain)
    comes("silent", url)
    comes("by-system", url, "")
    comes("plain", "rest:http://rest.example.org:8000/plain/", ours.chain)

    clients = clients_of(server, chain, system=other.chain)

    assert {client.job.host.name for client in clients.fine} == {"fine", "both"}
    assert {client.job.host.name for client in clients.unknown} == {"silent"}
    assert {client.job.host.name: client.reason for client in clients.broken} == {
        "other": "it does not trust Ours",
        "by-system": "it does not trust Ours",
        "plain": "it comes with plain http://, and would have to come with https://",
    }


def test_a_name_that_only_one_host_uses_counts_as_well(server: Server) -> None:
    comes("inside", "rest:https://10.0.0.7:8000/x/", repository=make_repository(server))
    comes("elsewhere", "rest:https://rest.example.org:9000/x/")
    comes("cloud", "s3:s3.example.com/x")

    assert [job.host.name for job in jobs_of(server)] == ["inside"]
    assert names_of(server) == ("rest.example.org", "10.0.0.7")


def test_what_a_host_reports_cannot_stop_a_certificate(server: Server) -> None:
    comes("hostile", "rest:https://*.evil.example:8000/x/", repository=make_repository(server))
    comes("odd", "rest:https://other.example.org:8000/x/", repository=make_repository(server))

    assert published_names(server) == ("rest.example.org",)
    assert names_of(server) == ("rest.example.org", "other.example.org")
    pair = certificates.make_certificate(certificates.make_authority("CA"), ["rest.example.org"])
    added = add_certificate(server, [(pair.chain + pair.key + pair.root).encode()], by="test")
    assert "other.example.org" in clients_of(server, added.chain).broken[1].reason


def test_without_tls_those_who_come_with_https_would_fail(server: Server) -> None:
    comes("modern", "rest:https://rest.example.org:8000/x/")
    comes("old", "rest:http://rest.example.org:8000/x/")

    clients = clients_of(server, "")

    assert [client.job.host.name for client in clients.broken] == ["modern"]
    assert [client.job.host.name for client in clients.fine] == ["old"]


@pytest.mark.parametrize("url", ["rest:https://[::1", "rest:https://h:99999/x/", "rest:", ""])
def test_an_address_that_is_none_harms_nobody(server: Server, url: str) -> None:
    comes("odd", url, "")

    assert clients_of(server, "").all == ()


def test_many_jobs_cost_no_query_each(
    server: Server, django_assert_max_num_queries: object
) -> None:
    for number in range(20):
        comes(f"host-{number}", "rest:https://rest.example.org:8000/x/", "")

    with django_assert_max_num_queries(2):  # type: ignore[operator]
        assert len(clients_of(server, "").all) == 20


def test_a_name_that_nobody_told_us_may_lead_to_a_server_for_everybody() -> None:
    server = make_server(address="0.0.0.0", port=8000)
    comes("by-name", "rest:https://NAS.example.org:8000/x/")

    assert [job.host.name for job in jobs_of(server)] == ["by-name"]
    assert names_of(server) == ("127.0.0.1", "nas.example.org")


@pytest.mark.parametrize("host", ["*.example.org", "a_b!", "x" * 64, "7.7", "[fe80::1%25eth0]"])
def test_no_host_can_spoil_the_next_certificate_by_what_it_calls_the_server(
    server: Server, host: str
) -> None:
    comes("hostile", f"rest:https://{host}:8000/x/", repository=make_repository(server))

    assert names_of(server) == ("rest.example.org",)
    certificates.make_certificate(certificates.make_authority("Ours"), names_of(server))


def test_who_uses_another_name_refuses_whatever_it_trusts(server: Server) -> None:
    ours = certificates.make_authority("Ours")
    chain = certificates.make_certificate(ours, ["rest.example.org"]).chain
    comes("silent", "rest:https://localhost:8000/x/")

    (client,) = clients_of(server, chain).broken

    assert "localhost" in client.reason
    assert not client.is_known


def test_without_a_system_store_nothing_is_said_of_who_trusts_it(server: Server) -> None:
    ours = certificates.make_authority("Ours")
    comes("by-system", "rest:https://rest.example.org:8000/x/", "")

    clients = clients_of(server, certificates.make_certificate(ours, ["rest.example.org"]).chain)

    assert [client.job.host.name for client in clients.unknown] == ["by-system"]


def test_a_thousand_jobs_of_one_kind_are_judged_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, asked = certificates.make_authority("Ours"), []
    host = make_host()
    for _ in range(50):
        url = "rest:https://rest.example.org:8000/x/"
        make_job(host, repository_url=url, trusted=ours.chain, is_trust_known=True)
    monkeypatch.setattr(certificates, "refusal", lambda *question: asked.append(question) or "")

    clients = clients_of(server, certificates.make_certificate(ours, ["rest.example.org"]).chain)

    assert (len(clients.fine), len(asked)) == (50, 1)
