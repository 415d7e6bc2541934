"""The lines of `.htpasswd` as rest-server reads them: Go's encoding/csv, ':' and '#', trimmed."""

from collections.abc import Iterator
from dataclasses import dataclass

# What Go's unicode.IsSpace knows; Python's str.isspace() knows a few more.
SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of one line; with a `fault`, the reader stops there and refuses the file."""

    line: int
    source: str
    fields: tuple[str, ...] = ()
    fault: str = ""

    @property
    def is_comment(self) -> bool:
        # Only in the first column: an indented '#' begins a field.
        return self.source.startswith("#")


class FaultyLineError(ValueError):
    """A line that Go's reader would not take; str() says what is wrong with it."""


def read_records(text: str) -> Iterator[Record]:
    """Comments and records; after a faulty line it goes on, to show the rest as well."""
    lines = _lines(text)
    end = 0
    while end < len(lines):
        start = end
        end += 1
        if lines[start] in {"", "\n"}:
            continue
        if lines[start].startswith("#"):
            yield Record(start + 1, lines[start].removesuffix("\n"))
            continue
        try:
            fields, end = _fields(lines, start)
        except FaultyLineError as fault:
            yield Record(start + 1, lines[start].removesuffix("\n"), fault=str(fault))
        else:
            source = "".join(lines[start:end]).removesuffix("\n")
            yield Record(start + 1, source, tuple(fields))


def _lines(text: str) -> list[str]:
    """With their newlines; one carriage return before a newline or at the very end is dropped."""
    *whole, last = text.split("\n")
    lines = [line.removesuffix("\r") + "\n" for line in whole]
    return [*lines, last.removesuffix("\r")] if last else lines


def _fields(lines: list[str], at: int) -> tuple[list[str], int]:
    """The fields of the record that begins on this line, and the line after its last."""
    fields: list[str] = []
    rest, at, has_more = lines[at], at + 1, True
    while has_more:
        rest = rest.lstrip(SPACE)
        if rest.startswith('"'):
            field, rest, has_more, at = _quoted(lines, rest[1:], at)
        else:
            field, colon, rest = rest.partition(":")
            has_more = bool(colon)
            if '"' in field:
                raise FaultyLineError('it has a quotation mark (") in the middle of a field')
            if not has_more:
                field = field.removesuffix("\n")
        fields.append(field)
    return fields, at


def _quoted(lines: list[str], rest: str, at: int) -> tuple[str, str, bool, int]:
    """A field in quotation marks, which may run over several lines; "" stands for one mark."""
    field = ""
    while True:
        part, mark, after = rest.partition('"')
        field += part
        if mark and after.startswith('"'):
            field += '"'
            rest = after[1:]
        elif mark and after.startswith(":"):
            return field, after[1:], True, at
        elif mark and after in {"", "\n"}:
            return field, "", False, at
        elif mark:
            raise FaultyLineError('something follows a closing quotation mark (")')
        elif at < len(lines):
            rest, at = lines[at], at + 1
        else:
            raise FaultyLineError('a quotation mark (") is never closed')
