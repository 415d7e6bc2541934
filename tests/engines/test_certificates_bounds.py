"""Files that ask for more work than anybody has time for: each is answered, and at once."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.engines.certificate_der import first, inside
from backups.engines.certificate_pem import pem
from backups.engines.certificate_rounds import rounds_of
from backups.engines.certificates import check
from tests.rig.certificate_oddities import raw
from tests.rig.certificates import Made, authority, make
from tests.rig.der import BITS, NULL, OCTETS, SEQUENCE, algorithm, by_hand, der, integer

CA = authority()
LEAF = make(by=CA)
MEGABYTE = 1024 * 1024
BILLIONS = 2**31 - 1
SALT = der(OCTETS, b"saltsalt")


def codes(*files: bytes, password: str = "") -> set[str]:
    return {found.code for found in check(files, names=["localhost"], password=password).findings}


def closed(way: bytes) -> bytes:
    """A key that only this way opens."""
    return der(SEQUENCE, way, der(OCTETS, b"x" * 64))


def modern(way: bytes) -> bytes:
    cipher = algorithm("2.16.840.1.101.3.4.1.42", der(OCTETS, b"i" * 16))
    return closed(algorithm("1.2.840.113549.1.5.13", der(SEQUENCE, way, cipher)))


def pbkdf2(rounds: int) -> bytes:
    return modern(algorithm("1.2.840.113549.1.5.12", der(SEQUENCE, SALT, integer(rounds))))


def scrypt(cost: int) -> bytes:
    numbers = (integer(cost), integer(8), integer(1))
    return modern(algorithm("1.3.6.1.4.1.11591.4.11", der(SEQUENCE, SALT, *numbers)))


def older(rounds: int) -> bytes:
    parameters = der(SEQUENCE, SALT, integer(rounds))
    return closed(algorithm("1.2.840.113549.1.12.1.3", parameters))


def archive(rounds: int) -> bytes:
    """PKCS#12 with a proof of so many rounds."""
    packed = pkcs12.serialize_key_and_certificates(
        b"x", LEAF.key, LEAF.certificate, [CA.certificate], BestAvailableEncryption(b"x")
    )
    version, content, _ = inside(packed)
    digest = algorithm("2.16.840.1.101.3.4.2.1", der(NULL))
    proof = der(SEQUENCE, der(SEQUENCE, digest, der(OCTETS, b"d" * 32)), SALT, integer(rounds))
    return der(SEQUENCE, version.whole, content.whole, proof)


@pytest.mark.parametrize("way", [pbkdf2, scrypt, older, archive])
@pytest.mark.parametrize("password", ["", "secret"])
def test_billions_of_rounds_are_refused_before_the_first(
    way: Callable[[int], bytes], password: str
) -> None:
    assert "too-much-work" in codes(way(BILLIONS), password=password)


@pytest.mark.parametrize("way", [pbkdf2, older])
def test_rounds_are_counted_as_they_stand_there(way: Callable[[int], bytes]) -> None:
    assert rounds_of(way(600_000)) == 600_000


def test_usual_rounds_are_tried() -> None:
    assert "wrong-password" in codes(pbkdf2(600_000), password="secret")


def test_rounds_of_several_keys_are_one_sum() -> None:
    keys = [pbkdf2(1_000_000), pbkdf2(1_000_001)]

    assert {"wrong-password", "too-much-work"} <= codes(*keys, password="secret")


def test_rounds_that_are_hidden_end_when_the_time_is_up() -> None:
    """In BER, where no length tells where the parts end."""
    hidden = b"\x30\x80" + first(archive(BILLIONS)).content + b"\0\0"

    assert "too-much-work" in codes(hidden, password="x")


def test_a_long_key_is_read_without_a_search_for_primes() -> None:
    long = make(by=CA, key=rsa.generate_private_key(65537, 4096))
    checked = check([long.pem, long.key_pem(b"x"), CA.pem], names=["localhost"], password="x")

    assert checked.is_fine


def test_an_rsa_key_whose_numbers_contradict_each_other_is_broken() -> None:
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    parts = (numbers.public_numbers.n, 65537, numbers.d + 2, numbers.p, numbers.q)
    rest = (numbers.dmp1, numbers.dmq1, numbers.iqmp)
    key = der(SEQUENCE, integer(0), *map(integer, (*parts, *rest)))

    assert "broken-key" in codes(pem("RSA PRIVATE KEY", key).encode())


