"""Settings: what follows from the address that the house is given."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_TELL = """
import json
from dashboard import settings as s
names = ["ALLOWED_HOSTS", "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", "NINJA_NUM_PROXIES",
         "ALLAUTH_TRUSTED_PROXY_COUNT", "SESSION_COOKIE_SECURE", "SECURE_PROXY_SSL_HEADER"]
print(json.dumps({name: getattr(s, name, "absent") for name in names}))
"""


@pytest.fixture
def settings_of(tmp_path: Path) -> Any:
    def ask(**environment: str) -> dict[str, Any]:
        plain = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
        told = subprocess.run(
            [sys.executable, "-c", _TELL],
            env=plain | {"RESTHOUSE_DATA": str(tmp_path)} | environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(json.loads(told.stdout))

    return ask


def test_the_house_answers_at_its_own_address_and_to_itself(settings_of: Any) -> None:
    own = settings_of(RESTHOUSE_URL="https://backup.example.org", ALLOWED_HOSTS="other.example")

    assert own["ALLOWED_HOSTS"] == [
        "other.example",
        "backup.example.org",
        "127.0.0.1",
        "localhost",
        "[::1]",
    ]


@pytest.mark.parametrize(
    ("url", "is_lenient"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://[::1]:8080", True),
        ("http://backup.example.org", False),
        ("https://127.0.0.1", False),
    ],
)
def test_a_passkey_goes_without_https_on_this_machine_alone(
    settings_of: Any, url: str, is_lenient: bool
) -> None:
    assert settings_of(RESTHOUSE_URL=url)["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"] is is_lenient


def test_what_a_proxy_says_is_believed_where_there_is_one(settings_of: Any) -> None:
    behind = settings_of(RESTHOUSE_URL="https://backup.example.org")
    bare = settings_of(RESTHOUSE_URL="http://127.0.0.1:8080")

    assert (behind["NINJA_NUM_PROXIES"], behind["ALLAUTH_TRUSTED_PROXY_COUNT"]) == (1, 1)
    assert (bare["NINJA_NUM_PROXIES"], bare["ALLAUTH_TRUSTED_PROXY_COUNT"]) == (0, 0)
    assert bare["SECURE_PROXY_SSL_HEADER"] is None
