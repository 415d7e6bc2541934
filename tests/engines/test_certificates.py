"""What may be brought as a certificate is anything at all: it is judged, and never harms."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.engines import certificates
from backups.engines.certificate_form import form_of
from backups.engines.certificate_paths import loaded
from backups.engines.certificate_signatures import unusable_key
from backups.engines.certificates import KINDS, check, facts_of, fits, refusal
from backups.engines.errors import EngineError
from tests.rig import missing

CA = certificates.make_authority("House CA")
PAIR = certificates.make_certificate(CA, ["rest.example.org", "10.0.0.7"])
WHOLE = (PAIR.key + PAIR.chain + PAIR.root).encode()


@given(st.lists(st.binary(max_size=3000), max_size=3), st.text(max_size=20))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_judged_and_nothing_escapes(files: list[bytes], password: str) -> None:
    checked = check(files, names=["rest.example.org"], password=password)

    assert checked.pair is None
    assert checked.errors


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(deadline=None, max_examples=150)
def test_damaged_files_never_make_a_pair_that_does_not_fit(seed: int, changes: int) -> None:
    chance, content = random.Random(seed), bytearray(WHOLE)
    for _ in range(changes):
        content[chance.randrange(len(content))] = chance.randrange(256)

    checked = check([bytes(content)], names=["rest.example.org"])

    if checked.pair is not None:
        assert fits(checked.pair.chain, checked.pair.key)
        assert facts_of(checked.pair.chain).fingerprint == PAIR.facts.fingerprint


@given(st.permutations([PAIR.key, PAIR.chain, PAIR.root]), st.booleans())
@settings(deadline=None, max_examples=20)
def test_order_and_number_of_files_make_no_difference(parts: list[str], is_one: bool) -> None:
    files = ["".join(parts)] if is_one else parts

    checked = check([part.encode() for part in files], names=["rest.example.org"])

    assert (checked.is_fine, checked.pair) == (True, PAIR)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_is_made_here_passes_its_own_check(kind: str) -> None:
    names = ["rest.example.org", "::1", "*.example.net"]
    made = certificates.make_certificate(CA, names, kind=kind)
    own = certificates.make_self_signed(names, kind=kind)

    for pair in (made, own):
        files = [text.encode() for text in (pair.chain, pair.key, pair.root)]
        asked = ["rest.example.org", "::1", "host.example.net"]
        assert check(files, names=asked).errors == ()
        assert refusal(pair.chain, pair.root, asked) == ""


def test_no_certificate_outlives_its_authority() -> None:
    short = certificates.make_authority("Short CA", days=30)

    pair = certificates.make_certificate(short, ["rest.example.org"], days=397)

    assert pair.facts.not_after == short.facts.not_after
    later = datetime.now(UTC) + timedelta(days=31)
    with pytest.raises(EngineError, match="The authority ended on"):
        certificates.make_certificate(short, ["rest.example.org"], now=later)


@pytest.mark.parametrize("name", ["", " ", "a b", "http://x", "x/y", "-", "..", "x" * 64 + ".org"])
def test_a_name_that_no_client_can_use_is_refused(name: str) -> None:
    with pytest.raises(EngineError):
        certificates.make_certificate(CA, [name])


def test_a_request_holds_the_names_and_its_key_is_nowhere_in_it() -> None:
    request = certificates.make_request(["rest.example.org", "10.0.0.7"])

    found = x509.load_pem_x509_csr(request.pem.encode())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["rest.example.org", "10.0.0.7"]
    assert found.is_signature_valid
    assert "PRIVATE" not in request.pem
    assert request.key not in repr(request)


def test_a_name_in_letters_of_any_script_is_the_same_in_punycode() -> None:
    pair = certificates.make_certificate(CA, ["bücher.example"])

    assert pair.facts.names == ("xn--bcher-kva.example",)
    assert refusal(pair.chain, CA.chain, ["bücher.example"]) == ""


def test_no_key_is_in_any_repr() -> None:
    for value in (PAIR, check([WHOLE], names=[])):
        assert PAIR.key.splitlines()[1] not in repr(value)


def test_a_certificate_of_an_impossible_version_is_a_finding() -> None:
    der = bytearray(x509.load_pem_x509_certificate(PAIR.chain.encode()).public_bytes(Encoding.DER))
    der[der.find(b"\xa0\x03\x02\x01\x02") + 4] = 9

    assert check([bytes(der)], names=[]).errors


def test_a_password_that_is_no_utf_8_is_a_wrong_one() -> None:
    key = load_pem_private_key(PAIR.key.encode(), None)
    leaf = x509.load_pem_x509_certificate(PAIR.chain.encode())
    packed = pkcs12.serialize_key_and_certificates(
        b"x",
        key,  # type: ignore[arg-type]
        leaf,
        None,
        BestAvailableEncryption(b"secret"),
    )

    checked = check([packed], names=[], password="\udcff")

    assert [finding.code for finding in checked.errors] == ["wrong-password"]


def test_an_archive_without_a_password_opens_although_one_was_given() -> None:
    key = load_pem_private_key(PAIR.key.encode(), None)
    leaf = x509.load_pem_x509_certificate(PAIR.chain.encode())
    packed = pkcs12.serialize_key_and_certificates(b"x", key, leaf, None, NoEncryption())  # type: ignore[arg-type]

    checked = check([packed, PAIR.root.encode()], names=[], password="secret")

    assert checked.is_fine


def test_many_beginnings_without_an_end_are_read_once_each() -> None:
    """In quadratic time this megabyte would take many minutes."""
    content = b"-----BEGIN A-----\n" * 55_000

    checked = check([content], names=[])

    assert "cut-off" in {finding.code for finding in checked.errors}


STORE = Path("/etc/ssl/certs/ca-certificates.crt")


def test_nothing_is_wrong_with_what_every_system_trusts() -> None:
    """Go reads all of it, too."""
    if not STORE.exists():
        missing("There is no store: apt-get install ca-certificates.")
    roots = loaded(STORE.read_text())

    assert len(roots) == STORE.read_text().count("BEGIN CERTIFICATE")
    assert [form_of(root).problem for root in roots if form_of(root).problem] == []
    assert [unusable_key(root) for root in roots if unusable_key(root)] == []
