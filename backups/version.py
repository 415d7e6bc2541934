"""The version, as the changelog's first heading says it."""

import re
from pathlib import Path

_CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def _read() -> str:
    found = re.search(r"^## (\d+\.\d+(?:\.\d+)?)", _CHANGELOG.read_text(), re.MULTILINE)
    return found[1] if found else "0"


VERSION = _read()
