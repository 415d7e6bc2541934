"""A request in rest-server's access log: who asked for what, how it went, and whether it was us."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from backups.engines import untrusted
from backups.engines.restserver_messages import Level
from backups.engines.restserver_paths import depth_of

MAX_DEPTH = 2
_MAX_PATH = 300
_REFUSALS = frozenset({400, 401, 405})

_QUOTED = r"\"((?:[^\"\\]|\\.)*)\""
_COMBINED = re.compile(
    rf"(\S{{1,100}}) - \S+ (\[[^\]]{{1,40}}\]) \"([A-Z]{{1,20}}) (\S+) (HTTP/[\d.]{{1,5}})\" "
    rf"(\d{{3}}) (\d{{1,18}}|-)(?: {_QUOTED} {_QUOTED})?\s*$"
)
# rest-server reads ?create=true alone; all else may be somebody's secret.
_QUERY = re.compile(r"\?(?!create=true$).+")

# By status; whatever is not here went well.
_MEANINGS: dict[int, tuple[Level, str]] = {
    400: (
        "warning",
        "The upload broke off, or what came does not fit its name. restic sends it again.",
    ),
    401: (
        "warning",
        "Refused: no password, a wrong one, or a folder that is not the user's own. A repository "
        "begins with the name of its user.",
    ),
    403: ("note", "As meant: what is there is not written over, nor deleted when append-only."),
    404: ("note", "Not there. restic asks so before it makes a repository."),
    405: ("note", "Nothing can be asked so at this address."),
    500: ("error", "It could not be done. The line beside it that begins with ERROR says why."),
    507: (
        "error",
        "No room: the size limit is reached, or the disk is full. Raise `--max-size` or make room.",
    ),
}
_TOO_DEEP = "A repository lies at most two folders deep: `/USER` or `/USER/REPOSITORY`."


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the access log; what strangers wrote into it is made safe."""

    client: str
    at: str
    method: str
    path: str
    protocol: str
    status: int
    size: str
    referer: str
    agent: str

    @classmethod
    def parse(cls, line: str) -> "Request | None":
        found = _COMBINED.match(line)
        if found is None:
            return None
        client, at, method, path, protocol, status, size, referer, agent = found.groups(default="")
        return cls(
            untrusted.visible(client),
            untrusted.visible(at),
            method,
            untrusted.visible(_QUERY.sub("?***", path), limit=_MAX_PATH),
            protocol,
            int(status),
            size,
            untrusted.visible(_QUERY.sub("?***", referer), limit=_MAX_PATH),
            untrusted.visible(agent, limit=_MAX_PATH),
        )

    @property
    def text(self) -> str:
        """As it stood in the log."""
        asked = f'{self.client} - - {self.at} "{self.method} {self.path} {self.protocol}"'
        return f'{asked} {self.status} {self.size} "{self.referer}" "{self.agent}"'

    @property
    def short_path(self) -> str:
        """Without the ends of the long names, which nobody reads."""
        return re.sub(r"([0-9a-f]{10})[0-9a-f]{54}", r"\1…", self.path)

    def is_own(self, mark: str, *, is_shared: bool) -> bool:
        """By what nobody else can have: the mark of this house, or the container's own loopback."""
        is_knock = self.method in {"GET", "HEAD"} and self.path == "/" and self.status in _REFUSALS
        if mark and self.agent == mark:
            return is_knock or (self.method == "HEAD" and self.path.endswith("/config"))
        if is_shared and (self.protocol != "HTTP/1.0" or self.agent):
            return False
        return is_knock and is_loopback(self.client)


def explain_request(request: Request) -> tuple[Level, str]:
    if request.status in {404, 405} and depth_of(request.path) > MAX_DEPTH:
        return "warning", _TOO_DEEP
    if request.status in _MEANINGS:
        return _MEANINGS[request.status]
    return ("error", "") if request.status >= 500 else ("note", "")


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
