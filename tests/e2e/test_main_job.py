"""The main job, walked once in a browser: from the set-up link to a backup that two witnesses saw.

Nothing is faked: a container of rest-server, restic and systemd on a booted host, Chromium.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound
from playwright.sync_api import Locator, Page, expect

from tests.rig.hosts import Host
from tests.rig.house import House

SERVER = "resthouse-test-main"
PASSWORD = "a long enough sentence"
REPOSITORY_PASSWORD = "known-to-the-host-alone"
UNIT = """\
[Unit]
Description=restic backup

[Service]
Type=oneshot
Environment=HOME=/root
EnvironmentFile=/etc/restic/environment
ExecStart=/usr/bin/restic backup --json /root /srv
NoNewPrivileges=yes
"""
TIMER = """\
[Timer]
OnCalendar=daily

[Install]
WantedBy=timers.target
"""


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int], server_image: str) -> Iterator[House]:
    running = House(tmp_path / "house", free_port(), {"RESTHOUSE_SERVER_IMAGE": server_image})
    running.start()
    yield running
    running.stop()


@pytest.fixture
def web_01(systemd_hosts: Callable[[str], Host]) -> Iterator[Host]:
    """A machine of its own: what is found in its journal must be what happened here."""
    systemd_hosts("bookworm")
    host = Host("bookworm", "web-01")
    host.wait_until_booted()
    yield host
    host.stop()


@pytest.fixture
def no_container_left(docker_client: docker.DockerClient) -> Iterator[None]:
    yield
    try:
        docker_client.containers.get(SERVER).remove(force=True)
    except NotFound:
        return


@pytest.mark.usefixtures("no_container_left")
def test_from_the_set_up_link_to_a_backup_with_two_witnesses(
    page: Page,
    house: House,
    web_01: Host,
    tmp_path: Path,
    free_port: Callable[[], int],
) -> None:
    set_up(page, house)
    create_server(page, f"127.0.0.1:{free_port()}", tmp_path / "data")
    lines = add_user(page, "web-01")
    prepare_backup(web_01, lines)
    command = add_host(page, "web-01")
    watch_the_overview(page, house)

    web_01.run(command)

    see_the_host(page)

    web_01.run("systemctl start restic-backup || (journalctl -u restic-backup; exit 1)")

    see_the_backup_and_its_score(page)
    see_both_witnesses(page, house)
    secrets = [REPOSITORY_PASSWORD, re.search(r"rest:http://web-01:([^@]+)@", lines[0])[1]]
    assert [file for file in house.data.rglob("*") if holds_any(file, secrets)] == []


def set_up(page: Page, house: House) -> None:
    """The link makes the first operator and signs it in; then it is spent."""
    page.goto(house.setup_link)
    page.get_by_label("Name", exact=True).fill("ines")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Open the house").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody can back up yet")
    expect(page.get_by_text("answers")).to_be_visible()
    page.goto(house.setup_link)
    expect(page.get_by_role("button", name="Open the house")).to_have_count(0)
    page.goto(house.url)


def create_server(page: Page, bind: str, data: Path) -> None:
    page.get_by_role("link", name="Create server").click()
    page.get_by_label("Name", exact=True).fill(SERVER)
    page.get_by_label("Address and port").fill(bind)
    page.get_by_label("Data directory").fill(str(data))
    page.get_by_role("button", name="Create server").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("is live", timeout=60_000)


def add_user(page: Page, name: str) -> list[str]:
    """The lines for Debian 12's restic, as the page shows them once."""
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Add user").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} can back up now")
    return texts_of(page.locator("section", has_text="Older restic").last.locator("code"))


def prepare_backup(host: Host, lines: list[str]) -> None:
    """Paste the lines of the page; they work at once. Then let a timer do it every night."""
    repository = re.search(r"rest:[^\s']+", lines[0])
    assert repository
    variables = [f"RESTIC_REPOSITORY={repository[0]}", f"RESTIC_PASSWORD={REPOSITORY_PASSWORD}"]
    host.write("/etc/restic/environment", "\n".join(variables), 0o600)
    host.write("/srv/book.txt", "double entry", 0o600)
    host.run("\n".join(["set -e", f"export RESTIC_PASSWORD={REPOSITORY_PASSWORD}", *lines]))
    host.write("/etc/systemd/system/restic-backup.service", UNIT, 0o644)
    host.write("/etc/systemd/system/restic-backup.timer", TIMER, 0o644)
    host.run("systemctl daemon-reload && systemctl enable --now restic-backup.timer")


def add_host(page: Page, name: str) -> str:
    """The one command that the page shows."""
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Add host").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add host").click()
    command = page.locator("code", has_text="resthouse-agent enrol").first
    expect(command).to_be_visible()
    return command.inner_text().strip()


def watch_the_overview(page: Page, house: House) -> None:
    """From here on the page must not be loaded again."""
    page.goto(house.url)
    page.evaluate("window.isTheSamePage = true")


def see_the_host(page: Page) -> None:
    expect(row_of_the_job(page)).to_contain_text("No backup yet", timeout=60_000)


def see_the_backup_and_its_score(page: Page) -> None:
    expect(row_of_the_job(page)).to_contain_text("Arrived", timeout=60_000)
    unit = page.get_by_role("row", name=re.compile(r"web-01.*restic-backup\.service"))
    expect(unit).to_contain_text(re.compile(r"9\.[0-9]"))
    assert page.evaluate("window.isTheSamePage") is True


def row_of_the_job(page: Page) -> Locator:
    return page.get_by_role("row", name=re.compile(r"web-01\s*restic-backup(?!\.service)"))


def see_both_witnesses(page: Page, house: House) -> None:
    page.goto(f"{house.url}/runs/")
    expect(page.get_by_role("row", name=re.compile("web-01"))).to_contain_text("Agreed")


def holds_any(file: Path, secrets: list[str]) -> bool:
    """Whether the house kept what it must not know, be it in its database or in its log."""
    return file.is_file() and any(secret.encode() in file.read_bytes() for secret in secrets)


def texts_of(codes: Locator) -> list[str]:
    return [text.strip() for text in codes.all_inner_texts()]
