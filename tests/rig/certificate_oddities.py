"""Keys, signatures and extensions at the edges of what Go's crypto/x509 takes."""

from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA3_256, SHA224, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.rig.certificate_rows import Row, plain
from tests.rig.certificates import Made, authority, ec_key, make
from tests.rig.der import BITS, OCTETS, SEQUENCE, algorithm, by_hand, der, extension, integer, oid

NAMES = "2.5.29.17"
GOOD_NAMES = (der(0x82, b"localhost"), der(0x87, b"\x7f\0\0\1"))
_EC, _P256 = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7"


def rows() -> Iterator[tuple[str, Row]]:
    yield from issuer_keys()
    yield from exponents()
    yield from unusual_keys()
    yield from signatures()
    yield from critical_extensions()
    yield from other_extensions()
    yield from versions()


def below(middle: Made, root: Made, like: Made, *codes: str, **more: Any) -> Row:
    """A leaf that `like` has signed, with another certificate of that authority beside it."""
    leaf = make(by=like)
    chain = leaf.pem + middle.pem
    raw = (chain, leaf.key_pem())
    return Row([chain, leaf.key_pem(), root.pem], set(codes), root.pem, raw, **more)


def issuer_keys() -> Iterator[tuple[str, Row]]:
    for name, curve in {"secp256k1": ec.SECP256K1(), "brainpool": ec.BrainpoolP384R1()}.items():
        ca = authority(key=ec_key(curve))
        yield f"issuer-{name}", plain(make(by=ca), ca, "issuer-key-kind")
    for name, key in {
        "ed448": ed448.Ed448PrivateKey.generate(),
        "dsa": dsa.generate_private_key(2048),
    }.items():
        ca = authority(key=key)
        yield f"issuer-{name}", plain(make(by=ca), ca, "issuer-key-kind", "signature-kind")
    for name, curve in {"p224": ec.SECP224R1(), "p521": ec.SECP521R1()}.items():
        ca = authority(key=ec_key(curve))
        yield f"issuer-{name}", plain(make(by=ca), ca)
    ca = authority(key=rsa.generate_private_key(65537, 1024))
    yield "issuer-rsa-1024", plain(make(by=ca), ca, "issuer-key-weak")


def exponents() -> Iterator[tuple[str, Row]]:
    too_large, large = with_exponent(2**31 + 11), with_exponent(2**31 - 1)
    ca = authority()
    yield "exponent-too-large", plain(make(by=ca, key=too_large), ca, "key-kind")
    yield "exponent-large", plain(make(by=ca, key=large), ca)
    yield "exponent-3", plain(make(by=ca, key=with_exponent(3)), ca)
    ca = authority(key=too_large)
    yield (
        "issuer-exponent-too-large",
        plain(make(by=ca), ca, "issuer-exponent", is_disputed=True),
    )
    ca = authority(key=large)
    yield "issuer-exponent-large", plain(make(by=ca), ca)


def with_exponent(exponent: int) -> rsa.RSAPrivateKey:
    while True:
        numbers = rsa.generate_private_key(65537, 2048).private_numbers()
        p, q = numbers.p, numbers.q
        try:
            d = pow(exponent, -1, (p - 1) * (q - 1))
        except ValueError:
            continue
        public = rsa.RSAPublicNumbers(exponent, p * q)
        rest = (d % (p - 1), d % (q - 1), pow(q, -1, p))
        return rsa.RSAPrivateNumbers(p, q, d, *rest, public).private_key()


def unusual_keys() -> Iterator[tuple[str, Row]]:
    root, key = authority(), ec_key()
    leaf, middle = make(by=root, key=key), authority("Middle CA", by=root, key=key)
    for name, written in {"explicit": explicit(key), "compressed": compressed(key)}.items():
        yield f"key-{name}", plain(by_hand(leaf, root, spki=written), root, "key-kind")
        unusual = by_hand(middle, root, spki=written)
        yield f"issuer-{name}", below(unusual, root, middle, "issuer-key-kind")


