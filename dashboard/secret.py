"""The key that signs sessions and links."""

import os
import secrets
from pathlib import Path


def secret_key(data: Path) -> str:
    """Read the key from the data folder; the first caller makes it, for its owner's eyes alone."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = data / "secret-key"
    if not file.exists():
        _publish(file, secrets.token_urlsafe(64))
    return file.read_text().strip()


def _publish(file: Path, key: str) -> None:
    """Appear whole or not at all; of two processes that start together, one wins."""
    # Not named after the process: in containers that share the folder, all are number one.
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(key)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
