"""What `systemd-analyze security` says of a unit, read and added up again."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from backups.engines import untrusted
from backups.engines.errors import EngineError
from backups.engines.systemd_checks import Finding

MAX_OUTPUT = 2 * 1024 * 1024
MAX_LINE = 600

# A row that does not apply to the unit carries this instead of a badness.
NOT_APPLICABLE = 2**64 - 1

_LEVELS = (
    (100, "DANGEROUS"),
    (90, "UNSAFE"),
    (75, "EXPOSED"),
    (50, "MEDIUM"),
    (10, "OK"),
    (1, "SAFE"),
    (0, "PERFECT"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that systemd looks at, and what it costs the unit."""

    field: str
    name: str
    is_set: bool | None
    weight: int
    badness: int
    range: int
    description: str
    exposure: int = 0  # tenths, rounded up as systemd prints it: rows do not add up

    @property
    def is_applicable(self) -> bool:
        return self.is_set is not None

    @property
    def points(self) -> int:
        """What the row adds to the numerator of the score."""
        return _divide_up(self.badness * self.weight, self.range)


@dataclass(frozen=True, slots=True)
class Score:
    """The exposure of one unit in tenths, with all that led to it."""

    exposure: int
    level: str
    rows: tuple[Row, ...]
    mode: str
    version: str
    findings: tuple[Finding, ...] = ()

    @property
    def weight(self) -> int:
        return sum(row.weight for row in self.rows if row.is_applicable)


def level_of(exposure: int) -> str:
    """systemd's word for tenths of exposure."""
    return next(level for least, level in _LEVELS if exposure >= least or least == 0)


def parse_security(output: str, *, mode: str, version: str, unit: str) -> Score:
    """Reads the rows with their weights, and the overall score where systemd printed one.

    Both come from SYSTEMD_ANALYZE_DEBUG=1: as JSON with the unit named twice, which makes
    systemd 250 and newer add the overall score, or as text, which is all that 247 has.
    """
    if len(output) > MAX_OUTPUT:
        raise EngineError("The assessment is longer than any that systemd-analyze writes.")
    if output.lstrip().startswith("["):
        rows, reported = _read_json(output, unit)
    else:
        rows, reported = _read_text(output, unit)
    if not rows:
        raise EngineError(f"The assessment of {unit[:200]} holds no rows.")
    score = _score(rows, mode=mode, version=version)
    if reported is not None and reported != score.exposure:
        raise EngineError(
            f"systemd says {reported / 10:.1f} for {unit[:200]}, "
            f"but its rows add up to {score.exposure / 10:.1f}."
        )
    return score


def _score(rows: Iterable[Row], *, mode: str, version: str) -> Score:
    rows = tuple(sorted(rows, key=lambda row: (-row.weight, row.field)))
    weight = sum(row.weight for row in rows if row.is_applicable)
    if not weight:
        raise EngineError("No row of the assessment applies to the unit.")
    exposure = _divide_up(100 * sum(row.points for row in rows), weight)
    shares = (_divide_up(_divide_up(r.badness * r.weight * 100, r.range), weight) for r in rows)
    return Score(
        exposure=exposure,
        level=level_of(exposure),
        rows=tuple(replace(row, exposure=share) for row, share in zip(rows, shares, strict=True)),
        mode=mode,
        version=version,
    )


def _divide_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _read_json(output: str, unit: str) -> tuple[list[Row], int | None]:
    tables: list[list[dict[str, object]]] = []
    overview: dict[str, object] = {}
    for document in _documents(output):
        match document:
            case [{"unit": _, "exposure": _}, *_]:
                overview = {str(entry.get("unit")): entry.get("exposure") for entry in document}
            case [{"json_field": _}, *_]:
                tables.append(document)
    if overview.keys() - {unit}:
        raise EngineError(f"The assessment is of other units than {unit[:200]} too.")
    rows = [_json_row(entry) for entry in tables[0]] if tables else []
    return rows, _tenths(overview.get(unit))


