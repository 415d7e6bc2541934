"""A plain unit of a real host, hardened by the lines of the page, and proven by its next run."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from tests.e2e.conftest import Place
from tests.rig.hosts import Host
from tests.rig.house import House
from tests.rig.keyboard import Keyboard

UNIT = """\
[Unit]
Description=restic backup

[Service]
Type=oneshot
Environment=RESTIC_REPOSITORY_FILE=/etc/restic/repository RESTIC_PASSWORD_FILE=/etc/restic/password
ExecStart=/usr/bin/restic backup --json /root/letters /srv/book
"""
TIMER = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"
NAME = "restic-backup.service"


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return browser_context_args | {"color_scheme": "dark"}


@pytest.fixture
def host(systemd_hosts: Callable[[str], Host]) -> Iterator[Host]:
    """A machine of its own, whose journal tells of nothing but this walk."""
    systemd_hosts("bookworm")
    host = Host("bookworm", "web-01")
    host.wait_until_booted()
    yield host
    host.stop()


def test_lines_are_chosen_installed_and_proven_by_the_next_run(
    place: Place, host: Host, tmp_path: Path
) -> None:
    page, house = place.page, place.house
    prepare(host, repository_of(house, place.port))
    host.run(enrolling(page, house))
    see_the_fleet(page, house)

    keys = choose_with_the_keyboard(page)
    install_what_the_page_shows(page, host, tmp_path)
    assert keys.page.evaluate("window.isTheSamePage") is True

    tell(host)
    see_that_the_next_run_decides(page, house)
    host.run(f"systemctl start {NAME}")
    see_it_verified(page, house)

    lose_files_for_a_better_score(page, host)
    see_the_alarm(page, house)


def repository_of(house: House, port: int) -> str:
    added = json.loads(house.manage("users", "add", "web-01", "--json").stdout)
    return f"rest:http://web-01:{added['password']}@127.0.0.1:{port}/web-01/"


def prepare(host: Host, repository: str) -> None:
    """What an operator has: files, a unit as the manual shows it, and a first backup."""
    host.write("/etc/restic/repository", repository, 0o600)
    host.write("/etc/restic/password", "known to the host alone", 0o600)
    for number in range(30):
        host.write(f"/root/letters/{number}", f"Dear reader {number}", 0o600)
    host.write("/srv/book", "double entry", 0o600)
    host.write(f"/etc/systemd/system/{NAME}", UNIT)
    host.write("/etc/systemd/system/restic-backup.timer", TIMER)
    files = "--repository-file /etc/restic/repository --password-file /etc/restic/password"
    host.run(f"restic {files} init && systemctl daemon-reload")
    host.run("systemctl enable --now restic-backup.timer")
    host.run(f"systemctl start {NAME}")


def enrolling(page: Page, house: House) -> str:
    """The one command that the page of a new host shows."""
    page.goto(f"{house.url}/hosts/new/")
    page.get_by_label("Name", exact=True).fill("web-01")
    page.get_by_role("button", name="Add host").click()
    command = page.locator("code", has_text="resthouse-agent enrol").first
    expect(command).to_be_visible()
    return command.inner_text().strip()


def see_the_fleet(page: Page, house: House) -> None:
    try:
        page.goto(f"{house.url}/hardening/")
    except Error:
        # The page of the command goes on by itself once its host has come, and crossed ours.
        page.goto(f"{house.url}/hardening/")
    row = page.get_by_role("row", name=re.compile(rf"web-01.*{re.escape(NAME)}"))
    expect(row).to_contain_text("9.6")
    # The agent's own unit stands among them.
    expect(page.get_by_role("row", name=re.compile("resthouse-agent"))).to_have_count(1)
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("stands wide open")
    expect(page.locator("#figure")).to_have_text(re.compile(r"9\.6\s*→\s*1\.[78]"))


def choose_with_the_keyboard(page: Page) -> Keyboard:
    """The score follows each line, without loading the page again."""
    page.evaluate("window.isTheSamePage = true")
    keys = Keyboard(page)
    line = "SystemCallFilter=@system-service, SystemCallFilter=~@privileged @resources"
    keys.go_to(f"{line}, SystemCallErrorNumber=EPERM")
    page.keyboard.press("Space")
    expect(page.locator("#figure")).to_have_text(re.compile(r"→\s*3\."))
    expect(page.locator("#dropin")).not_to_contain_text("SystemCallFilter")
    # Who does not see it hears it.
    expect(page.get_by_role("status").last).to_contain_text(re.compile(r"9\.6 to 3\."))
    # The part came anew, and the focus is where it was.
    page.keyboard.press("Space")
    expect(page.locator("#figure")).to_have_text(re.compile(r"→\s*1\.[78]"))
    expect(page.locator("#dropin")).to_contain_text("SystemCallFilter=@system-service")
    address = page.get_by_label("Addresses that the backup may reach")
    address.fill("rest.example.org")
    address.press("Tab")
    expect(page.get_by_role("alert")).to_contain_text("takes numbers, not names")
    address.fill("127.0.0.1")
    address.press("Tab")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#dropin")).to_contain_text("IPAddressAllow=localhost")
    return keys


def install_what_the_page_shows(page: Page, host: Host, folder: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(folder / "dropin")
    assert (folder / "dropin").read_text() == page.locator("#dropin").text_content()
    assert download.value.suggested_filename == "50-hardening.conf"
    page.get_by_text("How to install, verify and undo").click()
    host.run(page.get_by_label("Commands to install").inner_text())


def tell(host: Host) -> None:
    """As every five minutes."""
    host.run("systemctl start resthouse-agent.service")


def open_unit(page: Page, house: House) -> None:
    page.goto(f"{house.url}/hardening/web-01/{NAME}/")


def see_that_the_next_run_decides(page: Page, house: House) -> None:
    open_unit(page, house)
    expect(page.locator("#proof")).to_contain_text("The next run will show")
    expect(page.locator("#proof")).to_contain_text("9.6")


def reload_until(page: Page, house: House, words: str) -> None:
    """The hook reports as soon as the run ends, which is after systemctl says so."""
    for _ in range(30):
        open_unit(page, house)
        if words in page.locator("main").inner_text():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.locator("main").inner_text())


def see_it_verified(page: Page, house: House) -> None:
    reload_until(page, house, "The backup still holds everything")
    proof = page.locator("#proof")
    expect(proof).to_contain_text("Verified")
    expect(proof.get_by_role("row", name="Files")).to_have_text(re.compile(r"Files\s*31\s*31"))
    expect(page.locator("#figure")).to_have_text(re.compile(r"1\.[78]\s*→\s*1\.[78]"))
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 720})


def lose_files_for_a_better_score(page: Page, host: Host) -> None:
    """The page warns, and who does it all the same is told what it did."""
    page.get_by_label("ProtectHome=yes").check()
    expect(page.locator("#choice")).to_contain_text("Loses /home and /root, with exit 0")
    expect(page.locator("#dropin")).to_contain_text("ProtectHome=yes")
    page.get_by_text("How to install, verify and undo").click()
    host.run(page.get_by_label("Commands to install").inner_text())
    # restic of its own accord names a folder that is not there; one that is empty it does not.
    host.run("sed -i 's:/root/letters:/root:' /etc/systemd/system/restic-backup.service")
    host.run("systemctl daemon-reload")
    tell(host)
    host.run(f"systemctl start {NAME}")


def see_the_alarm(page: Page, house: House) -> None:
    reload_until(page, house, "lost files")
    expect(page.get_by_role("alert").first).to_contain_text("Take back first: ProtectHome=yes")
    page.goto(house.url)
    expect(page.get_by_text("The score got better, but the backup holds less")).to_be_visible()
