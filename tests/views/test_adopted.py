"""Adopting, putting back and windows, as an operator sees them."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import docker
import pytest
from django.test import Client
from django.utils import timezone

from backups.models import Event, Operation, Sample, Server
from tests.factories import make_server
from tests.rig.containers import PREFIX
from tests.views.reading import text_of

DRIFT = [{"name": "Memory limit", "wanted": "none", "found": "64 MiB"}]


@pytest.fixture
def stranger(
    server_image: str,
    docker_client: docker.DockerClient,
    container_name: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> str:
    """A container that somebody made by hand."""
    port = free_port()
    name = container_name(f"{PREFIX}{port}")
    words = ["--publish", f"127.0.0.1:{port}:8000", "--volume", f"{tmp_path}:/data"]
    line = ["docker", "run", "--detach", "--name", name, *words, server_image]
    subprocess.run(line, check=True, capture_output=True)
    return name


def test_a_container_is_found_looked_at_and_adopted(client: Client, stranger: str) -> None:
    assert stranger in text_of(client.get("/servers/adopted/"))

    looked = text_of(client.get(f"/servers/adopted/?container={stranger}"))
    assert "Every user reaches, and may delete, the repositories of all others." in looked
    assert not Server.objects.exists()

    page = client.post(
        f"/servers/adopted/?container={stranger}", {"public_name": "rest.example.org"}, follow=True
    )
    assert "is adopted. Nothing of its container was changed." in text_of(page)
    server = Server.objects.get()
    assert (server.name, server.public_name, server.is_adopted) == (
        stranger,
        "rest.example.org",
        True,
    )
    assert stranger not in text_of(client.get("/servers/adopted/")).replace("house", "")
    again = client.post(f"/servers/adopted/?container={stranger}", {"public_name": ""})
    assert again.status_code == 422
    assert "already exists" in text_of(again)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("container=nobody-of-this-name", "There is no container called nobody-of-this-name."),
        ("engine=unix:///nonexistent.sock", "There is no container engine at"),
        ("engine=gopher://x", "Write it as unix:///PATH"),
        ("engine=tcp://[::1", "Write it as unix:///PATH"),
        ("engine=ssh://a:notaport", "Write it as unix:///PATH"),
        ("engine=tcp://x:99999999", "Write it as unix:///PATH"),
        ("engine=1.2.3.4:5:6", "Write it as unix:///PATH"),
        ("container=//", "There is no container called //."),
        (f"container={'x' * 300}", "Adopt a container as it runs"),
    ],
)
def test_what_cannot_be_looked_at_says_why(
    client: Client, docker_client: docker.DockerClient, query: str, sentence: str
) -> None:
    page = client.get(f"/servers/adopted/?{query}")

    assert page.status_code in {200, 422}
    assert sentence in text_of(page)


def test_a_change_by_hand_leads_the_page_and_is_decided_there(client: Client) -> None:
    server = make_server(drift=DRIFT, drift_since=timezone.now())

    page = text_of(client.get(f"/servers/{server}/"))

    assert "1 change that Resthouse did not make" in page
    assert "64 MiB" in page
    assert "changed by hand" in text_of(client.get("/servers/"))
    assert "1 need you" in text_of(client.get("/"))
    client.post(f"/servers/{server}/returned/")
    assert Operation.objects.get().kind == Operation.Kind.RETURN_SERVER
    # While it is worked on nobody is asked to decide.
    assert "1 change that" not in text_of(client.get(f"/servers/{server}/"))


def test_nothing_to_decide_is_said(client: Client) -> None:
    server = make_server(image="x:1")

    said = {"returned": "there is nothing to put back", "adopted": "has no container"}
    for what, sentence in said.items():
        page = client.post(f"/servers/{server}/{what}/", follow=True)
        assert sentence in text_of(page)
    assert not Operation.objects.exists()
    assert not Event.objects.filter(verb="adopted").exists()


def test_a_window_is_asked_for_shown_and_closed(client: Client) -> None:
    server = make_server()
    assert "Open the window" in text_of(client.get(f"/servers/{server}/window/"))
    client.post(f"/servers/{server}/window/", {"minutes": "60"})
    window = server.windows.get()
    assert window.is_loopback
    assert Operation.objects.get().server == window

    Operation.objects.all().delete()
    Server.objects.filter(pk=window.pk).update(status=Server.Status.LIVE)
    page = text_of(client.get(f"/servers/{server}/"))
    assert "forget --keep-within 1y --prune" in page
    assert window.name not in text_of(client.get("/servers/"))
    before = window.closes
    client.post(f"/servers/{server}/window/longer/")
    window.refresh_from_db()
    assert before is not None
    assert window.closes == before + timedelta(minutes=30)
    client.post(f"/servers/{server}/window/closed/")
    assert Operation.objects.get().kind == Operation.Kind.REMOVE_SERVER


def test_a_window_of_no_time_is_refused(client: Client) -> None:
    server = make_server()

    page = client.post(f"/servers/{server}/window/", {"minutes": "9999"})

    assert "Select a valid choice" in text_of(page)
    assert not server.windows.exists()


def test_data_is_deleted_for_the_name_alone(client: Client, tmp_path: Path) -> None:
    server = make_server(status=Server.Status.REMOVED, data_directory=str(tmp_path))
    assert "Delete its data" in text_of(client.get(f"/servers/{server}/"))

    refused = client.post(f"/servers/{server}/data/", {"typed": "yes"})
    assert (refused.status_code, Operation.objects.count()) == (422, 0)
    assert "letter by letter" in text_of(refused)

    client.post(f"/servers/{server}/data/", {"typed": server.name})
    assert Operation.objects.get().kind == Operation.Kind.ERASE_SERVER


def test_data_of_a_server_that_runs_is_not_deleted(client: Client) -> None:
    server = make_server()

    client.post(f"/servers/{server}/data/", {"typed": server.name})

    assert not Operation.objects.exists()


def test_what_the_container_uses_is_drawn(client: Client) -> None:
    server = make_server(seen={"state": "running", "health": "healthy", "restarts": 2})
    now = timezone.now()
    for minutes in (3, 2, 1):
        Sample.objects.create(
            server=server,
            at=now - timedelta(minutes=minutes),
            cpu=12.4,
            memory=40_000_000,
            received=1_000_000,
            sent=500_000,
            read=0,
            written=0,
            uploads=3,
        )

    page = text_of(client.get(f"/servers/{server}/"))

    assert "12 % of one" in page
    assert "40 MB" in page
    assert "1.5 MB/s" in page
    assert "started again 2 times by the engine" in page
