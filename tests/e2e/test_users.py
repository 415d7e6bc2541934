"""The users of a real rest-server, walked with the keyboard alone in both colour schemes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from backups.engines.restserver import is_let_in
from tests.rig.containers import PREFIX
from tests.rig.house import House
from tests.rig.keyboard import Keyboard
from tests.rig.servers import make_data_directory

NAME = "web-01"
BCRYPT = "$2y$10$" + "a" * 53


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], scheme: str) -> dict[str, Any]:
    may = ["clipboard-read", "clipboard-write"]
    return browser_context_args | {"color_scheme": scheme, "permissions": may}


class Walk:
    """One person before the pages, and what the server behind them really says."""

    def __init__(self, page: Page, port: int, data: Path) -> None:
        self.page, self.keys = page, Keyboard(page)
        self.port, self.file = port, data / ".htpasswd"

    def lets_in(self, password: str) -> bool:
        return is_let_in(f"http://127.0.0.1:{self.port}", NAME, password)

    def sees(self, headline: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(headline)

    def copied(self) -> str:
        """The password, by way of the clipboard."""
        self.keys.press("Copy the password")
        expect(self.page.locator("#voice")).to_have_text("Copied")
        return self.page.evaluate("navigator.clipboard.readText()")

    def open_user(self) -> None:
        self.keys.press("Users", leads_to="/users/$")
        self.keys.press(NAME, leads_to=f"/{NAME}/$")


@pytest.fixture
def walk(
    page: Page,
    house: House,
    server_image: str,
    container_name: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
    scheme: str,
) -> Walk:
    house.start()
    page.goto(house.setup_link)
    keys = Keyboard(page)
    keys.fill("Name", "ines")
    keys.fill("Password", "a long enough sentence")
    keys.fill("The same again", "a long enough sentence")
    keys.press("Open the house")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody can back up yet")
    server, port, data = container_name(f"{PREFIX}walk-{scheme}"), free_port(), tmp_path / "data"
    make_data_directory(tmp_path)
    where = ["--bind", f"127.0.0.1:{port}", "--data", str(data), "--image", server_image]
    house.manage("servers", "create", server, *where)
    return Walk(page, port, data)


def test_a_user_from_the_first_password_to_the_revoked_one(walk: Walk) -> None:
    first = add(walk)
    second = rotate_without_a_gap(walk, first)
    third = rotate_at_once(walk, second)
    disable_and_enable(walk, third)
    set_an_end(walk)
    undo_a_hand_edit(walk)
    delete(walk, third)


def add(walk: Walk) -> str:
    walk.keys.press("Users", leads_to="/users/$")
    walk.sees("Nobody can back up yet")
    walk.keys.press("Add user", leads_to="/new/")
    walk.keys.fill("Name", NAME)
    walk.page.keyboard.press("Enter")
    walk.sees(f"{NAME} can back up now")
    password = walk.copied()
    assert walk.lets_in(password)
    with walk.page.expect_download() as download:
        walk.keys.press("Download as credential file")
    assert download.value.suggested_filename == f"{NAME}.repository"
    assert download.value.path().read_text() == (
        f"rest:http://{NAME}:{password}@127.0.0.1:{walk.port}/{NAME}/\n"
    )
    walk.keys.press("I have it, hide it")
    assert password not in walk.page.content()
    return password


def rotate_without_a_gap(walk: Walk, former: str) -> str:
    """Prepared, swapped, and put back again: at every moment one of the two is let in."""
    walk.open_user()
    walk.keys.press("Rotate password", leads_to="/rotation/$")
    walk.keys.press("Prepare a new password")
    walk.sees(f"Bring the new password to {NAME}")
    password = walk.copied()
    assert (walk.lets_in(former), walk.lets_in(password)) == (True, False)
    walk.keys.press("The host has it", leads_to="/steps/$")
    expect(walk.page.get_by_text("It waits for its first success")).to_be_visible()
    assert (walk.lets_in(former), walk.lets_in(password)) == (False, True)
    walk.keys.press("Put the former one back now")
    expect(walk.page.get_by_text(f"{NAME} keeps the password it had.")).to_be_visible()
    assert (walk.lets_in(former), walk.lets_in(password)) == (True, False)
    return former


def rotate_at_once(walk: Walk, former: str) -> str:
    walk.open_user()
    walk.keys.press("Rotate password", leads_to="/rotation/$")
    walk.keys.press("Rotate at once")
    walk.sees(f"{NAME} can back up now")
    password = walk.copied()
    assert (walk.lets_in(former), walk.lets_in(password)) == (False, True)
    return password


def disable_and_enable(walk: Walk, password: str) -> None:
    """From the menu of its row; the keyboard opens it, and goes in."""
    walk.keys.press("Users", leads_to="/users/$")
    walk.keys.press(f"Actions for {NAME}")
    walk.keys.press("Disable")
    expect(walk.page.get_by_text("is refused from now on")).to_be_visible()
    assert not walk.lets_in(password)
    walk.keys.press(f"Actions for {NAME}")
    walk.keys.press("Enable")
    expect(walk.page.get_by_text("is let in again with the password it had")).to_be_visible()
    assert walk.lets_in(password)


def set_an_end(walk: Walk) -> None:
    walk.open_user()
    walk.keys.press("Note and end", leads_to="/edit/")
    walk.keys.fill("Note", "until it is sold")
    walk.keys.fill("Ends", "12312099")
    # The year has room for six figures, so one goes on by hand.
    walk.page.keyboard.press("ArrowRight")
    walk.page.keyboard.type("1130PM")
    walk.keys.press("Keep it so")
    expect(walk.page.get_by_text("31 Dec 2099, 23:30")).to_be_visible()
    expect(walk.page.get_by_text("until it is sold")).to_be_visible()


def undo_a_hand_edit(walk: Walk) -> None:
    before = walk.file.read_text()
    walk.file.write_text(f"{before}guest:{BCRYPT}\n")
    walk.keys.press("Users", leads_to="/users/$")
    walk.sees("1 change by hand waits for your word")
    walk.keys.press("Undo guest")
    expect(walk.page.get_by_text("guest is as it was before the hand edit.")).to_be_visible()
    assert walk.file.read_text() == before


def delete(walk: Walk, password: str) -> None:
    walk.open_user()
    walk.keys.press("Delete", leads_to="/delete/")
    walk.sees(f"Delete {NAME}?")
    walk.keys.press(f"Delete {NAME}")
    walk.sees("Nobody can back up yet")
    assert not walk.lets_in(password)
    assert NAME not in walk.file.read_text()
