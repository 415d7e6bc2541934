"""Ways up that lead through several certificates, and what their authorities may sign."""

from collections.abc import Iterator
from typing import Any

from tests.rig.certificate_oddities import NAMES, raw
from tests.rig.certificate_rows import Row, plain
from tests.rig.certificates import Made, authority, ec_key, make
from tests.rig.der import SEQUENCE, der, name

_LIMITS = "2.5.29.30"
_MAIL, _DNS, _DIRECTORY, _URI, _IP = 0x81, 0x82, 0xA4, 0x86, 0x87


def rows() -> Iterator[tuple[str, Row]]:
    yield from crossed()
    yield from renewed()
    yield from large()
    yield from limited()


def sent(leaf: Made, *others: Made, root: Made, codes: tuple[str, ...] = (), **more: Any) -> Row:
    """What is brought, and what somebody without us would have copied: all but the root."""
    files = [leaf.pem, leaf.key_pem(), *(one.pem for one in others)]
    chain = leaf.pem + b"".join(one.pem for one in others if one is not root)
    return Row(files, set(codes), root.pem, (chain, leaf.key_pem()), **more)


def crossed() -> Iterator[tuple[str, Row]]:
    """Authorities whose key several others have signed."""
    old_root, new_root = authority("Old Root", days=(-900, -1)), authority("New Root")
    key = ec_key()
    by_old = authority("Crossed CA", by=old_root, key=key, days=(-900, 1900))
    by_new = authority("Crossed CA", by=new_root, key=key)
    own = authority("Crossed CA", key=key)
    leaf = make(by=by_new)
    left_out = ("others-left-out",)
    yield "crossed", sent(leaf, by_old, by_new, old_root, new_root, root=new_root, codes=left_out)
    yield "crossed-root", sent(leaf, by_old, own, old_root, root=own, codes=left_out)
    yield (
        "crossed-known-root",
        sent(leaf, by_old, root=own, anchors=(own.pem,), codes=left_out),
    )
    expired = authority("Crossed CA", by=new_root, key=key, days=(-900, -1))
    yield (
        "expired-among-the-known",
        sent(leaf, by_new, root=new_root, anchors=(expired.pem, new_root.pem)),
    )
    yield "middle-is-trusted", sent(leaf, by_new, root=by_new, anchors=(by_new.pem,))
    first, second = authority("First CA"), authority("Second CA")
    one = authority("First CA", by=second, key=first.key)
    other = authority("Second CA", by=first, key=second.key)
    circle = make(by=one)
    yield "circle", sent(circle, one, other, root=first, anchors=(first.pem,), codes=left_out)
    yield "circle-alone", sent(circle, one, other, root=new_root, codes=("issuer-unknown",))


def renewed() -> Iterator[tuple[str, Row]]:
    ca, key = authority(), ec_key()
    former, later = make(by=ca, key=key, days=(-300, -1)), make(by=ca, key=key)
    first, last = make(by=ca, key=key, days=(-10, 20)), make(by=ca, key=key, days=(3, 400))
    yield "renewed", beside(former, later, ca)
    yield "renewed-before-the-end", beside(first, later, ca)
    yield "renewed-for-later", beside(last, later, ca)
    middle = authority("Middle CA", by=ca, days=(-900, -1))
    again = authority("Middle CA", by=ca, key=middle.key)
    leaf = make(by=again)
    yield "middle-renewed", sent(leaf, middle, again, ca, root=ca, codes=("others-left-out",))
    later_root = authority("Test CA", key=ca.key, days=(-1, 5000))
    known = (ca.pem, later_root.pem)
    yield "root-renewed", sent(later, ca, root=ca, anchors=known, codes=("others-left-out",))


def beside(former: Made, later: Made, ca: Made) -> Row:
    files = [former.pem, later.pem, later.key_pem(), ca.pem]
    return Row(files, {"former-left-out"}, ca.pem, (later.pem, later.key_pem()))


def large() -> Iterator[tuple[str, Row]]:
    ca = authority()
    for kind, count, codes in (("large", 2700, ()), ("too-large", 2730, ("chain-too-large",))):
        others = [f"host-{number:05}.example.com" for number in range(count)]
        leaf = make(by=ca, names=("localhost", "127.0.0.1", *others))
        yield f"chain-{kind}", plain(leaf, ca, *codes, is_disputed=bool(codes))


