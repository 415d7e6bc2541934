"""Where things lie: under the data directory in the container, and on the machine outside."""

import posixpath
import re
import shlex
from dataclasses import dataclass
from itertools import takewhile

# Taken for parts of a repository, wherever they stand.
PARTS = frozenset({"data", "index", "keys", "locks", "snapshots", "config"})
_CHOWN = re.compile(r"`(chown(?: -R)?) USER (/[^`\s]*)`")


@dataclass(frozen=True, slots=True)
class Place:
    """A data directory, seen from inside and from outside, and the user that it belongs to."""

    inside: str
    outside: str
    owner: str

    def commands_in(self, meaning: str) -> str:
        """Its commands as they are to be typed outside; those for other places stay as they are."""
        return _CHOWN.sub(self._command, meaning) if "`chown" in meaning else meaning

    def _command(self, found: re.Match[str]) -> str:
        path = posixpath.normpath(found[2])
        rest = posixpath.relpath(path, self.inside)
        if not self.outside.startswith("/") or rest.startswith(".."):
            return found[0]
        file = posixpath.normpath(posixpath.join(self.outside, rest))
        # What a stranger called a folder goes into a shell of root.
        return f"`{found[1]} {self.owner} {shlex.quote(file)}`"


def places_of(file: str) -> dict[str, str]:
    """The folder that it lies in, and its repository: as deep as the first known part below."""
    names = file.split("/")
    repository = [*names[:2], *takewhile(lambda name: name not in PARTS, names[2:])]
    return {"folder": posixpath.dirname(file), "repository": "/".join(repository)}


def depth_of(path: str) -> int:
    """In how many folders the repository of a request would lie."""
    names = path.partition("?")[0].strip("/").split("/")
    return len(list(takewhile(lambda name: name not in PARTS, names)))
