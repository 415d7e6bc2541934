"""The demonstration's own data folder: known by its mark, and never a real house's."""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from django.utils import timezone

from backups.demo.fleet import Wish
from backups.engines.errors import EngineError

_MARK = "demonstration.json"
# What starting a command leaves in an empty folder.
_HARMLESS = {"secret-key", "locks"}
_DATABASE = ("resthouse.sqlite3", "resthouse.sqlite3-wal", "resthouse.sqlite3-shm")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the folder holds; without `filled`, the filling was broken off."""

    wish: Wish
    filled: datetime | None = None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        try:
            told = json.loads((folder / _MARK).read_text())
        except FileNotFoundError:
            return None
        filled = datetime.fromisoformat(told["filled"]) if told["filled"] else None
        return cls(Wish(**told["wish"]), filled)

    def write(self, folder: Path) -> None:
        filled = self.filled.isoformat() if self.filled else None
        draft = folder / f".{_MARK}"
        draft.write_text(json.dumps({"wish": asdict(self.wish), "filled": filled}))
        draft.replace(folder / _MARK)

    def fits(self, wish: Wish) -> bool:
        """Whether it shows what is wished; yesterday's fleet would lack last night's runs."""
        is_of_today = self.filled and timezone.localdate(self.filled) == timezone.localdate()
        return bool(is_of_today and self.wish == wish)


def is_demo(folder: Path) -> bool:
    return (folder / _MARK).exists()


def claim(folder: Path, wish: Wish) -> None:
    """Empty the folder for a new filling; EngineError when it holds anything else."""
    found = {path.name for path in folder.iterdir()} - _HARMLESS
    if found and not is_demo(folder):
        raise EngineError(
            f"{folder} holds something that is no demonstration ({sorted(found)[0]}), and filling "
            "it would spoil that. Give another folder: RESTHOUSE_DATA=var-demo."
        )
    Mark(wish).write(folder)
    for name in _DATABASE:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(servers_in(folder), ignore_errors=True)


def servers_in(folder: Path) -> Path:
    """Where the made-up servers have their data directories."""
    return folder / "servers"
