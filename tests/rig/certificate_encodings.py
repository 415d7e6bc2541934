"""Names, dates and numbers at the edges of what Go's parser of certificates takes."""

from collections.abc import Iterator

from backups.engines.certificate_pem import pem
from tests.rig.certificate_oddities import GOOD_NAMES, NAMES, raw
from tests.rig.certificate_rows import Row, plain
from tests.rig.certificates import authority, make
from tests.rig.der import (
    GENERALIZED,
    NULL,
    SEQUENCE,
    UTC,
    algorithm,
    by_hand,
    der,
    integer,
    name,
    oid,
    times,
)

_MAIL, _DNS, _URI, _IP, _DIRECTORY = 0x81, 0x82, 0x86, 0x87, 0xA4
_COMMON_NAME, _SERIAL = "2.5.4.3", "2.5.4.5"
_OK, _UNREADABLE, _BROKEN = (), ("unreadable",), ("broken-certificate",)


def rows() -> Iterator[tuple[str, Row]]:
    yield from alternative_names()
    yield from names_for_hosts()
    yield from numbers()
    yield from dates()
    yield from subjects()


def alternative_names() -> Iterator[tuple[str, Row]]:
    """What may stand beside the names that hosts use."""
    ca = authority()
    for kind, tag, text, codes in (
        ("dns-utf8", _DNS, "bücher.example".encode(), _UNREADABLE),
        ("dns-latin1", _DNS, "bücher.example".encode("latin-1"), _UNREADABLE),
        ("dns-blank", _DNS, b"two words.example", _OK),
        ("dns-empty", _DNS, b"", _OK),
        ("dns-underscore", _DNS, b"_x.example", _OK),
        ("dns-punycode", _DNS, b"xn--bcher-kva.example", _OK),
        ("dns-trailing-dot", _DNS, b"x.example.", _OK),
        ("dns-address", _DNS, b"10.0.0.1", _OK),
        ("dns-long-label", _DNS, b"x" * 64 + b".example", _OK),
        ("dns-null", _DNS, b"x\0.example", _OK),
        ("dns-star-inside", _DNS, b"x.*.example", _OK),
        ("uri", _URI, b"https://x.example:80/?x#y", _OK),
        ("uri-blank-in-path", _URI, b"http://x.example/two words", _OK),
        ("uri-no-host", _URI, b"spiffe:///x", _OK),
        ("uri-mail", _URI, b"mailto:x@y", _OK),
        ("uri-address", _URI, b"http://[::1]/", _OK),
        ("uri-zone", _URI, b"http://[fe80::1%25eth0]/", _OK),
        ("uri-relative", _URI, b"just a text", _OK),
        ("uri-empty", _URI, b"", _OK),
        ("uri-user", _URI, b"http://x:y@x.example/", _OK),
        ("uri-blank", _URI, b"http://two words/", _UNREADABLE),
        ("uri-escape", _URI, b"http://x.example/%zz", _UNREADABLE),
        ("uri-escape-in-host", _URI, b"http://x%20y.example/", _UNREADABLE),
        ("uri-control", _URI, b"http://x.example/\x01", _UNREADABLE),
        ("uri-no-scheme", _URI, b":x", _UNREADABLE),
        ("uri-early-colon", _URI, b"a b:c", _UNREADABLE),
        ("uri-port", _URI, b"http://x.example:y/", _UNREADABLE),
        ("uri-trailing-dot", _URI, b"http://x.example./", _UNREADABLE),
        ("uri-two-dots", _URI, b"http://x..example/", _UNREADABLE),
        ("uri-blank-user", _URI, b"http://a b@x.example/", _UNREADABLE),
        ("uri-two-ports", _URI, b"http://x:80:90/", _OK),
        ("uri-zone-raw", _URI, b"http://[fe80::1%en]/", _UNREADABLE),
        ("uri-escape-in-fragment", _URI, b"http://x/#%", _UNREADABLE),
        ("uri-utf8", _URI, "http://bücher/".encode(), _UNREADABLE),
        ("mail-odd", _MAIL, b"no mail at all", _OK),
        ("mail-utf8", _MAIL, "bü@x.example".encode(), _UNREADABLE),
        ("ip-short", _IP, b"\x7f\0\0", _UNREADABLE),
        ("ip-mapped", _IP, b"\0" * 10 + b"\xff\xff\x0a\0\0\1", ("address-mapped",)),
        ("other-name", 0xA0, oid("1.2.3.4") + der(0xA0, der(12, b"x")), _OK),
        ("directory-name", _DIRECTORY, name((_COMMON_NAME, 12, b"x")), _OK),
        ("registered-name", 0x88, b"\x2a\3", _OK),
        ("x400-name", 0xA3, b"", _OK),
    ):
        value = der(SEQUENCE, *GOOD_NAMES, der(tag, text))
        yield kind, plain(make(by=ca, names=None, more=[raw(NAMES, value)]), ca, *codes)


