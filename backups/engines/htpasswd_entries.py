"""What rest-server makes of an `.htpasswd` file, and the file that says what is wanted."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from backups.engines.errors import EngineError
from backups.engines.htpasswd_grammar import Record, read_records

Kind = Literal["bcrypt", "sha1", "apr1", "crypt", "plain", "unknown"]

# Go's bcrypt looks at the first 60 characters and takes whatever follows.
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}", re.ASCII)
_SHA1 = re.compile(r"\{SHA\}[A-Za-z0-9+/]{27}=")
_DES_CRYPT = re.compile(r"[./A-Za-z0-9]{13}")
_BEGINNINGS: dict[str, Kind] = {
    "$2": "bcrypt",
    "{SHA}": "sha1",
    "$apr1$": "apr1",
    "$1$": "crypt",
    "$5$": "crypt",
    "$6$": "crypt",
    "$y$": "crypt",
    "$": "unknown",
    "{": "unknown",
}
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Entry:
    """A user as the file has it."""

    name: str
    hash: str = field(repr=False)

    @property
    def kind(self) -> Kind:
        for beginning, kind in _BEGINNINGS.items():
            if self.hash.startswith(beginning):
                return kind
        if not self.hash:
            return "unknown"
        return "crypt" if _DES_CRYPT.fullmatch(self.hash) else "plain"

    @property
    def cost(self) -> int | None:
        """Of bcrypt: each step up doubles the work of a sign-in."""
        found = _BCRYPT.match(self.hash)
        return int(found[1]) if found else None

    @property
    def is_usable(self) -> bool:
        """Whether rest-server can let anybody in with this hash."""
        return bool(_BCRYPT.match(self.hash) or _SHA1.fullmatch(self.hash))


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that does not do what its author meant; `blocks`: the whole file is refused."""

    line: int
    code: str
    sentence: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """Who rest-server knows, once the blocking problems are gone, in the order of the file."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    # Comments, and as comments the lines that rest-server ignores: nothing by hand gets lost.
    comments: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether rest-server would not start with this file."""
        return any(problem.blocks for problem in self.problems)


@lru_cache(maxsize=8)
def parse(text: str) -> Contents:
    """What rest-server makes of this text, and what it does not.

    A file of ten thousand entries takes a tenth of a second, and every page of users reads it.
    """
    everything = list(read_records(text))
    records = [record for record in everything if not record.is_comment]
    entries: dict[str, Entry] = {}
    lines: dict[str, int] = {}
    problems = list(_field_problems(records))
    comments = [record.source for record in everything if record.is_comment]
    for record in records:
        if len(record.fields) < 2:
            continue
        name, hashed = record.fields[:2]
        if not is_name(name):
            problems.append(_ignored(record, name))
            comments += [f"#{line}" for line in record.source.split("\n")]
            continue
        if name in entries:
            problems.append(_duplicate(lines[name], record.line, name))
        entries[name], lines[name] = Entry(name, hashed), record.line
    for name, entry in entries.items():
        if not entry.is_usable:
            problems.append(_unusable(lines[name], entry))
    problems.sort(key=lambda problem: problem.line)
    return Contents(tuple(entries.values()), tuple(problems), tuple(comments))


def render(entries: Iterable[Entry], *, comments: Sequence[str] = ()) -> str:
    """The file with exactly these entries; refuses what rest-server would read differently."""
    wanted = tuple(entries)
    text = "".join([*(f"{line}\n" for line in comments), *map(_line, wanted)])
    if not all(line.startswith("#") for line in comments) or _read_back(text) != wanted:
        raise EngineError(_why_not(wanted))
    return text


def is_name(name: str) -> bool:
    """As in rest-server's validUsernameRegexp: any other name is ignored without a word."""
    return bool(name) and all(
        char in "0123456789@._-" or unicodedata.category(char).startswith("L") for char in name
    )


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decode(content: bytes) -> str:
    """Bytes that are no UTF-8 come back as they were from encode()."""
    return content.decode("utf-8", "surrogateescape")


