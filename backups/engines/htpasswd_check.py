"""A users file judged line by line, and the same file with what blocks it taken out."""

from dataclasses import dataclass

from backups.engines.errors import EngineError
from backups.engines.htpasswd_entries import Problem, parse
from backups.engines.htpasswd_grammar import Record, read_records

_USABLE = "usable"


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """What rest-server makes of one line; `code` is "usable", or that of the worst problem."""

    number: int
    name: str
    code: str
    sentence: str = ""
    blocks: bool = False

    @property
    def is_usable(self) -> bool:
        return self.code == _USABLE


@dataclass(frozen=True, slots=True)
class MendedLine:
    """A line that would become a comment."""

    number: int
    former: str
    now: str


def check_file(text: str) -> tuple[CheckedLine, ...]:
    """Every line but comments and empty ones, in the order of the file."""
    problems: dict[int, Problem] = {}
    for problem in parse(text).problems:
        if problem.line not in problems or problem.blocks:
            problems[problem.line] = problem
    return tuple(
        _checked(record, problems.get(record.line))
        for record in read_records(text)
        if not record.is_comment
    )


def mend(text: str) -> str:
    """The text with every line that blocks the file turned into a comment."""
    contents = parse(text)
    # Without one bad line, another can turn out to be the odd one.
    for _ in range(text.count("\n") + 2):
        if not contents.is_refused:
            return text
        text = _without(text, {problem.line for problem in contents.problems if problem.blocks})
        contents = parse(text)
    raise EngineError("This users file cannot be mended line by line. Put the former one back.")


def mended_lines(former: str, now: str) -> tuple[MendedLine, ...]:
    """What mend() changed, without the hashes: they are shown to nobody."""
    pairs = zip(former.split("\n"), now.split("\n"), strict=True)
    return tuple(
        MendedLine(number, _masked(before), _masked(after))
        for number, (before, after) in enumerate(pairs, 1)
        if before != after
    )


def _checked(record: Record, problem: Problem | None) -> CheckedLine:
    name = record.fields[0] if len(record.fields) > 1 else ""
    if problem is None or problem.code == "unused-field":
        # rest-server reads name and hash, and lets such a user in.
        return CheckedLine(record.line, name, _USABLE, problem.sentence if problem else "")
    return CheckedLine(record.line, name, problem.code, problem.sentence, problem.blocks)


def _without(text: str, bad: set[int]) -> str:
    lines = text.split("\n")
    for record in read_records(text):
        if record.line in bad:
            # A field in quotation marks may run over several lines.
            for number in range(record.line - 1, record.line + record.source.count("\n")):
                lines[number] = f"#{lines[number]}"
    return "\n".join(lines)


def _masked(line: str) -> str:
    name, colon, rest = line.partition(":")
    # Without a colon, the line itself may be a hash or a password.
    shown = name if colon else f"{name[:8]}…" if len(name) > 8 else name
    return shown + (":…" if rest else colon)
