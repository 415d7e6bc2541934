"""DER, read one level at a time; whatever is not as it should be is a ValueError."""

from typing import NamedTuple

SEQUENCE, SET, INTEGER, BOOLEAN = 0x30, 0x31, 0x02, 0x01
BITS, OCTETS, OID = 0x03, 0x04, 0x06
_MOST = 20_000


class Part(NamedTuple):
    """One element: its tag, what it holds, and all of it."""

    tag: int
    content: bytes
    whole: bytes


def first(data: bytes, start: int = 0) -> Part:
    """The element that begins there."""
    if len(data) < start + 2 or data[start] & 0x1F == 0x1F:
        raise ValueError("There is no element, or one with a long tag.")
    size, begin = data[start + 1], start + 2
    if size >= 0x80:
        width = size & 0x7F
        begin += width
        size = int.from_bytes(data[start + 2 : begin], "big")
        if not 1 <= width <= 4 or size < 0x80 or size >> (8 * width - 8) == 0:
            raise ValueError("The length is not written as DER wants it.")
    if len(data) < begin + size:
        raise ValueError("It ends too early.")
    return Part(data[start], data[begin : begin + size], data[start : begin + size])


def parts(data: bytes) -> list[Part]:
    """The elements one after another."""
    found: list[Part] = []
    start = 0
    while start < len(data):
        if len(found) == _MOST:
            raise ValueError("There are too many elements.")
        found.append(first(data, start))
        start += len(found[-1].whole)
    return found


def inside(data: bytes, tag: int = SEQUENCE) -> list[Part]:
    """What the first element holds, which must have this tag."""
    return parts(content_of(first(data), tag))


def content_of(part: Part, tag: int) -> bytes:
    if part.tag != tag:
        raise ValueError(f"There is a tag {part.tag:#x} instead of {tag:#x}.")
    return part.content


def boolean(part: Part) -> bool:
    if content_of(part, BOOLEAN) not in {b"\0", b"\xff"}:
        raise ValueError("This is neither true nor false.")
    return part.content == b"\xff"


def number(part: Part) -> int:
    return int.from_bytes(content_of(part, INTEGER), "big", signed=True)


def bits(part: Part) -> bytes:
    """A string of bits, which tells in front how many of the last octet do not count."""
    content = content_of(part, BITS)
    unused = content[0] if content else 8
    if unused > 7 or (unused and (len(content) == 1 or content[-1] & (1 << unused) - 1)):
        raise ValueError("The bits that do not count are not as they should be.")
    return content[1:]


def dotted(part: Part, *, largest: int = 2**31 - 1) -> str:
    """An object identifier as people write it; Go takes no number in it that is larger."""
    numbers, current, is_inside = [], 0, False
    for octet in content_of(part, OID)[:64]:
        if not is_inside and octet == 0x80:
            raise ValueError("A number begins with nothing.")
        current = current << 7 | octet & 0x7F
        is_inside = bool(octet & 0x80)
        if not is_inside:
            numbers.append(current)
            current = 0
    if is_inside or not numbers or max(numbers) > largest:
        raise ValueError("This is no object identifier.")
    top = min(numbers[0] // 40, 2)
    return ".".join(map(str, [top, numbers[0] - 40 * top, *numbers[1:]]))
