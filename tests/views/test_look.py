"""What holds for every page: contrast, no inline code, icons that exist, files one can read."""

import re
from math import cos, radians, sin
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.urls import reverse

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STYLES = sorted((settings.BASE_DIR / "static/css").glob("*.css"))
COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>", re.IGNORECASE)
INLINE = re.compile(r"<style|\sstyle\s*=|\son[a-z]+\s*=|hx-on", re.IGNORECASE)
COLOUR = r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)"
TOKEN = re.compile(rf"--([\w-]+): light-dark\({COLOUR}, {COLOUR}\)")


def luminance(lightness: float, chroma: float, hue: float) -> float:
    """Relative luminance of an oklch colour, by way of linear sRGB."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long, middle, short = (
        (lightness + x * a + y * b) ** 3
        for x, y in (
            (0.3963377774, 0.2158037573),
            (-0.1055613458, -0.0638541728),
            (-0.0894841775, -1.2914855480),
        )
    )
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return sum(
        share * min(max(value, 0), 1)
        for share, value in ((0.2126, red), (0.7152, green), (0.0722, blue))
    )


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def schemes() -> dict[str, dict[str, float]]:
    """The luminance of every colour token, by scheme."""
    text = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    found: dict[str, dict[str, float]] = {"light": {}, "dark": {}}
    for name, *numbers in TOKEN.findall(text):
        values = [float(number) for number in numbers]
        found["light"][name] = luminance(*values[:3])
        found["dark"][name] = luminance(*values[3:])
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("paper", ["canvas", "raised"])
def test_every_colour_that_carries_words_can_be_read(scheme: str, paper: str) -> None:
    tokens = schemes()[scheme]
    inks = ("ink", "ink-soft", "ok", "warning", "failed", "running")

    too_faint = {ink for ink in inks if contrast(tokens[ink], tokens[paper]) < 4.5}

    assert too_faint == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_inline_style_or_script(path: Path) -> None:
    text = COMMENT.sub("", path.read_text())

    assert INLINE.findall(text) == []
    assert [tag for tag in SCRIPT.findall(text) if not is_harmless(tag)] == []


def is_harmless(attributes: str) -> bool:
    return "src=" in attributes or 'type="application/json"' in attributes


def test_every_icon_in_use_stands_in_the_sprite() -> None:
    drawn = set(re.findall(r'id="([\w-]+)"', (settings.BASE_DIR / "static/icons.svg").read_text()))
    text = "".join(path.read_text() for path in TEMPLATES)

    used = set(re.findall(r'(?:\{% icon |icon_name=)"([\w-]+)"', text))

    assert used - drawn == set()


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_stylesheet_stays_short_and_within_the_tokens(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= 150
    assert "!important" not in text
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsl", text) == []


def test_the_script_stays_short() -> None:
    assert len((settings.BASE_DIR / "static/js/app.js").read_text().splitlines()) <= 100


def test_every_stylesheet_is_linked() -> None:
    head = (settings.BASE_DIR / "templates/components/head.html").read_text()

    linked = set(re.findall(r"css/([\w-]+\.css)", head))

    assert linked == {path.name for path in STYLES} - {"admin.css"}


@pytest.mark.parametrize("name", ["500.html", "503.html"])
def test_the_page_of_a_broken_house_needs_nothing(name: str) -> None:
    assert "<h1>" in get_template(name).render()


def test_a_field_says_its_mistake_where_it_stands() -> None:
    class NameForm(forms.Form):
        name = forms.CharField(help_text="Letters and digits.")

    page = render_to_string("components/field.html", {"field": NameForm({"name": ""})["name"]})

    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert 'id="id_name_helptext"' in page


@pytest.mark.parametrize(
    "name",
    [
        "account_change_password",
        "account_logout",
        "account_reauthenticate",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_generate_recovery_codes",
        "mfa_index",
        "mfa_list_webauthn",
    ],
)
def test_the_pages_of_an_account_stand_in_the_look(name: str, client: Client) -> None:
    page = client.get(reverse(name), follow=True).content.decode()

    assert 'href="/static/css/tokens.css"' in page
    assert "Menu:" not in page
    assert [tag for tag in SCRIPT.findall(page) if not is_harmless(tag)] == []
    assert INLINE.findall(page) == []


def test_the_door_offers_a_passkey_and_a_password(stranger: Client) -> None:
    page = stranger.get(reverse("account_login")).content.decode()

    assert 'id="passkey_login"' in page
    assert 'name="password"' in page
    assert [tag for tag in SCRIPT.findall(page) if not is_harmless(tag)] == []