def names_for_hosts() -> Iterator[tuple[str, Row]]:
    ca = authority()
    empty = make(by=ca, names=None, more=[raw(NAMES, der(SEQUENCE))])
    yield "names-empty", plain(empty, ca, "no-names")
    directory = der(SEQUENCE, der(_DIRECTORY, name((_COMMON_NAME, 12, b"x"))))
    leaf = make(by=ca, names=None, more=[raw(NAMES, directory, critical=True)])
    yield "directory-critical", plain(leaf, ca, "no-names", "critical-extension")
    wild = make(by=ca, names=("*", "127.0.0.1"))
    yield "wildcard-alone", plain(wild, ca, "name-missing", is_disputed=True)
    for kind, names, codes in (
        ("upper-case", ("LOCALHOST", "127.0.0.1"), ()),
        ("address-mapped", ("localhost", "::ffff:127.0.0.1"), ("address-mapped",)),
        ("wildcard-inside", ("local*", "127.0.0.1"), ("name-missing",)),
        ("trailing-dot", ("localhost.", "127.0.0.1"), ("name-missing",)),
    ):
        yield kind, plain(make(by=ca, names=names), ca, *codes)


def numbers() -> Iterator[tuple[str, Row]]:
    ca = authority()
    model = make(by=ca)
    yield "serial-zero", plain(by_hand(model, ca, serial=integer(0)), ca)
    yield "serial-long", plain(by_hand(model, ca, serial=integer(2**200)), ca)
    yield "serial-very-long", plain(by_hand(model, ca, serial=integer(2**4000)), ca)
    padded = by_hand(model, ca, serial=der(2, b"\0\0\1"))
    yield "serial-padded", plain(padded, ca, *_BROKEN)
    negative = by_hand(model, ca, serial=integer(-5))
    yield "serial-negative", plain(negative, ca, "serial-negative", is_disputed=True)
    other = by_hand(model, ca, inner=algorithm("1.2.840.10045.4.3.3"))
    yield "algorithms-differ", plain(other, ca, *_UNREADABLE)
    filled = by_hand(model, ca, inner=algorithm("1.2.840.10045.4.3.2", der(NULL)))
    yield "algorithm-with-null", plain(filled, ca, *_BROKEN)
    text, key = pem("CERTIFICATE", model.der + b"\0\0").encode(), model.key_pem()
    yield "trailing-data", Row([text, key, ca.pem], set(_BROKEN), ca.pem, (text, key))


def dates() -> Iterator[tuple[str, Row]]:
    ca = authority()
    model, late = make(by=ca), (GENERALIZED, "20990101000000Z")
    for kind, begins, ends, codes in (
        ("until-2099", (UTC, "250101000000Z"), late, _OK),
        ("until-9999", (UTC, "250101000000Z"), (GENERALIZED, "99991231235959Z"), _OK),
        ("since-1950", (UTC, "500101000000Z"), late, _OK),
        ("since-1949", (GENERALIZED, "19490101000000Z"), late, _OK),
        ("since-1", (GENERALIZED, "00010101000000Z"), late, _OK),
        ("generalized-2025", (GENERALIZED, "20250101000000Z"), late, _OK),
        ("no-seconds", (UTC, "2501010000Z"), late, _BROKEN),
        ("zone", (UTC, "250101000000+0100"), late, _BROKEN),
        ("fraction", (GENERALIZED, "20250101000000.5Z"), late, _BROKEN),
        ("no-such-day", (UTC, "250230000000Z"), late, _BROKEN),
        ("leap-second", (UTC, "161231235960Z"), late, _BROKEN),
        ("upside-down", (UTC, "300101000000Z"), (UTC, "250101000000Z"), ("expired",)),
    ):
        validity = times(begins, ends)
        is_disputed = kind in {"no-seconds", "zone"}
        made = by_hand(model, ca, validity=validity)
        yield f"dates-{kind}", plain(made, ca, *codes, is_disputed=is_disputed)


def subjects() -> Iterator[tuple[str, Row]]:
    ca = authority()
    model = make(by=ca)
    empty = by_hand(model, ca, subject=der(SEQUENCE))
    yield "subject-empty", plain(empty, ca)
    for kind, attribute, codes in (
        ("latin1", (_COMMON_NAME, 20, b"b\xfccher"), _OK),
        ("bmp", (_COMMON_NAME, 30, b"\0x\0y"), _OK),
        ("numeric", (_SERIAL, 18, b"12 3"), _OK),
        ("country", ("2.5.4.6", 19, b"Germany"), _OK),
        ("no-text", (_COMMON_NAME, 12, b""), _OK),
        ("long", (_COMMON_NAME, 12, b"x" * 3000), _OK),
        ("bmp-odd", (_COMMON_NAME, 30, b"\0x\0"), _BROKEN),
        ("printable-wrong", (_COMMON_NAME, 19, b"a@b"), _BROKEN),
        ("universal", (_COMMON_NAME, 28, b"\0\0\0x"), _UNREADABLE),
        ("visible", (_COMMON_NAME, 26, b"x"), _UNREADABLE),
        ("utf8-wrong", (_COMMON_NAME, 12, b"b\xfccher"), _UNREADABLE),
        ("ia5-wrong", (_COMMON_NAME, 22, b"\xfc"), _UNREADABLE),
        ("numeric-wrong", (_SERIAL, 18, b"x"), _UNREADABLE),
        ("integer", (_SERIAL, 2, b"\5"), _UNREADABLE),
        ("bits", ("2.5.4.45", 3, b"\0\5"), _UNREADABLE),
    ):
        yield f"subject-{kind}", plain(by_hand(model, ca, subject=name(attribute)), ca, *codes)
