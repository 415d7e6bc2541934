"""How often a password is to be hashed before a file opens: read out of it, without doing it."""

from collections.abc import Iterator
from itertools import islice

from backups.engines.certificate_der import (
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    Part,
    content_of,
    dotted,
    first,
    number,
    parts,
)

# Half a second or so; what programs write by themselves asks for 2,048 up to 600,000.
MOST_ROUNDS = 1_500_000
_PBKDF2, _SCRYPT = "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
# The older ways, of PKCS#5 and of PKCS#12.
_OLDER = ("1.2.840.113549.1.5.", "1.2.840.113549.1.12.1.")
_DEEPEST, _MOST_PARTS = 30, 20_000


def rounds_of(der: bytes) -> int:
    """Of all that is open to see in a key or PKCS#12 file; 0 where it is no DER."""
    try:
        seen = list(islice(_walk(first(der), 0), _MOST_PARTS))
        return sum(map(_rounds_at, seen))
    except ValueError:
        # As in an older form of PEM, where a password is hashed but once.
        return 0


def _walk(part: Part, depth: int) -> Iterator[Part]:
    yield part
    if part.tag & 0x20 or (part.tag == OCTETS and part.content[:1] == b"\x30"):
        try:
            inner = parts(part.content)
        except ValueError:
            if part.tag == OCTETS:
                return
            raise
        if depth == _DEEPEST:
            raise ValueError("It is too deep.")
        for one in inner:
            yield from _walk(one, depth + 1)


def _rounds_at(part: Part) -> int:
    """What this element itself asks for."""
    inner = parts(part.content) if part.tag == SEQUENCE else []
    tags = [one.tag for one in inner]
    if tags[:1] == [OID] and len(inner) > 1 and inner[1].tag == SEQUENCE:
        kind, numbers = dotted(inner[0]), _numbers_in(inner[1])
        if kind == _SCRYPT and len(numbers) >= 3:
            return 2 * numbers[0] * numbers[1] * numbers[2]
        is_known = kind == _PBKDF2 or kind.startswith(_OLDER)
        return numbers[0] if is_known and numbers else 0
    # What proves a PKCS#12 file: a digest, a salt and a number.
    is_proof = tags == [SEQUENCE, OCTETS, INTEGER] and parts(inner[0].content)[-1].tag == OCTETS
    return abs(number(inner[2])) if is_proof else 0


def _numbers_in(part: Part) -> list[int]:
    return [abs(number(one)) for one in parts(content_of(part, SEQUENCE)) if one.tag == INTEGER]
