"""What the tests of the pages of users share."""

from pathlib import Path

from backups.models import Server

BCRYPT = "$2y$10$" + "a" * 53
OTHER = "$2y$10$" + "b" * 53
SHA1 = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="


def file_of(server: Server) -> Path:
    return Path(server.data_directory) / ".htpasswd"


def write(server: Server, **hashes: str) -> str:
    """The text that stands in the file from now on."""
    text = "".join(f"{name}:{hashed}\n" for name, hashed in hashes.items())
    file_of(server).write_text(text)
    return text
