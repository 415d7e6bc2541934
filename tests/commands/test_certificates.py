"""`manage.py certificates`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backups.engines import tls
from backups.engines.certificates import make_authority, make_certificate
from tests.rig.certificates import authority, make
from tests.rig.house import House

Answer = Callable[..., Any]


@pytest.fixture
def check(house: House, tmp_path: Path) -> Callable[..., tuple[int, Any]]:
    """The exit code of a check, and its answer."""

    def run(*contents: bytes, verb: str = "check", options: tuple[str, ...] = ()) -> Any:
        files = []
        for number, content in enumerate(contents):
            files.append(str(tmp_path / f"{number}.pem"))
            Path(files[-1]).write_bytes(content)
        done = house.manage("certificates", verb, *files, *options, "--json", check=False)
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    return run


def test_check_tells_by_its_exit_code_and_stable_codes(check: Callable[..., Any]) -> None:
    ca = authority()
    fine, other = make(by=ca), make(names=("other.example.org",))
    names = ("--name", "localhost", "--name", "127.0.0.1")

    good, verdict = check(fine.pem, fine.key_pem(), ca.pem, options=names)
    bad, errors = check(other.pem, fine.key_pem(), options=names)
    asked, warnings = check(fine.pem, fine.key_pem(), options=names)

    assert (good, verdict["verdict"], verdict["findings"]) == (0, "fine", [])
    assert (bad, errors["verdict"]) == (1, "errors")
    assert {finding["code"] for finding in errors["findings"] if finding["level"] == "error"} == {
        "key-mismatch",
        "name-missing",
    }
    assert (asked, [f["code"] for f in warnings["findings"]]) == (2, ["issuer-unknown"])


def test_a_server_gets_its_certificates_from_the_terminal(
    answer: Answer,
    refusal: Callable[..., str],
    create_arguments: list[str],
    check: Callable[..., Any],
) -> None:
    name, port = create_arguments[0], int(create_arguments[4].partition(":")[2])
    assert answer("servers", "create", *create_arguments, "--tls")["status"] == "live"
    [first] = answer("certificates", "list")
    assert (first["is_live"], first["origin"]) == (True, "made")
    assert tls.look("127.0.0.1", port).fingerprint == first["fingerprint"]

    own = make_certificate(make_authority("Own CA"), ["127.0.0.1"])
    code, installed = check((own.chain + own.root).encode(), own.key.encode(), verb="install")
    assert (code, installed["fingerprint"]) == (0, own.facts.fingerprint)
    assert "did not answer for" in installed["proof"]
    assert tls.look("127.0.0.1", port).fingerprint == own.facts.fingerprint

    assert answer("certificates", "rollback")["fingerprint"] == first["fingerprint"]
    assert answer("certificates", "tls", "off")["is_live"] is False
    assert tls.look("127.0.0.1", port).fingerprint == ""
    assert answer("certificates", "apply", own.facts.fingerprint[:12])["is_live"] is True
    assert answer("servers", "show", name)["url"].startswith("https://")
    assert "authority already" in refusal("certificates", "make-ca")
    assert answer("certificates", "ca")["certificate"].startswith("-----BEGIN CERTIFICATE-----")


def test_what_has_errors_is_not_installed(
    answer: Answer, create_arguments: list[str], check: Callable[..., Any]
) -> None:
    answer("servers", "create", *create_arguments)
    other = make(names=("other.example.org",))

    code, verdict = check(other.pem, other.key_pem(), verb="install")

    assert (code, verdict["verdict"]) == (1, "errors")
    assert answer("certificates", "list") == []


def test_a_request_is_made_and_its_answer_found_by_its_key(
    answer: Answer, create_arguments: list[str], check: Callable[..., Any], house: House
) -> None:
    from cryptography import x509

    from tests.rig.certificates import Made

    answer("servers", "create", *create_arguments)
    made = answer("certificates", "make-request", "--name", "127.0.0.1")
    request = x509.load_pem_x509_csr(made["request"].encode())
    ca = authority()

    class Public:
        """The key of the request, of which only the public half is known here."""

        def public_key(self) -> Any:
            return request.public_key()

    signed = make(by=Made(ca.certificate, ca.key), key=Public(), names=("127.0.0.1",))
    code, installed = check(signed.pem, ca.pem, verb="install")

    assert (code, installed["origin"], installed["is_live"]) == (0, "requested", True)


def test_keys_are_readable_after_the_encryption_key_was_rotated(
    answer: Answer, create_arguments: list[str], house: House
) -> None:
    answer("servers", "create", *create_arguments, "--tls")
    [row] = answer("certificates", "list")
    before = answer("certificates", "export", row["fingerprint"], "--key")["key"]
    file = house.data / "encryption-key"
    former = file.read_text().split()

    rotated = answer("certificates", "rotate-key")

    assert rotated == {"keys": 2}
    assert file.read_text().split()[1:] == former[:1]
    assert file.stat().st_mode & 0o777 == 0o600
    assert answer("certificates", "export", row["fingerprint"], "--key")["key"] == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "/nonexistent/x.pem"], "/nonexistent/x.pem cannot be read"),
        (["rollback"], "There is no server yet."),
        (["ca"], "The house has no authority yet"),
        (["apply", "abcdef"], "No certificate begins so: abcdef."),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    refusal: Callable[..., str], arguments: list[str], sentence: str
) -> None:
    assert refusal("certificates", *arguments).startswith(sentence)
