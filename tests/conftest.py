"""Fixtures that stand for the real parts: engine, image, restic, systemd hosts, browser."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import pytest
from django.core.cache import caches
from docker.errors import DockerException
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.rig import hosts, images, missing
from tests.rig.containers import PREFIX, removed_at_the_end
from tests.rig.house import House
from tests.rig.ports import free_ports

# Several tests share this machine, so a page may take longer than its five seconds.
expect.set_options(timeout=20_000)

# Playwright's synchronous interface runs a loop in this thread, which Django takes for async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

# Under nohup it is ignored, by all that the tests start as well.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

CHROMIUM = Path("/usr/bin/chromium")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts whole machines and houses comes first: nobody shall wait for it in the end."""
    slow = {"house", "systemd_hosts", "bench", "podman"}
    items.sort(
        key=lambda item: (
            item.get_closest_marker("long") is None
            and slow.isdisjoint(getattr(item, "fixturenames", ()))
        )
    )


@pytest.fixture(autouse=True)
def nobody_has_reported() -> None:
    """What is counted in memory outlives the rows of a test."""
    caches["reports"].clear()


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """The container engine that answers here."""
    try:
        client = docker.from_env(timeout=30)
    except DockerException:
        missing("No container engine answers; as root on Debian `make test` starts one.")
    yield client
    client.close()


@pytest.fixture(scope="session")
def server_image(docker_client: docker.DockerClient) -> str:
    """The tag of the rest-server image, built from images/rest-server."""
    if not shutil.which("docker"):
        missing("The rest-server image is built by the command docker: apt-get install docker.io.")
    return images.server()


@pytest.fixture(scope="session")
def newer_image(server_image: str) -> str:
    """The same with the next release of rest-server."""
    return images.server(images.NEWER)


@pytest.fixture
def dying_image(docker_client: docker.DockerClient, server_image: str) -> Iterator[str]:
    """One that answers well, and ends after three seconds."""
    tag = f"{PREFIX}dying:{os.getpid()}"
    images.dying(tag)
    yield tag
    docker_client.images.remove(tag, force=True)


@pytest.fixture(scope="session")
def restic_binary() -> Path:
    """The real restic client."""
    found = shutil.which("restic")
    return Path(found) if found else missing("Install the restic client: apt-get install restic.")


@pytest.fixture(scope="session")
def systemd_hosts() -> Iterator[Callable[[str], hosts.Host]]:
    """Boot a real systemd host of a Debian release, once each: `systemd_hosts("trixie")`."""
    booted: dict[str, hosts.Host] = {}
    with ExitStack() as stack:

        def host_of(suite: str) -> hosts.Host:
            if obstacle := hosts.obstacle():
                missing(obstacle)
            if suite not in booted:
                host = hosts.Host(suite)
                stack.callback(host.stop)
                host.wait_until_booted()
                booted[suite] = host
            return booted[suite]

        yield host_of


@pytest.fixture(scope="session")
def systemd_host(systemd_hosts: Callable[[str], hosts.Host]) -> hosts.Host:
    """A booted Debian 12 host with restic; 127.0.0.1 is this machine's."""
    return systemd_hosts("bookworm")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """The next port of 127.0.0.1 that nobody listens on, never the same one twice."""
    ports = free_ports()
    return lambda: next(ports)


@pytest.fixture
def container_name(docker_client: docker.DockerClient) -> Iterator[Callable[[str], str]]:
    with removed_at_the_end(docker_client) as note:
        yield note


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[House]:
    """A house whose processes the test starts, and may kill."""
    house = House(tmp_path / "house", free_port())
    yield house
    house.stop()


@pytest.fixture
def rows(house: House) -> Callable[..., list[tuple[Any, ...]]]:
    """Look into the house's database, or write there, from outside of its processes."""

    def ask(query: str, *values: object) -> list[tuple[Any, ...]]:
        file = house.data / "resthouse.sqlite3"
        with closing(sqlite3.connect(file, timeout=20)) as database, database:
            return database.execute(query, values).fetchall()

    return ask


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Debian's Chromium, kept from looking for its maker's hosts."""
    if not CHROMIUM.exists():
        missing("The browser tests need Chromium: apt-get install chromium fonts-dejavu-core.")
    quiet = ["background-networking", "component-update", "quic"]
    return browser_type_launch_args | {
        "executable_path": str(CHROMIUM),
        "args": ["--no-first-run", *(f"--disable-{what}" for what in quiet)],
    }


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; a test that provokes a complaint takes it off the list."""
    return []


@pytest.fixture
def page(page: Page, complaints: list[str]) -> Iterator[Page]:
    """A page whose test fails on any error in the browser and on any request to another origin."""

    def on_console(message: ConsoleMessage) -> None:
        # A form that was refused is an answer, although Chromium logs its 422 as an error; and a
        # network that a container engine makes beside us is nobody's fault.
        harmless = ("status of 422", "ERR_NETWORK_CHANGED")
        if message.type == "error" and not any(text in message.text for text in harmless):
            complaints.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.hostname not in LOOPBACK:
            complaints.append(f"request to another origin: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on("request", on_request)
    yield page
    assert complaints == []