def quoted(name: str) -> str:
    """A name from outside, for a sentence."""
    return repr(name if len(name) <= 40 else f"{name[:39]}…")


def _line(entry: Entry) -> str:
    return f"{entry.name}:{entry.hash}\n"


def _read_back(text: str) -> tuple[Entry, ...] | None:
    try:
        contents = parse(decode(encode(text)))
    except UnicodeEncodeError:
        return None
    return None if contents.is_refused else contents.entries


def _why_not(entries: tuple[Entry, ...]) -> str:
    for name, times in Counter(entry.name for entry in entries).items():
        if times > 1:
            return f"The user {quoted(name)} stands {times} times in the list; keep one."
    for entry in entries:
        if _read_back(_line(entry)) != (entry,):
            return (
                f"The user {quoted(entry.name)} cannot be written: rest-server would read its "
                "name or its hash differently. Give it another name or a new password."
            )
    return "A comment would be read as a user. Begin it with '#' and keep it on one line."


def _field_problems(records: list[Record]) -> Iterator[Problem]:
    for record in records:
        if record.fault:
            yield Problem(
                record.line, "quotation-mark", _refused(record, record.fault), blocks=True
            )
    whole = [record for record in records if not record.fault]
    # Go takes the number of fields from the first line and holds every other line to it.
    is_uneven = len({len(record.fields) for record in whole}) > 1
    for record in whole:
        count = len(record.fields)
        if count > 2 and is_uneven:
            yield Problem(
                record.line, "too-many-fields", _refused(record, "a colon too many"), blocks=True
            )
        elif count > 2:
            sentence = f"Line {record.line}: what follows the second colon is not used."
            yield Problem(record.line, "unused-field", sentence)
        elif count < 2:
            yield _without_colon(record, is_uneven=is_uneven)


def _without_colon(record: Record, *, is_uneven: bool) -> Problem:
    # In a file of nothing else, rest-server panics for a valid name and ignores any other.
    blocks = is_uneven or is_name(record.fields[0])
    what = "it holds only blanks" if not record.source.strip() else "it has no colon"
    if record.source.lstrip().startswith("#"):
        what = "a comment must begin in the first column"
    if record.source.startswith(f"{_BOM}#"):
        what = "a byte order mark stands before the comment"
    sentence = _refused(record, what) if blocks else f"Line {record.line} is ignored: {what}."
    return Problem(record.line, "no-colon", sentence, blocks=blocks)


def _refused(record: Record, what: str) -> str:
    return f"Line {record.line}: {what}, so rest-server refuses the whole file."


def _ignored(record: Record, name: str) -> Problem:
    if name.startswith(_BOM):
        sentence = (
            f"Line {record.line} begins with a byte order mark, so its user is ignored. "
            "Save the file as UTF-8 without one."
        )
        return Problem(record.line, "byte-order-mark", sentence)
    sentence = (
        f"Line {record.line}: {quoted(name)} is ignored. Names may hold letters, "
        "digits and @ . _ - alone."
    )
    return Problem(record.line, "ignored-name", sentence)


def _duplicate(former: int, line: int, name: str) -> Problem:
    sentence = f"Line {former}: {quoted(name)} stands again in line {line}, and only that counts."
    return Problem(former, "duplicate", sentence)


def _unusable(line: int, entry: Entry) -> Problem:
    reasons: dict[Kind, str] = {
        "bcrypt": "its bcrypt hash is cut or of a variant that rest-server does not know",
        "sha1": "its SHA-1 hash is not complete",
        "apr1": "rest-server does not know hashes of Apache's MD5 (htpasswd -m)",
        "crypt": "rest-server does not know crypt hashes (htpasswd -d, -2, -5)",
        "plain": "this is no hash, and rest-server takes no plain passwords",
        "unknown": "rest-server does not know this kind of hash",
    }
    sentence = (
        f"Line {line}: {quoted(entry.name)} cannot sign in: {reasons[entry.kind]}. "
        "Give it a new password."
    )
    return Problem(line, "unusable-hash", sentence)
