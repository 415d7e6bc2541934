"""Which hosts trust what: named before a certificate locks them out."""

import pytest

from backups.engines import certificates
from backups.models import Server
from backups.queries.trust import clients_of, jobs_of, names_of
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
