"""A host from its command to its failures, by the real agent and with the keyboard alone."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.actions.telling import sample
from tests.rig import ROOT
from tests.rig.house import House
from tests.rig.keyboard import Keyboard

AGENT = ROOT / "agent" / "resthouse_agent.py"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Start]:
    """Call the agent of a host without root and systemd."""
    started: list[subprocess.Popen[bytes]] = []

    def start(verb: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(AGENT), verb, "--state", str(tmp_path / "agent"), *words]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_enrol_watch_a_run_open_a_failure_and_pause_its_job_by_keyboard(
    page: Page, house: House, agent: Start, tmp_path: Path
) -> None:
    house.start()
    keys = Keyboard(page)
    open_the_house(page, keys, house)
    token = add_host(page, keys, house)

    assert agent("enrol", "--url", house.url, "--token", token).wait(30) == 0
    expect(page.get_by_role("heading", level=1)).to_contain_text("web-01", timeout=20_000)
    go_to_the_host(page, keys, house)
    watch_a_run_to_its_end(page, agent, tmp_path)
    open_the_failure(page, keys)
    find_it_by_filters(page, keys)
    pause_the_job(page, keys, house)


def open_the_house(page: Page, keys: Keyboard, house: House) -> None:
    page.goto(house.setup_link)
    keys.fill("Name", "ines")
    keys.fill("Password", "a long enough sentence")
    keys.fill("The same again", "a long enough sentence")
    keys.press("Open the house")
    expect(page.get_by_role("link", name="Overview")).to_be_visible()


def add_host(page: Page, keys: Keyboard, house: House) -> str:
    page.goto(f"{house.url}/hosts/new/")
    keys.fill("Name", "web-01")
    keys.press("Add host")
    command = page.locator("code", has_text="resthouse-agent enrol").first
    expect(command).to_be_visible()
    return command.inner_text().split()[-1]


def go_to_the_host(page: Page, keys: Keyboard, house: House) -> None:
    page.goto(f"{house.url}/hosts/")
    keys.press("web-01", leads_to="/hosts/web-01/$")
    expect(page.get_by_role("heading", level=1)).to_contain_text("reports")
    page.evaluate("window.isTheSamePage = true")


def watch_a_run_to_its_end(page: Page, agent: Start, tmp_path: Path) -> None:
    """The page follows by itself: the run goes on, then fails."""
    gate, said = tmp_path / "gate", tmp_path / "said"
    said.write_text(sample("0.18-backup-wrong-password"))
    script = f"while [ ! -e {gate} ]; do sleep 0.1; done; cat {said}; exit 12"
    run = agent("run", "photos", "--", "sh", "-c", script)
    headline = page.get_by_role("heading", level=1)
    # A wrapped command is a backup once restic's own words say so.
    expect(page.get_by_text("running").first).to_be_visible(timeout=20_000)
    gate.touch()
    assert run.wait(30) == 12
    expect(page.get_by_role("row", name="photos").last).to_contain_text("exit 12", timeout=20_000)
    expect(headline).to_contain_text("web-01")
    assert page.evaluate("window.isTheSamePage") is True


def open_the_failure(page: Page, keys: Keyboard) -> None:
    started = page.get_by_role("row", name="photos").last.get_by_role("link").first.inner_text()
    keys.press(started.strip(), leads_to=r"/runs/\d+/$")
    expect(page.get_by_text("The repository password is wrong.")).to_be_visible()
    expect(page.get_by_role("heading", name="What helps")).to_be_visible()


def find_it_by_filters(page: Page, keys: Keyboard) -> None:
    keys.press("Runs", leads_to="/runs/$")
    keys.go_to("Result")
    page.keyboard.type("Failed")
    expect(page).to_have_url(re.compile("status=failed"))
    expect(page.get_by_role("row", name="photos")).to_have_count(1)
    keys.fill("Search", "nowhere")
    expect(page.get_by_text("No run fits this.")).to_be_visible()


def pause_the_job(page: Page, keys: Keyboard, house: House) -> None:
    page.goto(f"{house.url}/hosts/web-01/")
    keys.press("Pause, snooze or acknowledge", leads_to="/jobs/[0-9]+/hold/$")
    keys.fill("Why", "A new password comes tomorrow")
    keys.press("Hold it")
    expect(page.get_by_text("Paused by ines: A new password comes tomorrow").first).to_be_visible()
    keys.press("Resume")
    expect(page.get_by_role("link", name="Pause, snooze or acknowledge")).to_be_visible()
