"""The key that signs sessions and links."""

import secrets
from pathlib import Path

from backups.engines import key_file


def secret_key(data: Path) -> str:
    """Read the key from the data folder; the first caller makes it."""
    return key_file.read_or_make(data / "secret-key", lambda: secrets.token_urlsafe(64))