def limited() -> Iterator[tuple[str, Row]]:
    ok, forbidden, strange = (), ("name-forbidden",), ("critical-extension",)
    network, elsewhere = b"\x7f\0\0\0\xff\0\0\0", b"\x0a\0\0\0\xff\0\0\0"
    folder = name(("2.5.4.10", 12, b"House"))
    inside = name(("2.5.4.3", 12, b"localhost"))
    both = ((_DNS, b"localhost"), (_IP, network))
    for kind, limits, codes in (
        ("same", both, ok),
        ("all", ((_DNS, b""),), ok),
        ("upper-case", ((_DNS, b"LOCALHOST"),), ok),
        ("dot", ((_DNS, b".localhost"),), forbidden),
        ("dot-above", ((_DNS, b".example.org"),), forbidden),
        ("network", ((_IP, network),), ok),
        ("other-network", ((_IP, elsewhere),), forbidden),
        ("mail", ((_MAIL, b"example.org"),), ok),
        ("uri", ((_URI, b"example.org"),), ok),
        ("directory", ((_DIRECTORY, inside),), strange),
        ("directory-too", (*both, (_DIRECTORY, inside)), strange),
        ("umlaut", ((_DNS, "bücher.example".encode()),), ("unreadable",)),
        ("blank", ((_DNS, b"two words"),), ("unreadable",)),
        ("two-dots", ((_DNS, b"..example"),), ("unreadable",)),
        ("odd-network", ((_IP, b"\x7f\0\0\0\xff\0\xff\0"),), ("unreadable",)),
        ("short-network", ((_IP, b"\x7f\0\0\0"),), ("unreadable",)),
    ):
        yield f"limit-{kind}", below_limit(limits, *codes)
    yield "limit-directory-lax", below_limit([(_DIRECTORY, inside)], critical=False)
    elsewhere_row = below_limit([(_DIRECTORY, folder)], "limits-elsewhere", critical=False)
    yield "limit-directory-elsewhere", elsewhere_row
    yield "limit-excluded", below_limit([(_DNS, b"localhost")], "name-forbidden", tag=0xA1)
    yield "limit-excluded-other", below_limit([(_DNS, b"example.org")], tag=0xA1)
    yield "limit-empty", below_limit([], "unreadable")
    for kind, tag, text, limit, codes in (
        ("mail-inside", _MAIL, b"me@example.org", (_MAIL, b"example.org"), ok),
        ("mail-outside", _MAIL, b"me@example.com", (_MAIL, b"example.org"), forbidden),
        ("mail-alone", _MAIL, b"me@example.com", (_MAIL, b"me@example.com"), ok),
        ("uri-inside", _URI, b"https://example.org/", (_URI, b"example.org"), ok),
        ("uri-outside", _URI, b"https://x.example.com/", (_URI, b"example.org"), forbidden),
        ("uri-address", _URI, b"https://127.0.0.1/", (_URI, b"example.org"), forbidden),
        ("blank-name", _DNS, b"two words", (_IP, network), forbidden),
        ("trailing-dot", _DNS, b"localhost.", (_IP, network), forbidden),
        ("address-as-name", _DNS, b"127.0.0.1", (_IP, network), ok),
    ):
        yield f"limited-{kind}", below_limit([limit], *codes, extra=der(tag, text))


def below_limit(
    limits: Any, *codes: str, tag: int = 0xA0, critical: bool = True, extra: bytes = b""
) -> Row:
    trees = der(tag, *(der(SEQUENCE, der(*limit)) for limit in limits))
    root = authority()
    middle = authority(
        "Limited CA", by=root, more=[raw(_LIMITS, der(SEQUENCE, trees), critical=critical)]
    )
    names = der(SEQUENCE, der(_DNS, b"localhost"), der(_IP, b"\x7f\0\0\1"), extra)
    leaf = make(by=middle, names=None, more=[raw(NAMES, names)])
    return sent(leaf, middle, root, root=root, codes=codes)
