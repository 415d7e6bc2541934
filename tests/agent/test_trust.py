"""What a job trusts: its certificates and nothing else leave the host."""

from pathlib import Path

import pytest

from agent import resthouse_agent as agent
from backups.engines.certificates import make_authority


def properties(**fields: str) -> dict[str, str]:
    return {"ExecStart": "{ path=/usr/bin/restic ; argv[]=/usr/bin/restic backup / ; }"} | fields


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    pair = make_authority("House CA")
    file = tmp_path / "ca.pem"
    file.write_text(f"a note\n{pair.key}{pair.chain}")
    return file


def told(arguments: list[str], fields: dict[str, str]) -> str | None:
    return agent.certificates_in(agent.authorities_of("x.service", arguments, fields))


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
