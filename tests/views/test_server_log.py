"""The page of a server's log: live, searched, explained, and what it says when there is none."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from django.http import HttpResponse
from django.test import Client

from backups import engines
from backups.engines import restserver
from backups.engines.container_state import Container
from backups.engines.containers import Containers, RecentLog
from backups.models import Server
from tests.factories import make_server
from tests.rig.containers import PREFIX, removed_at_the_end
from tests.rig.servers import make_data_directory, owner_of, start_container
from tests.rig.waiting import wait_until
from tests.views.pages import html_of
from tests.views.reading import text_of

Htmx = Callable[..., HttpResponse]
AT = "2026-11-28T05:00:0"


@pytest.fixture
def logged(
    db: None,
    docker_client: docker.DockerClient,
    server_image: str,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> Iterator[Server]:
    """A server whose container really runs, with its access log on."""
    port, directory = free_port(), make_data_directory(tmp_path)
    name = f"{PREFIX}{port}"
    fields: dict[str, Any] = {"image": server_image, "port": port, **owner_of(directory)}
    with removed_at_the_end(docker_client) as note:
        note(name)
        server = make_server(
            name=name, data_directory=str(directory), has_access_log=True, **fields
        )
        start_container(server)
        yield server


@pytest.fixture
def wrote(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    """A server that wrote these lines, and whose container is in this state."""

    def make(*lines: str, is_cut: bool = False, **state: Any) -> Server:
        inspected = {
            "Id": "abc",
            "Name": "/house-main",
            "State": {"Status": "running", **state},
            "Config": {},
            "RestartCount": state.pop("restarts", 0),
        }
        stamped = tuple(f"{AT}{number % 10}.5Z {line}" for number, line in enumerate(lines))
        recent = RecentLog(Container.from_inspection(inspected), stamped, is_cut)
        monkeypatch.setattr(Containers, "recent_log", lambda *_, **__: recent)
        return make_server(name="house-main")

    return make


def lines_of(response: HttpResponse) -> str:
    """The words of the log itself."""
    html = html_of(response)
    begin, end = html.find('<ol class="log"'), html.find("</ol>", html.find('<ol class="log"'))
    return text_of(HttpResponse(html[begin:end]))


def state_of(response: HttpResponse) -> str:
    return html_of(response).partition("seen=")[2][:16]


def test_a_refused_sign_in_shows_within_seconds_and_our_probes_do_not(
    client: Client, htmx: Htmx, logged: Server
) -> None:
    page = f"/servers/{logged.name}/log/"
    first = client.get(page)
    assert "start server on" in lines_of(first)

    assert engines.probe(logged).is_live
    time.sleep(0.3)
    assert htmx(f"{page}?seen={state_of(first)}", "lines").status_code == 204
    assert not restserver.is_let_in(logged.probe_url, "mallory", "guess")

    def followed() -> HttpResponse:
        return htmx(f"{page}?seen={state_of(first)}", "lines")

    wait_until(lambda: followed().status_code == 200, 4)
    part = followed()
    assert part.template_name == "servers/log.html#lines"
    assert "HEAD 401 /mallory/config" in lines_of(part)
    assert "Refused: no password, a wrong one" in lines_of(part)
    # Whoever made the container looked once whether it is live.
    assert lines_of(part).count("GET 401 / ") == lines_of(first).count("GET 401 / ") == 1
    shown = client.get(page, {"probes": "shown"})
    assert lines_of(shown).count("GET 401 / ") == 2
    assert "Our own probe" in lines_of(shown)
    assert "HEAD 401 /mallory/config" in lines_of(shown)


def test_the_log_is_searched_by_word_and_by_level(
    client: Client, wrote: Callable[..., Server]
) -> None:
    wrote(
        "Reloaded htpasswd file",
        "Invalid htpasswd entry for alice.",
        "Invalid htpasswd entry for bob.",
        "ERROR: open /data/alice/config: permission denied",
    )

    def found(**query: str) -> list[str]:
        words = lines_of(client.get("/servers/house-main/log/", query))
        known = ("Reloaded htpasswd", "entry for alice", "entry for bob", "ERROR: open")
        return [text for text in known if text in words]

    assert len(found()) == 4
    assert found(q="ALICE") == ["entry for alice", "ERROR: open"]
    assert found(q="alice refused") == ["entry for alice"]
    assert found(level="warning") == ["entry for alice", "entry for bob", "ERROR: open"]
    assert found(level="error", q="alice") == ["ERROR: open"]
    assert found(level="nonsense") == found()
    nothing = client.get("/servers/house-main/log/", {"q": "carl"})
    assert "No line fits" in text_of(nothing)
    assert 'href="/servers/house-main/log/"' in html_of(nothing)
    assert "1 error in the log of house-main" in text_of(nothing)


def test_the_headline_is_the_gravest_line_and_what_helps(
    client: Client, wrote: Callable[..., Server]
) -> None:
    wrote(
        "ERROR: open /data/alice/config: permission denied",
        '10.0.0.9 - - [28/Nov/2026:05:00:00 +0000] "GET /alice/config HTTP/1.1" 500 22 "" "r"',
        "Invalid htpasswd entry for alice.",
    )

    words = text_of(client.get("/servers/house-main/log/"))

    assert "2 errors in the log of house-main" in words
    assert (
        "/data/alice/config does not belong to the user of the container"
        in words.partition("3 lines, newest first")[0]
    )
    wrote_order = lines_of(client.get("/servers/house-main/log/"))
    assert wrote_order.index("Invalid htpasswd") < wrote_order.index("ERROR: open")


def test_a_calm_log_says_so(client: Client, wrote: Callable[..., Server]) -> None:
    wrote("start server on [::]:8000")

    words = text_of(client.get("/servers/house-main/log/"))

    assert "The log of house-main is calm" in words
    assert "only with the access log on, see Options" in words


def test_an_empty_log_says_what_would_be_written(
    client: Client, wrote: Callable[..., Server]
) -> None:
    wrote()

    page = client.get("/servers/house-main/log/")

    assert "Nothing yet" in text_of(page)
    assert "when its users change" in text_of(page)
    assert 'href="/servers/house-main/options/"' in html_of(page)


def test_a_container_that_ends_again_and_again_says_why_first(
    client: Client, wrote: Callable[..., Server]
) -> None:
    flag = "2026/11/28 05:34:08 error: unknown flag: --nonsense"
    wrote(flag, flag, Status="restarting", ExitCode=1, restarts=6)

    words = text_of(client.get("/servers/house-main/log/"))

    assert "house-main ends again and again with status 1" in words
    before = words.partition("newest first")[0]
    assert "error: unknown flag: --nonsense" in before
    assert "this release of rest-server has no --nonsense" in before


def test_what_ended_without_a_word_says_how(client: Client, wrote: Callable[..., Server]) -> None:
    lines = ["ERROR: mkdir /data/x: permission denied", "Data directory: /data", "start server"]
    wrote(*lines, Status="exited", ExitCode=137)

    words = text_of(client.get("/servers/house-main/log/"))

    assert "house-main ended with status 137" in words
    assert "It was killed before it had finished." in words


def test_what_was_stopped_is_no_failure(client: Client, wrote: Callable[..., Server]) -> None:
    wrote("start server on [::]:8000", "shutdown cleanly", Status="exited", ExitCode=0)

    words = text_of(client.get("/servers/house-main/log/"))

    assert "The log of house-main is calm" in words
    assert "It was told to stop" in words


def test_a_server_without_a_container_or_engine_says_so_and_asks_less_often(
    client: Client, db: None, docker_client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_server(name="resthouse-test-nobody")
    page = "/servers/resthouse-test-nobody/log/"

    gone = client.get(page)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    unknown = client.get(page)

    assert "resthouse-test-nobody has no container, and so no log" in text_of(gone)
    assert "cannot be read now" in text_of(unknown)
    assert "There is no container engine at unix:///nonexistent/docker.sock" in text_of(unknown)
    assert 'hx-trigger="every 10s"' in html_of(unknown)
    assert client.get("/servers/nobody/log/").status_code == 404
    assert client.get("/servers/nobody/log.txt").status_code == 404


def test_a_paused_log_stands_still_and_keeps_what_is_searched(
    client: Client, wrote: Callable[..., Server]
) -> None:
    wrote("Reloaded htpasswd file")

    live = html_of(client.get("/servers/house-main/log/?q=users"))
    paused = html_of(client.get("/servers/house-main/log/?q=users&pause=1"))

    assert 'hx-trigger="every 2s"' in live
    assert 'href="/servers/house-main/log/?q=users&amp;pause=1"' in live
    assert "every 2s" not in paused
    assert 'href="/servers/house-main/log/?q=users"' in paused


def test_the_log_is_taken_along_with_times_and_without_secrets(
    client: Client, wrote: Callable[..., Server]
) -> None:
    wrote(
        "opened http://u:geheim@host/",
        '127.0.0.1 - - [28/Nov/2026:05:00:00 +0000] "GET / HTTP/1.0" 401 13 "" ""',
        "Reloaded htpasswd file",
    )

    file = client.get("/servers/house-main/log.txt")

    assert file["Content-Type"] == "text/plain; charset=utf-8"
    assert file["Content-Disposition"].startswith('attachment; filename="house-main-')
    assert file.content.decode() == (
        "2026-11-28T05:00:00.500+00:00 opened http://u:***@host/\n"
        "2026-11-28T05:00:02.500+00:00 Reloaded htpasswd file\n"
    )
    probes = client.get("/servers/house-main/log.txt?probes=shown&q=401")
    assert probes.content.decode().count("\n") == 1
    assert client.get("/servers/house-main/log.txt?q=nowhere").content == b"No line.\n"


def test_a_log_that_cannot_be_read_cannot_be_taken_along(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_server(name="house-main")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")

    file = client.get("/servers/house-main/log.txt")

    assert file.status_code == 503
    assert file.content.startswith(b"There is no container engine at")


def test_what_a_stranger_writes_into_the_log_stays_text(
    client: Client, wrote: Callable[..., Server]
) -> None:
    script = "<script>alert(1)</script>"
    wrote(
        f"Invalid htpasswd entry for {script}.",
        f'10.0.0.9 - - [28/Nov/2026:05:00:00 +0000] "GET /{script} HTTP/1.1" 401 13 "" "{script}"',
        f"panic: {script}",
        f"\t{script}",
    )

    html = html_of(client.get("/servers/house-main/log/", {"q": script}))

    assert script not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_long_log_shows_its_newest_lines_and_says_so(
    client: Client, wrote: Callable[..., Server]
) -> None:
    wrote(*(f"line {number}" for number in range(1000)), is_cut=True)

    page = client.get("/servers/house-main/log/")

    assert "200 of 1,000 are shown; the download has them all" in text_of(page)
    assert "the newest 5,000 lines at most" in text_of(page)
    assert "line 999" in lines_of(page)
    assert "line 799" not in lines_of(page)


def test_the_page_of_the_server_leads_to_its_log(client: Client, db: None) -> None:
    make_server(name="house-main")

    assert 'href="/servers/house-main/log/"' in html_of(client.get("/servers/house-main/"))
