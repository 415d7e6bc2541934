"""A house that runs, with a real server, and somebody who signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.rig.containers import PREFIX
from tests.rig.house import House
from tests.rig.keyboard import Keyboard
from tests.rig.servers import make_data_directory, owner_of


@dataclass
class Place:
    """What a walk begins with."""

    page: Page
    house: House
    server: str
    port: int


@pytest.fixture
def place(
    page: Page,
    house: House,
    server_image: str,
    container_name: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> Place:
    """One live server, and its operator before the first page."""
    port, data = free_port(), make_data_directory(tmp_path)
    server = container_name(f"{PREFIX}walk-{port}")
    house.start()
    where = ["--bind", f"127.0.0.1:{port}", "--data", str(data), "--image", server_image]
    ids = [f"--{kind}={number}" for kind, number in owner_of(data).items()]
    house.manage("servers", "create", server, *where, *ids)
    page.goto(house.setup_link)
    keys = Keyboard(page)
    keys.fill("Name", "ines")
    keys.fill("Password", "a long enough sentence")
    keys.fill("The same again", "a long enough sentence")
    keys.press("Open the house")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return Place(page, house, server, port)
