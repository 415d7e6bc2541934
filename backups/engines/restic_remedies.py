"""The command that helps on one very host: its own unit, timer and address put in."""

import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from backups.engines.restic_call import call_of

_DROPINS = {
    "no-sockets": "RestrictAddressFamilies=\\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "read-only": "PrivateTmp=yes\\nCacheDirectory=restic",
    "unreadable": "AmbientCapabilities=CAP_DAC_READ_SEARCH",
    "timeout": "TimeoutStartSec=24h",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happened; what its host never told is empty."""

    repository: str = ""
    unit: str = ""
    timer: str = ""
    key: str = ""
    text: str = field(default="", repr=False)
    full: str = ""

    @property
    def url(self) -> str:
        """The server's address, without user and path, where it is a REST server."""
        parts = urlsplit(self.repository.removeprefix("rest:"))
        name = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{name}" if parts.scheme in ("http", "https") and name else ""

    @property
    def user(self) -> str:
        """With private repositories, the first part of the path."""
        return urlsplit(self.repository.removeprefix("rest:")).path.strip("/").partition("/")[0]


def command_for(code: str, place: Place) -> str:
    """One line for a root shell; nothing where none would help, or nothing safe can be said."""
    words = (place.repository, place.unit, place.timer, place.key, place.full)
    if not all(map(str.isprintable, words)):
        return ""
    if code in _DROPINS:
        return _dropin(place.unit, _DROPINS[code]) if place.unit else ""
    try:
        found = _by_address(code, place) if place.repository else ""
    except ValueError:  # An address that cannot be read as one.
        found = ""
    return found or _by_timer(code, place) or _by_unit(code, place)


def _by_address(code: str, place: Place) -> str:
    repository = shlex.quote(_without_user(place.repository))
    verbs = {
        "wrong-password": "key list",
        "locked": "unlock",
        "no-repository": "init",
        "damaged": "check --read-data",
    }
    if code in verbs:
        return call_of(place.text, verbs[code]) or f"restic -r {repository} {verbs[code]}"
    if not place.url:
        return ""
    parts = urlsplit(place.url)
    name, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    match code:
        case "unauthorized":
            path = place.repository.removeprefix("rest:").rstrip("/")
            address, user = shlex.quote(f"{_without_user(path)}/config"), shlex.quote(place.user)
            return f"curl -sS -o /dev/null -w '%{{http_code}}\\n' -u {user} {address}"
        case "unreachable":
            return f"curl -sv -o /dev/null {shlex.quote(place.url)}"
        case "unknown-name":
            return f"getent hosts {shlex.quote(name)}"
        case "certificate":
            where = shlex.quote(f"{name}:{port}")
            shows = "openssl x509 -noout -subject -issuer -enddate -ext subjectAltName"
            return f"openssl s_client -connect {where} </dev/null | {shows}"
    return ""


def _by_timer(code: str, place: Place) -> str:
    timer = shlex.quote(place.timer)
    if not place.timer:
        return ""
    commands = {
        "append-only": f"systemctl disable --now {timer}",
        "off": f"systemctl enable --now {timer}",
        "gone": f"systemctl status {timer}",
        "masked": f"systemctl unmask {timer} && systemctl enable --now {timer}",
        "missed": f"systemctl list-timers --all {timer}",
    }
    return commands.get(code, "")


def _by_unit(code: str, place: Place) -> str:
    unit = shlex.quote(place.unit)
    match code:
        case "host-full":
            return _df(place.full)
        case "silent":
            return "systemctl status resthouse-agent.timer resthouse-agent.service"
        case _ if not place.unit:
            return ""
        case "no-sources" | "no-address" | "bad-address" | "bad-option":
            return f"systemctl cat {unit}"
        case "not-started":
            return f"systemd-analyze verify {unit}"
        case "start-limit-hit":
            return f"systemctl reset-failed {unit} && systemctl start {unit}"
        case "skipped" | "missed":
            return f"systemctl status {unit}"
    by_run = f" _SYSTEMD_INVOCATION_ID={place.key} + INVOCATION_ID={place.key}" if place.key else ""
    return f"journalctl{by_run}" if by_run else f"journalctl -n 50 -u {unit}"


def _df(file: str) -> str:
    """A temporary file is gone by then, its folder is not."""
    if not file.startswith("/"):
        return "df -h /root/.cache /var/cache /tmp"
    return f"df -h {shlex.quote(str(PurePosixPath(file).parent))}"


def _dropin(unit: str, lines: str) -> str:
    folder = shlex.quote(f"/etc/systemd/system/{unit}.d")
    text = shlex.quote(f"[Service]\\n{lines}\\n")
    return (
        f"mkdir -p {folder} && printf {text} > {folder}/resthouse.conf && systemctl daemon-reload"
    )


def _without_user(address: str) -> str:
    """restic asks for a password by itself; a masked one in an address would only be wrong."""
    scheme, mark, rest = address.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}" if mark else address
