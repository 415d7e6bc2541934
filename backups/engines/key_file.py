"""Files that hold a key of the house: made once, for their owner's eyes alone."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def read_or_make(file: Path, make: Callable[[], str]) -> str:
    """The content of the file; the first caller makes it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        _publish(file, make())
    return file.read_text().strip()


def replace(file: Path, content: str) -> None:
    """Put another content there: readers see the old or the new one, also after a power cut."""
    _draft(file, content).replace(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _publish(file: Path, content: str) -> None:
    """Appear whole or not at all; of two processes that start together, one wins."""
    draft = _draft(file, content)
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _draft(file: Path, content: str) -> Path:
    # Not named after the process: in containers that share the folder, all are number one.
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return draft
