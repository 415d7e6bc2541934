"""The page of repositories: what the disks hold, and whose it is."""

from collections.abc import Callable

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.models import Repository
from tests.factories import make_repository, make_server, make_user
from tests.views.reading import text_of


def test_index_adds_up_what_is_there(client: Client) -> None:
    make_repository(bytes=1_500_000_000, snapshot_count=3)
    make_repository(bytes=500_000_000)
    make_repository(bytes=10**15, is_gone=True)

    assert "2 repositories hold 2\xa0GB" in client.get("/repositories/").content.decode()


def test_index_leads_on_where_nothing_has_arrived(client: Client) -> None:
    assert 'href="/servers/new/"' in client.get("/repositories/").content.decode()
    make_server(scanned=timezone.now())

    response = client.get("/repositories/")

    assert "Nothing has arrived yet" in text_of(response)
    assert 'href="/users/new/"' in response.content.decode()


def test_index_names_the_disks_that_cannot_be_seen(client: Client) -> None:
    make_server(name="house-far")

    assert "the folder of house-far is not visible to Resthouse" in text_of(
        client.get("/repositories/")
    )


def test_index_finds_what_nobody_reaches(client: Client) -> None:
    server = make_server()
    make_user(server, name="alice")
    make_repository(server, path="alice", user_name="alice", snapshot_count=2)
    make_repository(server, path="ghost", user_name="ghost", snapshot_count=2)
    shared = make_server(has_private_repositories=False)
    make_repository(shared, path="all", user_name="all", snapshot_count=2)

    response = client.get("/repositories/?sort=path")

    assert text_of(response).count("No user reaches it") == 1
    assert [has_user for _, has_user in response.context["rows"]] == [True, False, False]
    assert f"/users/{server}/alice/" in response.content.decode()


def test_index_filters_and_sorts_by_its_address(client: Client) -> None:
    near, far = make_server(name="near"), make_server(name="far")
    make_repository(near, path="db-03/pg", bytes=5, snapshot_count=9, last_arrived=timezone.now())
    make_repository(near, path="web", bytes=7, snapshot_count=1)
    make_repository(far, path="db-04", bytes=6, snapshot_count=2)

    def paths(query: str) -> list[str]:
        page = client.get(f"/repositories/?{query}").context["page"]
        return [repository.path for repository in page]

    assert sorted(paths("q=DB")) == ["db-03/pg", "db-04"]
    assert paths("server=far") == ["db-04"]
    assert paths("sort=-size") == ["web", "db-04", "db-03/pg"]
    assert paths("sort=-snapshots") == ["db-03/pg", "db-04", "web"]
    assert paths("sort=-arrived")[0] == "db-03/pg"
    assert paths("q=zzz") == []
    assert len(paths("server=nobody&sort=nonsense&page=x")) == 3


def test_index_asks_as_much_for_one_as_for_three(queries_of: Callable[[str], int]) -> None:
    server = make_repository().server
    one = queries_of("/repositories/?sort=size")

    make_repository(server)
    make_repository(server)

    assert queries_of("/repositories/?sort=size") == one


def test_index_escapes_paths(client: Client) -> None:
    make_repository(path="alice/<script>alert(1)</script>")

    assert "<script>alert" not in client.get("/repositories/").content.decode()


def test_index_is_for_operators_to_read(
    client: Client, stranger: Client, htmx: Callable[..., HttpResponse]
) -> None:
    make_repository()

    page = htmx("/repositories/", "repositories")

    assert page.template_name == "repositories/index.html#repositories"
    assert stranger.get("/repositories/")["Location"] == "/account/login/?next=/repositories/"
    assert "HX-Redirect" in stranger.get("/repositories/", headers={"HX-Request": "true"})
    assert client.post("/repositories/").status_code == 405
    assert Repository.objects.count() == 1
