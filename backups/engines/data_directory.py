"""Where the data of a server may lie: its container owns that folder and whatever is in it."""

import os
import posixpath
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from backups.engines.errors import EngineError

_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin"),
    *("/sys", "/usr", "/var/run", "/var/spool", "/var/lib/containerd", "/var/lib/containers"),
    *("/var/lib/docker", "/var/lib/dpkg", "/var/lib/resthouse-agent", "/var/lib/systemd"),
)
# Below these there is room for backups, but not in themselves.
_SHARED = ("/home", "/var/backups", "/var/cache", "/var/lib", "/var/local", "/var/log")
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", re.ASCII)
# In the command line that makes an equal container they would begin another option.
_ODD = frozenset(',"\\')


def normalised(path: str) -> str:
    """Without //, .. and a slash at the end."""
    return posixpath.normpath(f"/{path.lstrip('/')}") if path.startswith("/") else path


def check(path: str, *, is_here: bool, own: Iterable[str] = ()) -> None:
    """EngineError with the reason when a container must not have this folder, or volume.

    `own` are the folders of Resthouse itself; `is_here`: the folder lies on this machine.
    """
    if _VOLUME.fullmatch(path):
        return
    if not path.startswith("/") or path.count("/") < 2:
        raise EngineError(
            "Give an absolute path at least two folders deep, or the name of a volume."
        )
    if not path.isprintable() or _ODD & set(path):
        raise EngineError("Leave commas, quotes, backslashes and line breaks out of the path.")
    ways = {path, os.path.realpath(path)} if is_here else {path}
    for way in ways:
        if _is_systems(PurePosixPath(way)):
            raise EngineError(
                f"{way} belongs to the system or to a person, and a container would get all of "
                "it. Choose a folder for backups alone, such as /srv/restic/main."
            )
        if is_here and any(overlap(way, os.path.realpath(folder)) for folder in own):
            raise EngineError(
                f"{way} lies in Resthouse's own files, or holds them: the container could read "
                "its keys. Choose a folder for backups alone, such as /srv/restic/main."
            )


def overlap(one: str, other: str) -> bool:
    """Whether they are the same folder or one lies in the other."""
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)


def _is_systems(path: PurePosixPath) -> bool:
    is_hidden = any(part.startswith(".") for part in path.parts)
    is_in_a_home = path.is_relative_to("/home") or path.is_relative_to("/root")
    return (
        any(path.is_relative_to(folder) for folder in _SYSTEM)
        or str(path) in _SHARED
        or str(path.parent) in {"/", "/home"}
        or (is_in_a_home and is_hidden)
    )
