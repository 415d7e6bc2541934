"""No password leaves the host, whatever it is written in."""

import json

import pytest

from agent.resthouse_agent import redact, redact_arguments
from tests.agent.conftest import SAMPLES


@pytest.mark.parametrize(
    "text",
    [
        "rest:https://alice:hush@backup.lan:8000/alice/",
        "rest:https://alice:hush/hush@backup.lan:8000/alice/",
        "ExecStart=/usr/bin/restic -r 'rest:http://alice:hu sh hush@backup.lan/' backup /",
        "RESTIC_PASSWORD=hush",
        'RESTIC_PASSWORD="hush hush" backup',
        "RESTIC_REST_PASSWORD=hush",
        'Environment="RESTIC_PASSWORD=hush \\"hush" RESTIC_REPOSITORY=/srv/repo',
        "Environment=RESTIC_PASSWORD='hush hush'",
        "RESTIC_PASSWORD_COMMAND=echo-hush",
        "AWS_SECRET_ACCESS_KEY=hush",
        "restic --password-command 'echo hush' backup /",
        "restic --password-command=hush backup /",
        "restic --password-command echo hush --json",
        "Authorization: Basic hush",
        '{"authorization":"Bearer hush"}',
        "SetCredential=password:hush hush \\\n  hush",
        '{"message":"Environment=\\"RESTIC_PASSWORD=hush\\""}',
    ],
)
def test_a_secret_is_hidden(text: str) -> None:
    assert "hush" not in redact(text)
    assert "***" in redact(text)


def test_addresses_that_restic_cannot_parse_are_hidden() -> None:
    text = (SAMPLES / "restic-bad-addresses.txt").read_text()

    assert "hush" in text
    assert "hush" not in redact(text)
    assert "zz" not in redact(text)


def test_hiding_leaves_the_lines_of_restic_readable() -> None:
    for line in (SAMPLES / "restic-bad-addresses.txt").read_text().splitlines():
        if line.startswith("{"):
            assert json.loads(redact(line))["message_type"] == "exit_error"


@pytest.mark.parametrize(
    "text",
    [
        "RESTIC_PASSWORD_FILE=/etc/restic/password",
        "EnvironmentFile=/etc/restic/env",
        "restic -r rest:http://backup.lan:8000/alice backup --exclude=/proc /",
        "LoadCredential=password:/etc/restic/password",
        "KeyringMode=private",
        '{"message_type":"summary","snapshot_id":"1a2b3c4d"}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_arguments_are_hidden_one_by_one() -> None:
    arguments = [
        "restic",
        "-r",
        "rest:http://a:p' w\"@h/",
        "--password-command",
        "pass show x",
        "/",
    ]

    assert redact_arguments(arguments) == [
        *("restic", "-r", "rest:http://a:***@h/", "--password-command", "***", "/")
    ]
