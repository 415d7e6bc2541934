"""The certificates of a real rest-server, in a real browser: upload, findings, apply, roll back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backups.engines import tls
from backups.engines.certificates import Pair, make_authority, make_certificate
from tests.e2e.conftest import Place


class Walk:
    """One person before the pages, and what the port behind them really shows."""

    def __init__(self, page: Page, server: str, port: int) -> None:
        self.page, self.server, self.port = page, server, port

    def shown(self) -> str:
        return tls.look("127.0.0.1", self.port).fingerprint

    def sees(self, headline: str, *, within: float = 20) -> None:
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(headline, timeout=within * 1000)

    def waits_for(self, words: str) -> None:
        """Nobody reloads: the page comes to know of it by itself."""
        expect(self.page.get_by_text(words)).to_be_visible(timeout=30_000)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()


@pytest.fixture
def walk(place: Place) -> Walk:
    return Walk(place.page, place.server, place.port)


@pytest.fixture
def pairs() -> tuple[Pair, Pair]:
    ca = make_authority("Walk CA")
    return make_certificate(ca, ["127.0.0.1"]), make_certificate(ca, ["127.0.0.1"])


def test_from_the_upload_to_the_rollback(
    walk: Walk, pairs: tuple[Pair, Pair], tmp_path: Path
) -> None:
    first, second = pairs
    walk.follow("Certificates")
    walk.sees(f"{walk.server} speaks plain HTTP")
    walk.follow(walk.server)
    walk.follow("Add a certificate")
    refuse_junk(walk, tmp_path)
    upload(walk, first, tmp_path / "one")
    apply(walk, first)
    walk.follow("Add a certificate")
    upload(walk, second, tmp_path / "two")
    apply(walk, second)
    roll_back(walk, first)
    no_tls_any_more(walk)


def refuse_junk(walk: Walk, folder: Path) -> None:
    """The answer takes the place of the form, and the page stays."""
    (folder / "junk.pem").write_bytes(b"PK\x03\x04 something else")
    walk.page.get_by_label("Files").set_input_files(folder / "junk.pem")
    walk.press("Check it")
    expect(walk.page.get_by_text("This is a zip archive, no certificate.")).to_be_visible()
    walk.page.get_by_label("Or paste them").fill("-----BEGIN PRIVATE KEY-----\nMIGH")
    walk.press("Check it")
    expect(walk.page.get_by_text("A block begins in it that does not end.")).to_be_visible()
    assert walk.page.get_by_label("Or paste them").input_value() == ""


def upload(walk: Walk, pair: Pair, folder: Path) -> None:
    folder.mkdir()
    files = {"fullchain.pem": pair.chain + pair.root, "privkey.pem": pair.key}
    for name, text in files.items():
        (folder / name).write_text(text)
    walk.page.get_by_label("Files").set_input_files([folder / name for name in files])
    walk.press("Check it")
    walk.sees("127.0.0.1 is fine")
    expect(walk.page.get_by_text("Nothing has changed on")).to_be_visible()


def apply(walk: Walk, pair: Pair) -> None:
    walk.press(f"Apply it to {walk.server}")
    walk.waits_for("a client that comes to 127.0.0.1 trusts it")
    walk.sees("127.0.0.1 is good for 396 more days")
    assert walk.shown() == pair.facts.fingerprint
    beginning = f"{pair.facts.fingerprint[:4]} {pair.facts.fingerprint[4:8]}".upper()
    expect(walk.page.get_by_text(beginning).first).to_be_visible()


def roll_back(walk: Walk, former: Pair) -> None:
    walk.follow("Roll back")
    walk.press("Roll back")
    beginning = f"{former.facts.fingerprint[:4]} {former.facts.fingerprint[4:8]}".upper()
    walk.waits_for(f"the port shows {beginning}…")
    assert walk.shown() == former.facts.fingerprint


def no_tls_any_more(walk: Walk) -> None:
    walk.follow("TLS versions, or none")
    walk.page.get_by_label("No TLS: plain HTTP").check()
    walk.press("Change the line")
    walk.sees(f"{walk.server} speaks plain HTTP", within=30)
    assert walk.shown() == ""
