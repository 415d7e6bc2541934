"""What a job trusts: its certificates and nothing else leave the host."""

import os
import threading
from pathlib import Path

import pytest

from agent.resthouse_agent import certificates_in, goes_to
from backups.engines.certificates import make_authority
from tests.agent.dashboard import FakeDashboard


def properties(**fields: str) -> dict[str, str]:
    return {"ExecStart": "{ path=/usr/bin/restic ; argv[]=/usr/bin/restic backup / ; }"} | fields


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    pair = make_authority("House CA")
    file = tmp_path / "ca.pem"
    file.write_text(f"a note\n{pair.key}{pair.chain}")
    return file


def told(arguments: list[str], fields: dict[str, str]) -> str | None:
    return certificates_in(goes_to("x.service", arguments, fields)[1])


@pytest.mark.parametrize("form", ["--cacert {}", "--cacert={}"])
def test_the_certificates_of_cacert_are_told_and_no_key(ca: Path, form: str) -> None:
    said = told(["restic", *form.format(ca).split(), "backup", "/"], properties())

    assert said is not None
    assert said.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in said
    assert "note" not in said


def test_the_variable_and_a_credential_are_followed(ca: Path) -> None:
    by_variable = told(["restic"], properties(Environment=f"RESTIC_CACERT={ca}"))
    credential = "${CREDENTIALS_DIRECTORY}/ca"
    loaded = properties(LoadCredential=f"ca:{ca}")
    by_credential = told(["restic", "--cacert", credential], loaded)

    assert by_variable == by_credential != ""


def test_without_cacert_the_system_is_trusted() -> None:
    assert told(["restic", "backup", "/"], properties()) == ""


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (["restic", "--insecure-tls", "backup"], {}),
        (["restic", "--cacert", "/nonexistent/ca.pem"], {}),
        (["backup.sh"], {"ExecStart": "{ path=/usr/local/bin/backup.sh ; }"}),
    ],
)
def test_what_is_not_known_is_not_told(arguments: list[str], fields: dict[str, str]) -> None:
    assert told(arguments, properties(**fields)) is None


def test_too_many_certificates_are_not_told(tmp_path: Path) -> None:
    file = tmp_path / "many.pem"
    file.write_text(make_authority("House CA").chain * 21)

    assert told(["restic", "--cacert", str(file)], properties()) is None


def test_a_key_between_the_marks_of_a_certificate_stays(ca: Path) -> None:
    pair = make_authority("Other CA")
    begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
    ca.write_text(f"{begin}{pair.key}{end}{pair.chain}{begin}{pair.key}")

    assert told(["restic", f"--cacert={ca}"], properties()) == pair.chain


def test_several_files_are_told_in_order(ca: Path, tmp_path: Path) -> None:
    pairs = [make_authority(name) for name in ("One", "Two", "Three")]
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for file, pair in zip((one, two, three), pairs, strict=True):
        file.write_text(pair.chain)
    arguments = ["restic", "--cacert", f"{one},{two}", "--cacert", str(three)]

    said = told(arguments, properties(Environment=f"RESTIC_CACERT={ca}"))

    assert said == "".join(pair.chain for pair in pairs)


def test_an_environment_file_is_read_and_one_that_cannot_be_leaves_it_open(
    ca: Path, tmp_path: Path
) -> None:
    (tmp_path / "env").write_text(f'RESTIC_PASSWORD=hush\nRESTIC_CACERT="{ca}"\n')
    read = properties(EnvironmentFiles=f"{tmp_path}/env (ignore_errors=no)")
    unread = properties(EnvironmentFiles=f"{tmp_path}/missing (ignore_errors=no)")

    assert (told(["restic"], read) or "").startswith("-----BEGIN CERTIFICATE-----")
    assert told(["restic"], unread) is None


def test_a_pipe_is_left_to_restic(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[str | None] = []
    asking = threading.Thread(
        target=lambda: found.append(told(["restic", f"--cacert={pipe}"], properties())), daemon=True
    )

    asking.start()
    asking.join(10)

    assert found == [None]


@pytest.fixture
def restic(tmp_path: Path) -> Path:
    """A program of that name, which is all that the agent looks at."""
    program = tmp_path / "bin" / "restic"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    return program


def test_a_wrapped_restic_tells_what_it_trusts(
    agent, dashboard: FakeDashboard, restic: Path, ca: Path
) -> None:
    agent("run", "n", "--", str(restic), "backup", "/")
    agent("run", "n", "--", str(restic), "backup", "/", RESTIC_CACERT=str(ca))
    agent("run", "n", "--", "sh", "-c", f"RESTIC_CACERT={ca} {restic} backup /")

    said = [run["trust"] for run in dashboard.runs() if run["finished"]]
    assert said == ["", ca.read_text().partition("-----END PRIVATE KEY-----\n")[2], None]
    assert "PRIVATE KEY" not in str(dashboard.reports)