def _documents(output: str) -> Iterator[list[dict[str, object]]]:
    """systemd writes its arrays one after the other, with blank lines between."""
    decoder = json.JSONDecoder()
    position = 0
    while match := re.compile(r"\s*(?=\S)").match(output, position):
        try:
            document, position = decoder.raw_decode(output, match.end())
        except (ValueError, RecursionError):
            raise EngineError("The assessment is cut off or is no JSON.") from None
        if not isinstance(document, list) or not all(isinstance(e, dict) for e in document):
            raise EngineError("The assessment is not what systemd-analyze writes.")
        yield document


def _json_row(entry: object) -> Row:
    match entry:
        case {
            "set": bool() | None as is_set,
            "name": str(name),
            # 252 and newer have one field with a stray parenthesis at its end.
            "json_field": str(field),
            "description": str() | None as description,
            "weight": int(weight),
            "badness": int(badness),
            "range": int(range_),
        }:
            field = field.rstrip(")")
            return _checked(Row(field, name, is_set, weight, badness, range_, description or ""))
    raise EngineError("The assessment has no weights: run it with SYSTEMD_ANALYZE_DEBUG=1.")


_TEXT_ROW = re.compile(
    # Of ProtectProc=noaccess, systemd has nothing to say.
    r"(?P<mark>[-+✓✗ ]) (?P<name>\S+=\S*) +(?:(?P<description>\S.*?) +)?"
    r"(?P<weight>\d{1,9}) +(?P<badness>\d{1,20}) +(?P<range>\d{1,9})(?: +\d+\.\d)? *$"
)
_TEXT_OVERALL = re.compile(r"(?:->|→) Overall exposure level for (\S+): (\d{1,2}\.\d) ")
_MARKS = {"+": True, "✓": True, "-": False, "✗": False, " ": None}


def _read_text(output: str, unit: str) -> tuple[list[Row], int | None]:
    rows: list[Row] = []
    for line in output.split("\n"):
        line = line[:MAX_LINE]
        if match := _TEXT_ROW.match(line):
            row = Row(
                field=field_of(match["name"]),
                name=match["name"],
                is_set=_MARKS[match["mark"]],
                weight=int(match["weight"]),
                badness=int(match["badness"]),
                range=int(match["range"]),
                description=match["description"] or "",
            )
            rows.append(_checked(row))
        elif match := _TEXT_OVERALL.match(line):
            if match[1] != unit:
                raise EngineError(f"The assessment is of {match[1][:200]}, not of {unit[:200]}.")
            return rows, _tenths(match[2])
    raise EngineError("The assessment is cut off: it has no overall score.")


# All units are told the same of the same rows.
_text = lru_cache(maxsize=2048)(untrusted.text)


def _checked(row: Row) -> Row:
    row = replace(
        row,
        field=_text(row.field, limit=100),
        name=_text(row.name, limit=100),
        description=_text(row.description, limit=300),
    )
    if row.badness == NOT_APPLICABLE:
        row = replace(row, is_set=None, badness=0)
    is_sane = 0 <= row.weight <= 10**6 and 0 < row.range <= 10**6
    if not is_sane or not 0 <= row.badness <= row.range:
        raise EngineError(f"The assessment has impossible numbers for {row.field}.")
    return row


# Up to 249 namespaces carry the kernel's names, and 245 and older call RAWIO so.
_FORMER_NAMES = {
    "CLONE_NEWUSER": "user",
    "CLONE_NEWNS": "mnt",
    "CLONE_NEWIPC": "ipc",
    "CLONE_NEWPID": "pid",
    "CLONE_NEWCGROUP": "cgroup",
    "CLONE_NEWNET": "net",
    "CLONE_NEWUTS": "uts",
    "CAP_RAWIO": "CAP_SYS_RAWIO",
    "…": "OTHER",
}


def field_of(name: str) -> str:
    """The JSON field of a row that was printed as text."""
    directive, _, value = name.partition("=")
    if not value.startswith("~"):
        return name.replace("=/", "Or").rstrip("=")
    value = _FORMER_NAMES.get(value[1:], value[1:])
    words = re.sub(r"_\*|[@)]", "", value)
    return f"{directive}_{re.sub(r'[-|_(]+', '_', words)}"


def _tenths(text: object) -> int | None:
    if isinstance(text, str) and re.fullmatch(r"\d{1,2}\.\d", text):
        return int(text.replace(".", ""))
    return None
