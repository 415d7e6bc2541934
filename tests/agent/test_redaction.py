"""No password leaves the host, whatever it is written in."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.resthouse_agent import redact, redact_arguments
from backups.engines.restic import parse_output
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


# Heads and bodies of everything that the patterns look for.
PIECES = [
    *("A", "_", "PASSWORD", "X_KEY", "RESTIC_PASSWORD=", '"A_TOKEN=', "'A_KEY=\\", "_FILE="),
    *("://", "://a", "://a:", "://a:***@", "://a.b:80", "@", ":", "/", "=", '"', "'", "\\", '\\"'),
    *('parse "', 'parse \\"', '": ', 'invalid port "', 'invalid userinfo "', "SetCredential="),
    *("SetCredential=a:", "SetCredential=a:x\\\n", "--password-command", "--password-command "),
    *("--password-command=a", " --x", "Authorization", "authorization: ", "basic ", " ", "\n", "x"),
]
MEGABYTE = 1_000_000


def seconds_for(text: str) -> float:
    began = time.process_time()
    redact(text)
    return time.process_time() - began


@settings(max_examples=10, deadline=None, derandomize=True)
@given(head=st.sampled_from([*PIECES, ""]), body=st.lists(st.sampled_from(PIECES), max_size=4))
@example(head="", body=["A"])
@example(head="", body=["PASSWORD"])
@example(head="", body=['parse "'])
@example(head='"', body=["://a:"])
@example(head="", body=["://a", "@"])
@example(head="", body=["SetCredential="])
def test_a_megabyte_takes_ten_times_as_long_as_a_tenth_of_it(head: str, body: list[str]) -> None:
    """Where time grew with the square it would be a hundred times; a second is always fine."""
    pattern = "".join(body) or "x"

    def text(size: int) -> str:
        return (head + pattern * (size // len(pattern) + 1))[:size]

    spent = seconds_for(text(MEGABYTE // 10))

    assert spent < 1
    assert seconds_for(text(MEGABYTE)) < max(30 * spent, 1)


def test_no_complaint_of_the_real_restic_tells_a_password(restic_binary: Path) -> None:
    """Whatever character keeps it from reading the address, which it then repeats."""
    said = ""
    for character in [
        "/",
        "?",
        "#",
        "%",
        "%zz",
        " ",
        '"',
        "'",
        "\\",
        ":",
        "<",
        "[",
        "^",
        "é",
        "\t",
    ]:
        address = f"rest:http://alice:hush{character}hush@127.0.0.1:1/alice"
        for options in ([], ["--json"]):
            command = ["timeout", "2", restic_binary, *options, "-r", address, "snapshots"]
            environment = {"RESTIC_PASSWORD": "x", "PATH": os.environ["PATH"], "HOME": "/nowhere"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            said += f"{done.stdout}{done.stderr}\n"

    assert said.count("hush") > 20
    assert "hush" not in redact(said)
    # A host without Python sends it as it is: there the house hides it, before it is kept.
    kept = parse_output(said)
    assert "hush" not in f"{kept.lines} {kept.errors}"
    assert "invalid" in str(kept.lines)


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
