"""A server is made, watched, changed after a look at the difference, and taken back by itself."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from backups.engines.restserver import is_let_in, probe
from tests.e2e.conftest import Place
from tests.rig.containers import PREFIX

_WORK = 40_000


def sees(page: Page, headline: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(headline, timeout=_WORK)


def test_options_are_changed_and_a_failing_upgrade_comes_back(
    place: Place, dying_image: str
) -> None:
    page = place.page
    page.get_by_role("link", name="Servers").click()
    page.get_by_role("link", name=place.server).click()
    change_an_option(page, place)
    upgrade_to_what_dies(page, place, dying_image)


def change_an_option(page: Page, place: Place) -> None:
    page.get_by_role("link", name="Options").click()
    page.get_by_label("Append-only").uncheck()
    page.get_by_role("button", name="See the difference").click()
    sees(page, f"1 option of {place.server} would change")
    row = page.get_by_role("row", name="--append-only")
    expect(row).to_contain_text("A host that is broken into can delete its backups")
    page.get_by_role("button", name=f"Change {place.server}").click()
    sees(page, re.compile(rf"{place.server}\s+is live, proven"))
    options = page.get_by_role("row", name="--append-only")
    expect(options).to_contain_text("off")
    assert probe(f"http://127.0.0.1:{place.port}/").is_live


def upgrade_to_what_dies(page: Page, place: Place, image: str) -> None:
    page.get_by_role("link", name="Upgrade").click()
    page.get_by_label("Image").fill(image)
    page.get_by_role("button", name=f"Upgrade {place.server}").click()
    story = page.get_by_text(f"{place.server} is as it was before, proven")
    expect(story.first).to_be_visible(timeout=_WORK)
    sees(page, re.compile(rf"{place.server}\s+is live, proven"))
    assert probe(f"http://127.0.0.1:{place.port}/").is_live


def test_a_server_is_made_watched_and_put_back_in_the_browser(
    place: Place,
    server_image: str,
    container_name: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    page, port = place.page, free_port()
    name = container_name(f"{PREFIX}made-{port}")
    for beside in ("former", "trial"):
        container_name(f"{name}.{beside}")
    make(page, name, port, tmp_path / "made", server_image)

    subprocess.run(
        ["docker", "update", "--memory", "64m", "--memory-swap", "-1", name],
        check=True,
        capture_output=True,
    )
    # Nobody asks for the page anew: the engine has told, and the page asks by itself.
    expect(page.get_by_text("1 change that Resthouse did not make")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("row", name="Memory limit none 64 MiB")).to_be_visible()
    page.get_by_role("button", name="Put back").click()
    expect(page.get_by_text("change that Resthouse did not make")).to_have_count(0, timeout=_WORK)
    sees(page, re.compile(rf"{name}\s+is live, proven"))

    place.house.manage("users", "add", "alice", "--server", name)
    page.locator("#log").click()
    assert not is_let_in(f"http://127.0.0.1:{port}/", "alice", "guess")
    told = page.get_by_text("Invalid htpasswd entry for alice")
    expect(told.first).to_be_visible(timeout=_WORK)


def make(page: Page, name: str, port: int, folder: Path, image: str) -> None:
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, 1000, 1000)
    page.get_by_role("link", name="Servers").click()
    page.get_by_role("link", name="Create server").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address and port").fill(f"127.0.0.1:{port}")
    page.get_by_label("Data directory, or volume").fill(str(folder))
    page.get_by_text("Image, limits, user, engine").click()
    page.get_by_label("Image", exact=True).fill(image)
    owner = folder.stat()
    page.get_by_label("User of the container").fill(str(owner.st_uid))
    page.get_by_label("Its group").fill(str(owner.st_gid))
    page.get_by_label("Maximum size of all data").fill("20 GiB")
    page.get_by_role("button", name="Create server").click()
    sees(page, re.compile(rf"{name}\s+is live, proven"))
    expect(page.get_by_role("row", name="--max-size")).to_contain_text("20 GiB")
