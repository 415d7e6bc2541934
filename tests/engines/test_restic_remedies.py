"""The command that helps: whole, for this host, and harmless whatever the host said."""

import re
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engines.restic import code_of, full_file
from backups.engines.restic_remedies import Place, command_for
from tests.actions.telling import sample

HERE = Place(
    repository="rest:https://web-1:***@backup.example.net:8000/web-1/",
    unit="restic-backup.service",
    timer="restic-backup.timer",
    key="a" * 32,
)
CODES = (
    *("wrong-password", "locked", "no-repository", "damaged", "unauthorized", "unreachable"),
    *("unknown-name", "certificate", "append-only", "off", "masked", "gone", "missed", "skipped"),
    *("host-full", "no-sockets", "read-only", "unreadable", "timeout", "not-started"),
    *("no-sources", "start-limit-hit", "silent", ""),
)


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("locked", "restic -r rest:https://backup.example.net:8000/web-1/ unlock"),
        (
            "unauthorized",
            "curl -sS -o /dev/null -w '%{http_code}\\n' -u web-1 "
            "https://backup.example.net:8000/web-1/config",
        ),
        ("unknown-name", "getent hosts backup.example.net"),
        ("append-only", "systemctl disable --now restic-backup.timer"),
        (
            "start-limit-hit",
            "systemctl reset-failed restic-backup.service && systemctl start restic-backup.service",
        ),
        ("", f"journalctl _SYSTEMD_INVOCATION_ID={'a' * 32} + INVOCATION_ID={'a' * 32}"),
    ],
)
def test_a_command_names_what_this_host_has(code: str, command: str) -> None:
    assert command_for(code, HERE) == command


CREDENTIALS = """\
[Service]
LoadCredential=password:/etc/restic/password
LoadCredential=repository:/etc/restic/repository
Environment=RESTIC_CACHE_DIR=%C/restic RESTIC_PASSWORD_FILE=%d/password
ExecStart=/usr/bin/restic backup --json \\
  --repository-file ${CREDENTIALS_DIRECTORY}/repository --exclude=/proc /
"""
RUN = "systemd-run --pipe --wait --quiet --collect"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            "[Service]\nEnvironmentFile=/etc/restic/env\nExecStart=/usr/bin/restic backup /srv\n",
            f"{RUN} -p EnvironmentFile=/etc/restic/env -- restic --no-cache unlock",
        ),
        (
            CREDENTIALS,
            f"{RUN} -p LoadCredential=password:/etc/restic/password -p "
            "LoadCredential=repository:/etc/restic/repository -- restic --no-cache "
            "'--password-file=${CREDENTIALS_DIRECTORY}/password' "
            "'--repository-file=${CREDENTIALS_DIRECTORY}/repository' unlock",
        ),
        (
            "[Service]\nExecStart=restic -r /srv/a -p /etc/first backup /srv\nExecStart=\n"
            "ExecStart=restic -r /srv/b --password-file=/etc/second backup /srv\n",
            f"{RUN} -- restic --no-cache --repo=/srv/b --password-file=/etc/second unlock",
        ),
    ],
)
def test_restic_is_called_as_the_unit_calls_it(text: str, command: str) -> None:
    assert command_for("locked", replace(HERE, text=text)) == command


@pytest.mark.parametrize(
    "line",
    [
        "ExecStart=/bin/sh -c 'restic backup /srv'",
        "EnvironmentFile=/var/lib/resthouse-agent/env",
        "EnvironmentFile=/etc/../tmp/env",
        "Environment=RESTIC_REPOSITORY=rest:http://web-1:***@backup.example.net/web-1/",
        "ExecStart=restic --password-command 'rm -r /' backup /srv",
        "ExecStart=restic -r '$(rm -r /)' backup /srv",
        "Environment=RESTIC_PASSWORD_FILE=%d/password",
    ],
)
def test_what_the_unit_hides_or_another_could_write_is_not_called(line: str) -> None:
    before = "ExecStart=restic backup /srv\n"
    before += "EnvironmentFile=/etc/restic/env\n" if "-command" not in line else ""
    unit = replace(HERE, text=f"[Service]\n{before}{line}\n")

    command = command_for("locked", unit)

    assert command == "restic -r rest:https://backup.example.net:8000/web-1/ unlock"


def test_a_full_disk_is_named() -> None:
    lines = [
        "Fatal: unable to save snapshot: write /srv/tmp/restic-temp-1: no space left on device"
    ]

    assert command_for("host-full", replace(HERE, full=full_file(lines))) == "df -h /srv/tmp"


def test_a_dropin_is_written_as_systemd_reads_it(tmp_path) -> None:
    command = command_for("no-sockets", HERE)
    script = command.replace("/etc/systemd/system", str(tmp_path))
    script = script.replace("systemctl daemon-reload", "true")

    subprocess.run(["sh", "-c", script], check=True)

    written = (tmp_path / "restic-backup.service.d/resthouse.conf").read_text()
    assert written == (
        "[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n"
    )


@given(code=st.sampled_from(CODES), words=st.tuples(*[st.text(max_size=40)] * 5))
def test_no_word_of_a_host_becomes_another_command(code: str, words: tuple[str, ...]) -> None:
    text = f"[Service]\nEnvironmentFile=/etc/{words[3]}\nExecStart=restic --repo={words[3]} backup"
    hostile = Place(f"rest:http://h/{words[0]}", words[1], words[2], text=text, full=f"/{words[4]}")

    command = command_for(code, hostile)

    # Between single quotes a shell takes everything as it stands.
    bare = re.sub(r"'[^']*'", "", command.replace('"\'"', ""))
    assert not set(bare) & set(";`$()\"'\\\n*?[]{}~#!")
    assert all(
        separator in (" ", " && ", " | ", " > ", " < ", " </")
        for separator in re.findall(r" ?[&|<>]+[ /]?| ", bare)
    )


@pytest.mark.parametrize(
    ("recorded", "exit_code", "code"),
    [
        ("0.18-backup-locked", 11, "locked"),
        ("0.18-backup-http401", 1, "unauthorized"),
        ("0.18-backup-missing-path", 3, "no-sources"),
        ("0.18-backup-unreadable", 3, "unreadable"),
        ("0.18-backup-server-down", 1, "unreachable"),
        ("0.18-backup-wrong-password", 12, "wrong-password"),
    ],
)
def test_recorded_ends_have_their_code(recorded: str, exit_code: int, code: str) -> None:
    lines = sample(recorded).splitlines()

    assert code_of(exit_code=exit_code, result="exit-code", lines=lines, kind="backup") == code
