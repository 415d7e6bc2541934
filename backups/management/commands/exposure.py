"""`manage.py exposure`: how open a unit is, as systemd-analyze says, and a better one."""

from pathlib import Path
from typing import Any

from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.engines.systemd_choices import BY_ITSELF, CHOICES, is_advised, version_of
from backups.engines.systemd_dropin import render
from backups.engines.systemd_render import SCHEDULE, Plan, report, service, timer
from backups.engines.systemd_unit import MAX_UNIT, parse_unit
from backups.engines.systemd_work import work_of
from backups.management.noun import NounCommand, Option, Verb
from backups.queries.hardening import could_of, directive_of, line_of

_DROPIN: Option = ("--dropin", {"default": "", "help": "a drop-in to score it with"})
_FILES = ("unit", "timer", "report", "drop-in")
_PLAIN = "[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /\n"
_RENDER: list[Option] = [
    ("file", {"choices": _FILES, "help": "what to write"}),
    ("--name", {"default": "restic-backup", "help": "of the unit, without .service"}),
    ("--systemd", {"default": "", "help": "version of the host's systemd; else of this machine"}),
    ("--path", {"action": "append", "help": "what to back up; may be repeated; else /"}),
    ("--schedule", {"default": SCHEDULE, "help": "OnCalendar= of the timer"}),
    (
        "--address",
        {"action": "append", "help": "number of the server, and of the resolver; all others close"},
    ),
    ("--certificate", {"default": "", "help": "PEM file on the host that restic shall trust"}),
    ("--agent", {"action": "store_true", "help": "the host has the agent of this house"}),
    ("--unit", {"default": "", "help": "the unit that a drop-in is for"}),
]


class Command(NounCommand):
    """Exposure: the score of a unit file, offline."""

    help = __doc__
    needs_database = False

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "score": (self.score, [("file", {}), _DROPIN]),
            "rows": (self.rows, [("file", {"nargs": "?", "default": ""}), _DROPIN]),
            "lines": (self.lines, []),
            "render": (self.render, _RENDER),
        }

    def score(self, file: str, dropin: str) -> None:
        """The overall score, its rows, and what is wrong with the lines."""
        score = _score(file, dropin)
        data = {
            "exposure": score.exposure,
            "level": score.level,
            "mode": score.mode,
            "systemd": score.version,
            "rows": [_facts(row) for row in score.rows],
            "lint": [
                {
                    "code": f.code,
                    "severity": f.severity,
                    "file": f.file,
                    "line": f.line,
                    "directive": f.directive,
                    "sentence": f.sentence,
                    "fix": f.fix,
                }
                for f in score.findings
            ],
        }
        lines = [f"{score.exposure // 10}.{score.exposure % 10} {score.level}"]
        lines += [f"line {f.line or '-'}: {f.sentence} {f.fix}" for f in score.findings]
        self.answer(data, "\n".join(lines))

    def rows(self, file: str, dropin: str) -> None:
        """Every row of a unit, or of a plain one: what an attacker could do, and its tenths."""
        score = _score(file, dropin) if file else systemd.score_unit(_PLAIN)
        rows = sorted(score.rows, key=lambda row: -row.points)
        text = [
            f"{row.exposure / 10:4.1f}  {row.field}: {could_of(row)}"
            if row.is_applicable
            else f"   -  {row.field} does not apply"
            for row in rows
        ]
        facts = [
            {**_facts(row), "could": could_of(row), "line": line_of(directive_of(row.field)).text}
            for row in rows
        ]
        self.answer(facts, "\n".join(text))

    def lines(self) -> None:
        """Every line that Resthouse knows, from which systemd on, and what it may break."""
        data: list[dict[str, Any]] = [
            {
                "key": key,
                "lines": choice.lines,
                "since": choice.since,
                "is_advised": choice.is_advised,
                "could": line_of(key).could,
                "cost": line_of(key).cost,
            }
            for key, choice in CHOICES.items()
        ]
        text = [f"{one['since']:3}  {', '.join(one['lines'])}: {one['cost']}" for one in data]
        self.answer(data, "\n".join(text))

    def render(
        self,
        file: str,
        unit: str,
        path: list[str] | None,
        address: list[str] | None,
        agent: bool,  # noqa: FBT001  as the parser names it
        **words: Any,
    ) -> None:
        """A service, its timer, its report unit, or a drop-in, for one version of systemd."""
        asked = words.pop("systemd")
        plan = Plan(
            **words,
            paths=tuple(path or ("/",)),
            addresses=tuple(address or ()),
            systemd=version_of(asked or systemd.version()),
            has_agent=agent,
        )
        systemd.check_schedule(plan.schedule)
        text = _RENDERERS[file](plan) if file in _RENDERERS else _dropin(plan, unit)
        self.answer({"file": file, "systemd": plan.systemd, "text": text}, text.rstrip("\n"))


_RENDERERS = {"unit": service, "timer": timer, "report": report}


def _dropin(plan: Plan, file: str) -> str:
    plan.check()
    name = Path(file).name if file else f"{plan.name}.service"
    text = _read(file) if file else ""
    work = work_of(parse_unit(text))
    keys = {
        key
        for key, choice in CHOICES.items()
        if is_advised(choice, plan.systemd, addresses=plan.addresses, work=work)
    }
    return render(keys - BY_ITSELF, unit=name, text=text, addresses=plan.addresses)


def _score(file: str, dropin: str) -> systemd.Score:
    name = Path(file).name
    if not name.endswith(".service"):
        raise EngineError(f"{file} is not a service: its name must end in .service.")
    return systemd.score_unit(_read(file), dropin=_read(dropin) if dropin else "", name=name)


def _facts(row: systemd.Row) -> dict[str, Any]:
    names = ("field", "is_set", "weight", "badness", "range", "exposure")
    return {name: getattr(row, name) for name in names}


def _read(file: str) -> str:
    path = Path(file)
    try:
        if path.exists() and not path.is_file():
            raise EngineError(f"{file} cannot be read as a unit: it is no file.")
        with path.open("rb") as opened:
            # Four bytes are the longest letter: what is longer than this is refused anyway.
            content = opened.read(4 * MAX_UNIT + 1)
        return content.decode()
    except (OSError, ValueError) as error:
        if path.is_file() and path.stat().st_size > 4 * MAX_UNIT:
            raise EngineError(f"The unit is longer than {MAX_UNIT // 1024} KiB.") from error
        raise EngineError(f"{file} cannot be read as a unit: {error}.") from error
