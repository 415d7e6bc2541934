"""The command line of rest-server, as the OPTIONS of its container."""

from collections.abc import Iterator
from dataclasses import dataclass

from backups.engines.errors import EngineError

TLS_VERSIONS = frozenset({"", "1.2", "1.3"})
_FLAGS = {
    "--append-only": "is_append_only",
    "--private-repos": "has_private_repositories",
    "--prometheus": "has_prometheus",
    "--tls": "has_tls",
}
_VALUES = frozenset({"--tls-min-ver", "--max-size", "--log"})


@dataclass(frozen=True, slots=True)
class Options:
    """What rest-server is told; the defaults are the safe ones, not its own."""

    is_append_only: bool = True
    has_private_repositories: bool = True
    has_prometheus: bool = False
    has_tls: bool = False
    tls_min_version: str = ""
    max_size: int | None = None
    has_access_log: bool = False

    def render(self) -> str:
        """As the entry point splits it: at blanks, with no quoting of any kind."""
        if self.tls_min_version not in TLS_VERSIONS:
            raise EngineError("The lowest TLS version is 1.2 or 1.3.")
        if self.max_size is not None and self.max_size <= 0:
            raise EngineError("The maximum size is a number of bytes above 0.")
        words = [flag for flag, name in _FLAGS.items() if getattr(self, name)]
        # Without --tls the version would be read by nobody.
        if self.has_tls and self.tls_min_version:
            words += ["--tls-min-ver", self.tls_min_version]
        if self.max_size is not None:
            words += ["--max-size", str(self.max_size)]
        if self.has_access_log:
            words += ["--log", "-"]
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> tuple["Options", tuple[str, ...]]:
        """The options of a container as it runs, and the words that are none of ours."""
        flags = dict.fromkeys(_FLAGS.values(), False)
        values = dict.fromkeys(_VALUES, "")
        unknown: list[str] = []
        for word, value in _pairs(text.split()):
            if word in _FLAGS and value in {"", "true", "false"}:
                flags[_FLAGS[word]] = value != "false"
            elif _is_ours(word, value):
                values[word] = value
            else:
                unknown.append(f"{word}={value}" if value else word)
        limit = values["--max-size"]
        options = cls(
            **flags,
            tls_min_version=values["--tls-min-ver"],
            max_size=int(limit) if limit else None,
            has_access_log=values["--log"] == "-",
        )
        return options, tuple(unknown)


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each word with its value, whether joined to it by '=' or next to it."""
    rest = iter(words)
    for word in rest:
        name, sign, value = word.partition("=")
        yield name, value if sign or name not in _VALUES else next(rest, "")


def _is_ours(word: str, value: str) -> bool:
    match word:
        case "--tls-min-ver":
            return value in TLS_VERSIONS - {""}
        case "--max-size":
            return value.isascii() and value.isdigit() and len(value) < 20 and int(value) > 0
        case "--log":
            return value == "-"
    return False
