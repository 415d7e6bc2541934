"""A log is followed while one searches it, and stands still when told to."""

from playwright.sync_api import expect

from backups.engines import restserver
from tests.e2e.conftest import Place

_SOON = 8_000


def test_a_log_is_followed_searched_paused_and_taken_along(place: Place) -> None:
    page, url = place.page, f"http://127.0.0.1:{place.port}/"
    place.house.manage("servers", "change", place.server, "--access-log")
    page.goto(f"{place.house.url}/servers/{place.server}/")
    page.get_by_role("link", name="What it writes, explained").click()
    log = page.get_by_role("list", name=f"Log of {place.server}")
    expect(log).to_contain_text("start server on")

    restserver.is_let_in(url, "mallory", "guess")
    expect(log).to_contain_text("/mallory/config", timeout=_SOON)
    expect(log).to_contain_text("Refused: no password, a wrong one")

    search = page.get_by_label("Search")
    search.fill("eve")
    expect(page.get_by_role("heading", name="No line fits")).to_be_visible()
    expect(search).to_be_focused()
    restserver.is_let_in(url, "eve", "guess")
    expect(log).to_contain_text("/eve/config", timeout=_SOON)
    expect(search).to_be_focused()
    expect(log).not_to_contain_text("/mallory/config")
    assert "q=eve" in page.url

    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    restserver.is_let_in(url, "eve", "guess again")
    page.wait_for_timeout(3000)
    expect(log.get_by_text("/eve/config")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text().count("/eve/config") == 2
    page.get_by_role("link", name="Follow").click()
    expect(log.get_by_text("/eve/config")).to_have_count(2)