def test_a_key_of_a_million_bits_is_not_looked_at() -> None:
    odd = 2**1_000_000 - 1
    key = der(SEQUENCE, integer(0), *map(integer, (odd, 3, odd, odd, odd, odd, odd, odd)))
    public = der(SEQUENCE, integer(2**400_000 - 1), integer(65537))
    spki = der(SEQUENCE, algorithm("1.2.840.113549.1.1.1", der(NULL)), der(BITS, b"\0", public))
    huge = by_hand(authority("Test CA"), CA, spki=spki)

    assert "too-much-work" in codes(key)
    assert "signature-wrong" in codes(LEAF.pem, LEAF.key_pem(), huge.pem)


def test_the_limit_of_a_megabyte_is_for_all_files_together() -> None:
    half = LEAF.pem + b" " * (MEGABYTE // 2)

    assert "too-large" not in codes(half)
    assert "too-large" in codes(half, half)


def test_files_certificates_and_keys_are_limited_in_number() -> None:
    several = [make(f"host-{number}") for number in range(21)]
    keys = [one.key_pem(b"x") for one in several[:11]]

    assert codes(*[b"x"] * 51) >= {"too-many-files"}
    assert "too-many" in codes(b"".join(one.pem for one in several))
    assert "too-many" not in codes(*[several[0].pem] * 40)
    assert "too-many" in codes(*keys, password="y")


def web() -> list[Made]:
    """Authorities that have all signed each other."""
    four = [authority(f"CA {number}") for number in range(4)]
    return [
        authority(f"CA {mine}", by=four[other], key=four[mine].key)
        for mine in range(4)
        for other in range(4)
        if mine != other
    ]


def test_ways_in_circles_come_to_an_end() -> None:
    several = web()
    leaf = make(by=several[0])

    found = codes(leaf.pem, leaf.key_pem(), *(one.pem for one in several))

    assert found & {"issuer-unknown", "chain-incomplete"}


def test_many_names_under_many_limits_are_refused() -> None:
    trees = (der(SEQUENCE, der(0x82, b"x%d" % number)) for number in range(5000))
    limits = der(SEQUENCE, der(0xA0, *trees))
    middle = authority("Limited CA", by=CA, more=[raw("2.5.29.30", limits)])
    leaf = make(by=middle, names=["localhost", *(f"host-{n}.example.org" for n in range(2000))])

    assert "name-forbidden" in codes(leaf.pem, leaf.key_pem(), middle.pem, CA.pem)


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN A-----\na:" + b" " * (MEGABYTE - 100) + b"x\n-----END A-----",
        b"-----BEGIN A-----\n" + b"a:\n" * 340_000 + b"-----END A-----",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" * 16_000,
        b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n" * 16_000,
        LEAF.pem * (MEGABYTE // len(LEAF.pem)),
        b"-----BEGIN " * 95_000,
        b"\x30\x80" * (MEGABYTE // 2),
        der(SEQUENCE, b"\x05\x00" * (MEGABYTE // 2 - 10)),
        b"\xff\xfe" + b"-\0" * (MEGABYTE // 2 - 2),
        b"".join(b"\x30\x83" + (MEGABYTE - 5 * n).to_bytes(3) for n in range(1, 200_000)),
    ],
    ids=lambda content: repr(content[:30]),
)
def test_a_megabyte_of_anything_is_judged(content: bytes) -> None:
    assert check([content], names=["localhost"], password="x").pair is None


@given(st.integers(0, len(LEAF.der) - 1), st.integers(0, 255), st.booleans())
@settings(deadline=None, max_examples=300)
def test_no_octet_of_a_certificate_makes_it_raise(at: int, octet: int, is_root: bool) -> None:
    content = bytearray(CA.der if is_root else LEAF.der)
    content[at % len(content)] = octet
    files = [bytes(content), LEAF.der if is_root else CA.der, LEAF.key_pem()]

    checked = check(files, names=["localhost"])

    is_whole = bytes(content) in {CA.der, LEAF.der}
    assert is_whole or not checked.is_fine
