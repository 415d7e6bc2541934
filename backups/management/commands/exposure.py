"""`manage.py exposure`: how open a unit is, as systemd-analyze says."""

from pathlib import Path

from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.management.noun import NounCommand, Option, Verb


class Command(NounCommand):
    """Exposure: the score of a unit file, offline."""

    help = __doc__
    needs_database = False

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        dropin: Option = ("--dropin", {"default": "", "help": "a drop-in to score it with"})
        return {"score": (self.score, [("file", {}), dropin])}

    def score(self, file: str, dropin: str) -> None:
        """The overall score, its rows, and what is wrong with the lines."""
        name = Path(file).name
        if not name.endswith(".service"):
            raise EngineError(f"{file} is not a service: its name must end in .service.")
        score = systemd.score_unit(_read(file), dropin=_read(dropin) if dropin else "", name=name)
        data = {
            "exposure": score.exposure,
            "level": score.level,
            "mode": score.mode,
            "systemd": score.version,
            "rows": [
                {
                    "field": row.field,
                    "is_set": row.is_set,
                    "weight": row.weight,
                    "badness": row.badness,
                    "range": row.range,
                }
                for row in score.rows
            ],
            "lint": [
                {
                    "code": f.code,
                    "severity": f.severity,
                    "line": f.line,
                    "sentence": f.sentence,
                    "fix": f.fix,
                }
                for f in score.findings
            ],
        }
        lines = [f"{score.exposure // 10}.{score.exposure % 10} {score.level}"]
        lines += [f"line {f.line or '-'}: {f.sentence} {f.fix}" for f in score.findings]
        self.answer(data, "\n".join(lines))


def _read(file: str) -> str:
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"{file} cannot be read as a unit: {error}.") from error