def compressed(key: ec.EllipticCurvePrivateKey) -> bytes:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return der(SEQUENCE, algorithm(_EC, oid(_P256)), der(BITS, b"\0", point))


def explicit(key: ec.EllipticCurvePrivateKey) -> bytes:
    """P-256 with its curve spelt out, as `openssl ecparam -param_enc explicit` does it."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    a = (prime - 3).to_bytes(32, "big")
    b = bytes.fromhex("5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B")
    x = bytes.fromhex("6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296")
    y = bytes.fromhex("4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    parameters = der(
        SEQUENCE,
        integer(1),
        der(SEQUENCE, oid("1.2.840.10045.1.1"), integer(prime)),
        der(SEQUENCE, der(OCTETS, a), der(OCTETS, b)),
        der(OCTETS, b"\4", x, y),
        integer(order),
        integer(1),
    )
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return der(SEQUENCE, algorithm(_EC, parameters), der(BITS, b"\0", point))


def signatures() -> Iterator[tuple[str, Row]]:
    curve, other = authority(), authority(key=rsa.generate_private_key(65537, 2048))
    for ca, kind in ((curve, "ecdsa"), (other, "rsa")):
        for digest in (SHA256(), SHA384(), SHA512()):
            yield f"{kind}-{digest.name}", plain(make(by=ca, digest=digest), ca)
        for digest in (SHA224(), SHA3_256()):
            row = plain(make(by=ca, digest=digest), ca, "signature-kind")
            yield f"{kind}-{digest.name}", row
    for digest in (SHA256(), SHA384(), SHA512()):
        usual = PSS(MGF1(digest), digest.digest_size)
        yield f"pss-{digest.name}", plain(make(by=other, digest=digest, padding=usual), other)
    for name, digest, strange in (
        ("salt-20", SHA256(), PSS(MGF1(SHA256()), 20)),
        ("salt-longest", SHA256(), PSS(MGF1(SHA256()), PSS.MAX_LENGTH)),
        ("other-mask", SHA256(), PSS(MGF1(SHA384()), 32)),
        ("sha224", SHA224(), PSS(MGF1(SHA224()), 28)),
    ):
        leaf = make(by=other, digest=digest, padding=strange)
        yield f"pss-{name}", plain(leaf, other, "signature-kind")
    own, root = make(digest=SHA224()), authority(digest=SHA224())
    yield "self-signed-sha224", Row([own.pem, own.key_pem()], {"self-signed"}, own.pem)
    yield "root-sha224", plain(make(by=root), root)


def raw(kind: str, value: bytes, *, critical: bool = False) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(kind), value), critical


def critical_extensions() -> Iterator[tuple[str, Row]]:
    ca = authority()
    access = der(SEQUENCE, oid("1.3.6.1.5.5.7.48.1"), der(0x86, b"http://x.example"))
    mapping = der(SEQUENCE, oid("1.2.3.4"), oid("1.2.3.5"))
    for name, kind, value, code in (
        ("subject-key-id", "2.5.29.14", der(OCTETS, b"x" * 20), "critical-wrongly"),
        ("authority-key-id", "2.5.29.35", der(SEQUENCE, der(0x80, b"x")), "critical-wrongly"),
        ("access", "1.3.6.1.5.5.7.1.1", der(SEQUENCE, access), "critical-wrongly"),
        ("policy-constraints", "2.5.29.36", der(SEQUENCE, der(0x80, b"\0")), "critical-extension"),
        ("policy-mappings", "2.5.29.33", der(SEQUENCE, mapping), "critical-extension"),
        ("inhibit-policy", "2.5.29.54", integer(0), "critical-extension"),
        ("feature", "1.3.6.1.5.5.7.1.24", der(SEQUENCE, integer(5)), "critical-extension"),
    ):
        more = [raw(kind, value, critical=True)]
        # Newer versions of Go know policies, and mind what older ones let pass.
        is_policy, is_wrong = "polic" in name, code == "critical-wrongly"
        yield f"critical-{name}", plain(make(by=ca, more=more), ca, code, is_disputed=is_policy)
        middle, root = authority("Middle CA", by=ca, more=more), authority(more=more)
        is_disputed = is_policy or is_wrong
        yield f"middle-{name}", below(middle, ca, middle, code, is_disputed=is_disputed)
        yield f"root-{name}", plain(make(by=root), root, code, is_disputed=is_disputed)


def other_extensions() -> Iterator[tuple[str, Row]]:
    ca = authority()
    feature = raw("1.3.6.1.5.5.7.1.24", der(SEQUENCE, integer(5)))
    yield "feature", plain(make(by=ca, more=[feature]), ca)
    policy = der(SEQUENCE, oid("1.2.3.4"))
    once, twice = der(SEQUENCE, policy), der(SEQUENCE, policy, policy)
    yield "policy", plain(make(by=ca, more=[raw("2.5.29.32", once, critical=True)]), ca)
    yield "policy-twice", plain(make(by=ca, more=[raw("2.5.29.32", twice)]), ca, "unreadable")
    model, names = make(by=ca), extension(NAMES, der(SEQUENCE, *GOOD_NAMES))
    yield "names-twice", plain(by_hand(model, ca, extensions=[names, names]), ca, "unreadable")
    lists = der(SEQUENCE, der(SEQUENCE, der(0xA0, der(0x80, b"x"))))
    access = der(SEQUENCE, der(SEQUENCE, oid("1.2.3.4"), b"\x86\x09x"))
    for name, kind, value in (
        ("usage-unused-bits", "2.5.29.15", der(BITS, b"\7\x81")),
        ("lists-malformed", "2.5.29.31", lists),
        ("access-malformed", "1.3.6.1.5.5.7.1.1", access),
        ("policy-malformed", "2.5.29.32", der(SEQUENCE, der(SEQUENCE, der(6, b"\x80\1")))),
        ("basic-malformed", "2.5.29.19", der(SEQUENCE, der(1, b"\1"))),
    ):
        leaf = by_hand(model, ca, extensions=[names, extension(kind, value)])
        yield name, plain(leaf, ca, "unreadable")
    for name, kind, value, codes in (
        ("path-length-no-authority", "2.5.29.19", der(SEQUENCE, integer(0)), ()),
        ("no-authority-spelt-out", "2.5.29.19", der(SEQUENCE, der(1, b"\0")), ()),
        ("path-length-negative", "2.5.29.19", der(SEQUENCE, integer(-1)), ("unreadable",)),
        ("purposes-empty", "2.5.29.37", der(SEQUENCE), ("unreadable",)),
        ("usage-empty", "2.5.29.15", der(BITS, b"\0"), ("key-usage",)),
    ):
        listed = [names, extension(kind, value, critical=True)]
        is_disputed = "unreadable" in codes
        leaf = by_hand(model, ca, extensions=listed)
        yield name, plain(leaf, ca, *codes, is_disputed=is_disputed)


def versions() -> Iterator[tuple[str, Row]]:
    ca, root, middle = authority(), authority(), authority("Middle CA", by=authority())
    model = make(by=ca)
    old = by_hand(model, ca, version=None, extensions=[])
    yield "version-1", plain(old, ca, "no-names")
    yield "no-extensions", plain(by_hand(model, ca, extensions=[]), ca, "no-names")
    old_root = by_hand(root, root, version=None, extensions=[])
    yield "root-version-1", plain(make(by=root), old_root)
    bare_root = by_hand(root, root, extensions=[])
    yield "root-no-extensions", plain(make(by=root), bare_root, "issuer-no-authority")
    old_middle = by_hand(middle, ca, version=None, extensions=[])
    yield "middle-version-1", below(old_middle, ca, middle, "issuer-no-authority")
