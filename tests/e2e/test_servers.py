"""A server is changed after a look at the difference; a bad upgrade tells how it was taken back."""

import re

from playwright.sync_api import Page, expect

from backups.engines.restserver import probe
from tests.e2e.conftest import Place

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
