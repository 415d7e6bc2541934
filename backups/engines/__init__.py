"""The outside world: each engine knows one thing well and nothing of Django.

This module builds them; it is the only place where engines meet settings.
"""

import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from backups.engines import key_file

if TYPE_CHECKING:
    from backups.engines.containers import Containers
    from backups.engines.encryption import Vault
    from backups.engines.files import Files
    from backups.engines.htpasswd import Htpasswd
    from backups.engines.restserver import Answer
    from backups.models import Server

# The servers of a demonstration have the names of real containers: nobody may answer for them.
_NO_ENGINE = "unix:///nonexistent/engine-of-a-demonstration"


def engine_at(base_url: str = "") -> "Containers":
    """The container engine at this address; empty: this machine's, or DOCKER_HOST."""
    from backups.engines.containers import Containers

    return Containers(_NO_ENGINE if settings.RESTHOUSE_DEMO else base_url)


def containers_of(server: "Server") -> "Containers":
    return engine_at(server.engine)


def is_visible(server: "Server") -> bool:
    """Whether the data directory lies on a file system that we can write."""
    is_here = server.is_here and not server.is_volume
    return is_here and os.access(server.data_directory, os.R_OK | os.W_OK | os.X_OK)


def files_of(server: "Server") -> "Files":
    """The server's files: directly where we can, else through its engine."""
    from backups.engines.files import LocalFiles

    if is_visible(server):
        return LocalFiles(Path(server.data_directory), server.uid, server.gid)
    return containers_of(server).files(server.name, server.uid, server.gid)


def uploads_of(server: "Server") -> int:
    """How many uploads write to it now."""
    from backups.engines import uploads

    if is_visible(server):
        return uploads.count(Path(server.data_directory))
    return containers_of(server).uploads(server.name)


def htpasswd_of(server: "Server") -> "Htpasswd":
    from backups.engines.htpasswd import Htpasswd

    return Htpasswd(files_of(server), lock_file(f"htpasswd-{server.pk}"))


def probe(server: "Server", *, address: str = "", port: int = 0) -> "Answer":
    """Whether rest-server answers, and shows the certificate that it should show."""
    from backups.engines import restserver

    url = server.url_at(address, port) if address else server.probe_url
    return restserver.probe(url, pin=server.pin, mark=mark_of(server))


def is_let_in(server: "Server", user: str, password: str) -> bool:
    from backups.engines import restserver

    return restserver.is_let_in(
        server.probe_url, user, password, pin=server.pin, mark=mark_of(server)
    )


def mark_of(server: "Server") -> str:
    """Our name in the log of this server, which nobody else can guess and hide behind."""
    told = f"probe of {server.name} at {server.probe_url}"
    secret = hmac.digest(settings.SECRET_KEY.encode(), told.encode(), "sha256")
    return f"Resthouse/{secret.hex()[:20]}"


def vault() -> "Vault":
    """What encrypts private keys; its own keys are read anew, since they may be rotated."""
    from backups.engines.encryption import Vault, new_key

    if settings.ENCRYPTION_KEY:
        return Vault(settings.ENCRYPTION_KEY)
    return Vault(key_file.read_or_make(encryption_key_file(), new_key).split())


def new_key() -> str:
    """For a vault."""
    from backups.engines import encryption

    return encryption.new_key()


def encryption_key_file() -> Path:
    return Path(settings.RESTHOUSE_DATA) / "encryption-key"


def lock_file(name: str) -> Path:
    data = Path(settings.RESTHOUSE_DATA)
    folder = data / "locks"
    # A secret key from the environment has made no data folder.
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / name
