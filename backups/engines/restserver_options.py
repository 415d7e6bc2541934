"""The command line of rest-server, as the OPTIONS of its container."""

import re
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
_VALUES = frozenset({"--tls-min-ver", "--max-size", "--log", "--proxy-auth-username"})
# What rest-server takes besides, each with a value: joined by '=' or as the next word.
_FOREIGN_VALUES = frozenset(
    {"--path", "--htpasswd-file", "--listen", "--tls-cert", "--tls-key", "--cpu-profile"}
)
# As Go's strconv.ParseBool takes them; the flag alone is true.
_TRUE = frozenset({"", "1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
# RFC 9110's token, but for '*', which the entry point's shell would take for a pattern of files.
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'+.^_`|~-]{1,100}")


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
    # With it rest-server asks no passwords: whoever reaches its port is whom he says he is.
    # It has no users file then, and a SIGHUP would end it.
    proxy_header: str = ""

    def render(self) -> str:
        """As the entry point splits it: at blanks, with no quoting of any kind."""
        if self.tls_min_version not in TLS_VERSIONS:
            raise EngineError("The lowest TLS version is 1.2 or 1.3.")
        if self.max_size is not None and self.max_size <= 0:
            raise EngineError("The maximum size is a number of bytes above 0.")
        if self.proxy_header and not _HEADER.fullmatch(self.proxy_header):
            raise EngineError("Give the name of the header alone, such as X-Forwarded-User.")
        words = [flag for flag, name in _FLAGS.items() if getattr(self, name)]
        # Without --tls the version would be read by nobody.
        if self.has_tls and self.tls_min_version:
            words += ["--tls-min-ver", self.tls_min_version]
        if self.max_size is not None:
            words += ["--max-size", str(self.max_size)]
        if self.has_access_log:
            words += ["--log", "-"]
        if self.proxy_header:
            words += ["--proxy-auth-username", self.proxy_header]
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> tuple["Options", tuple[str, ...]]:
        """The options of a container as it runs, and the words that are none of ours."""
        return cls.of_words(text.split())

    @classmethod
    def of_words(cls, words: list[str]) -> tuple["Options", tuple[str, ...]]:
        """The same of a command line, whose words may hold blanks."""
        flags = dict.fromkeys(_FLAGS.values(), False)
        values = dict.fromkeys(_VALUES, "")
        unknown: list[str] = []
        for word, value in _pairs(words):
            if word in _FLAGS and value in _TRUE | _FALSE:
                flags[_FLAGS[word]] = value in _TRUE
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
            proxy_header=values["--proxy-auth-username"],
        )
        return options, tuple(unknown)


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each word with its value, whether joined to it by '=' or next to it."""
    rest = iter(words)
    for word in rest:
        name, sign, value = word.partition("=")
        has_value = name in _VALUES | _FOREIGN_VALUES
        yield name, value if sign or not has_value else next(rest, "")


def _is_ours(word: str, value: str) -> bool:
    match word:
        case "--tls-min-ver":
            return value in TLS_VERSIONS - {""}
        case "--max-size":
            return value.isascii() and value.isdigit() and len(value) < 20 and int(value) > 0
        case "--log":
            return value == "-"
        case "--proxy-auth-username":
            return _HEADER.fullmatch(value) is not None
    return False
