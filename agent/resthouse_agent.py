#!/usr/bin/env python3
"""Resthouse agent: tells a Resthouse dashboard how the restic backups of this host went.

It reports, outwards, and does nothing else: no command, path or schedule ever comes from the
dashboard. Standard library only; Python 3.9 and newer, systemd 247 and newer. In reading order:

    redact       what is hidden before anything is kept or sent
    Dashboard    the one address this program talks to
    Home         what is kept on this host until the dashboard has taken it
    Run, assess  what is read from systemd and its journal
    run          a command where there is no systemd
    install      what enrolment changes on this host, and remove, which takes it back
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import grp
import hashlib
import http.client
import ipaddress
import json
import os
import platform
import pwd
import re
import secrets
import selectors
import shlex
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

VERSION = "0.1.0"
CONFIG = Path("/etc/resthouse/agent.json")
STATE = Path("/var/lib/resthouse-agent")
PROGRAM = Path("/usr/local/sbin/resthouse-agent")
UNITS = Path("/etc/systemd/system")
OWN_UNITS = ("resthouse-agent.service", "resthouse-report@.service", "resthouse-agent.timer")
HOOK = "60-resthouse.conf"

TIMEOUT, PROGRESS_EVERY = 10, 30
HOUR, DAY, WEEK = 3600, 86400, 7 * 86400
SPOOL_FILES, SPOOL_BYTES, BATCH = 500, 64 * 1024 * 1024, 10
# A little under the 64 KiB of the protocol: hiding a secret may lengthen a text.
TEXT_LIMIT, SECURITY_LIMIT, LINE_LIMIT = 60_000, 250_000, 900
TRUST_LIMIT, TRUST_BLOCKS = 64 * 1024, 20

Json = dict[str, Any]
Properties = dict[str, str]


class AgentError(Exception):
    """One sentence for the person at the terminal; the status, if the dashboard said no."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


# Whatever a text holds, hiding takes time in proportion to its length: each repetition below
# either is bounded, or takes what it has read into the match.
NAME = r"(?:PASSWORD|PASSPHRASE|SECRET|TOKEN|_KEY)(?!_FILE|_HINT|_ID)[A-Z0-9_]{0,40}="
QUOTED = r'"(?:\\[\s\S]|[^"\\\n])*"|' + r"'[^'\n]*'"
SECRETS = (
    # restic masks the passwords of its URLs, but not in one that it cannot parse.
    (r'(parse \\{0,3}").*?(\\{0,3}": |$)', r"\1***\2"),
    (r'(invalid (?:port|userinfo|URL escape|character) \\{0,3}").*?(\\{0,3}"|$)', r"\1***\2"),
    # systemd quotes an assignment as a whole: Environment="RESTIC_PASSWORD=two words"
    (rf"""(["'])([A-Z0-9_]{{0,40}}{NAME})(?:\\[\s\S]|(?!\1)[^\\\n])*""", r"\1\2***"),
    (rf"""({NAME})(?!\*\*\*(?:["'\s]|$))(?:{QUOTED}|\S+)""", r"\1***"),
    (r"(\bSetCredential(?:Encrypted)?=[^:\n]{0,255}:)(?:.*\\\n)*.*", r"\1***"),
    (rf"(--password-command(?:=|\s{{1,9}}))(?:{QUOTED}|.+?(?=\s--?[a-z]|$))", r"\1***"),
    (
        r"""([Aa]uthorization["'\\]{0,6}\s{0,9}[:=]\s{0,9}["'\\]{0,6})"""
        r"""(?:\w{1,20}\s{1,9})?[^\s"'\\]+""",
        r"\1***",
    ),
)
SECRET_PATTERNS = [(re.compile(pattern, re.M), shown) for pattern, shown in SECRETS]
# What stands between :// and the first colon: a user, or a host with a dot, whose port follows.
USER = re.compile(r"://([^:/?#@\s\"'<>\[]*):")
HARMLESS = re.compile(
    r"(?:localhost|[^:/.]*\.[^:/]*):\d{1,5}(?=[/?#\s\"'\\]|$)"
    r"|[^:]*:\*\*\*@[^@\s\"']*(?=[\s\"']|$)"  # It is hidden already.
)
JSON_STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def redact(text: str) -> str:
    """The text without its passwords; rather too much hidden than too little."""
    for pattern, shown in SECRET_PATTERNS:
        text = pattern.sub(shown, text)
    return "\n".join(redact_line(line) for line in text.split("\n"))


def redact_line(line: str) -> str:
    """A password may hold any character, so it lasts to the last @: of its string, if in JSON."""
    if "://" not in line or "@" not in line:
        return line
    if line.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            json.loads(line)
            return JSON_STRING.sub(lambda string: redact_addresses(string[0]), line)
    return redact_addresses(line)


def redact_addresses(text: str) -> str:
    end = text.rfind("@")
    for user in USER.finditer(text, 0, max(end, 0)):
        if not HARMLESS.match(text, user.start(1)):
            return f"{text[: user.end()]}***{text[end:]}"
    return text


def redact_all(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redact_all(item) for item in value]
    return {k: redact_all(v) for k, v in value.items()} if isinstance(value, dict) else value


def redact_arguments(arguments: Iterable[str]) -> list[str]:
    """An argv, where a secret may be an argument of its own or hold spaces and quotes."""
    shown, previous = [], ""
    for argument in arguments:
        hidden = "***" if previous == "--password-command" else redact_addresses(argument)
        shown.append(redact(hidden)[:LINE_LIMIT])
        previous = argument
    return shown[:500]


@dataclass(frozen=True)
class Config:
    """What enrolment left: the address, the key, and what to trust there."""

    url: str
    key: str = field(default="", repr=False)
    host: str = ""
    ca: str = field(default="", repr=False)
    pin: str = ""
    repositories: dict[str, str] = field(default_factory=dict)
    authorities: dict[str, list[str]] = field(default_factory=dict)


def pin_of(certificate: bytes) -> str:
    """The key of a certificate (DER) as `curl --pinnedpubkey` names it."""
    fields = elements(elements(elements(certificate)[0], inside=True)[0], inside=True)
    # Its version, which may be missing, then number, algorithm, issuer, dates, subject, key.
    key = fields[6 if fields[0][0] == 0xA0 else 5]
    return "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()


def elements(der: bytes, *, inside: bool = False) -> list[bytes]:
    """The elements that follow each other in DER, or those inside of one."""
    found = []
    while der:
        more = der[1] & 127 if der[1] & 128 else 0  # Bytes of the length, where one does not do.
        length = int.from_bytes(der[2 : 2 + more], "big") if more else der[1]
        if inside:
            return elements(der[2 + more : 2 + more + length])
        found.append(der[: 2 + more + length])
        der = der[2 + more + length :]
    return found


@dataclass(frozen=True)
class Dashboard:
    """The one address this program ever talks to."""

    config: Config

    def call(self, path: str, body: Json | None = None) -> Json:
        """Ask, and take no longer than a time-out for it."""
        headers = {"Accept": "application/json", "User-Agent": f"resthouse-agent/{VERSION}"}
        headers["Authorization"] = f"Bearer {self.config.key}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        url = urllib.parse.urlsplit(self.config.url)
        try:
            with contextlib.closing(self.connection(url)) as connection:
                connection.request("POST" if data else "GET", url.path + path, data, headers)
                answer = connection.getresponse()
                text = answer.read(TEXT_LIMIT)
            # A redirect could carry the key to another host, so none is followed.
            if 300 <= answer.status < 400:
                moved = f"The dashboard has moved to {answer.headers.get('Location')}"
                raise AgentError(f"{moved}: enrol with that.", answer.status)
            if answer.status >= 400:
                raise AgentError(_refusal(text, answer), answer.status)
            return dict(json.loads(text))
        except (OSError, http.client.HTTPException, ValueError, TypeError, LookupError) as error:
            raise AgentError(f"{self.config.url} cannot be reached: {error}.") from None

    def connection(self, url: urllib.parse.SplitResult) -> http.client.HTTPConnection:
        """A line that trusts the certificate or the key given at enrolment and no other; where
        nothing was given, what the system trusts."""
        address = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        if url.scheme == "http":  # To this machine alone, as `checked` sees to.
            return http.client.HTTPConnection(*address, timeout=TIMEOUT)
        trust = ssl.create_default_context(cadata=self.config.ca or None)
        if self.config.ca:  # It may be signed by another one.
            trust.verify_flags |= 0x80000  # ssl.VERIFY_X509_PARTIAL_CHAIN, since Python 3.10
        if self.config.pin:
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        proxy = urllib.parse.urlsplit(urllib.request.getproxies().get("https", ""))
        if is_loopback(url) or not proxy.hostname or urllib.request.proxy_bypass(address[0]):
            line = http.client.HTTPSConnection(*address, timeout=TIMEOUT, context=trust)
        else:
            way = (proxy.hostname, proxy.port or 3128)
            line = http.client.HTTPSConnection(*way, timeout=TIMEOUT, context=trust)
            who = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
            line.set_tunnel(
                *address, {"Proxy-Authorization": f"Basic {who}"} if proxy.username else {}
            )
        line.connect()
        found = pin_of(line.sock.getpeercert(binary_form=True) or b"") if self.config.pin else ""
        if found != self.config.pin:
            line.close()
            raise OSError(f"it shows another key, {found}")
        return line

    def report(self, host: Json, parts: Iterable[Json]) -> None:
        body: Json = {"sent": iso(time.time()), "host": host, "runs": [], "units": []}
        for part in parts:
            for kind, content in part.items():
                body[kind].append(content)
        if "accepted" not in self.call("/api/reports", body):
            raise AgentError(f"{self.config.url} did not answer as a dashboard does.")


def _refusal(text: bytes, answer: http.client.HTTPResponse) -> str:
    try:
        return str(json.loads(text)["detail"])[:500]
    except (ValueError, LookupError, TypeError):
        return f"The dashboard answered {answer.status} {answer.reason}."


def is_loopback(url: urllib.parse.SplitResult) -> bool:
    host = url.hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")


def write_file(path: Path, text: str, mode: int) -> None:
    """All or nothing: after a power cut there is the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            file.write(text)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


@dataclass(frozen=True)
class Home:
    """The files of this program: the key, what was told already, and what waits to be sent.

    One file waits per run or unit, so that a run told twice is still one file.
    """

    state: Path = STATE

    @property
    def spool(self) -> Path:
        return self.state / "spool"

    @property
    def config_file(self) -> Path:
        return CONFIG if self.state == STATE else self.state / "agent.json"

    def config(self) -> Config:
        # In its own unit the key comes as a credential, so that the agent need not be root.
        path = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), "resthouse-agent.json")
        path = path if self.state == STATE and path.exists() else self.config_file
        try:
            return Config(**json.loads(path.read_text()))
        except FileNotFoundError:
            how = "Run: resthouse-agent enrol --url URL --token TOKEN"
            raise AgentError(f"Not enrolled yet. {how}") from None
        except (OSError, ValueError, TypeError) as error:
            raise AgentError(f"{path} cannot be read ({error}). Enrol again.") from None

    def leave_root(self) -> None:
        """Become the user whose folder this is: there, links could lead root to any file."""
        with contextlib.suppress(FileNotFoundError):
            owner = self.state.lstat()
            if os.geteuid() == 0 != owner.st_uid:
                readers = [g.gr_gid for g in grp.getgrall() if g.gr_name == "systemd-journal"]
                os.setgroups(readers)
                os.setgid(owner.st_gid)
                os.setuid(owner.st_uid)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One process collects and sends at a time."""
        self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.spool, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def recall(self) -> Json:
        try:
            return dict(json.loads((self.state / "memory.json").read_text()))
        except (OSError, ValueError, TypeError):
            return {}  # Lost memory only means that some runs are told again.

    def remember(self, **facts: Any) -> None:
        write_file(self.state / "memory.json", json.dumps({**self.recall(), **facts}), 0o600)

    def add_run(self, run: Json) -> None:
        name = f"{run['started']}-{run['key']}.json"
        progress, result = self.spool / f"progress-{name}", self.spool / f"run-{name}"
        content = json.dumps({"runs": redact_all(run)})
        write_file(result if run["finished"] else progress, content, 0o600)
        if result.exists():  # Written beside each other, they may come in either order.
            progress.unlink(missing_ok=True)

    def add_unit(self, unit: Json) -> None:
        content = json.dumps({"units": redact_all(unit)})
        write_file(self.spool / f"unit-{unit['name']}.json", content, 0o600)

    def waiting(self) -> list[Path]:
        """Results first, oldest first. A file torn by a power cut is called .new: not one."""
        kinds = ("run-*.json", "progress-*.json", "unit-*.json")
        return [path for kind in kinds for path in sorted(self.spool.glob(kind))]

    def trim(self) -> None:
        """Stay within bounds: progress goes first, results last, the oldest of a kind first."""
        units, results = (sorted(self.spool.glob(f"{kind}-*.json")) for kind in ("unit", "run"))
        others = sorted(set(self.spool.iterdir()).difference(units, results))
        keep = []
        for path in [*others, *units, *results]:
            with contextlib.suppress(FileNotFoundError):  # A `run` may have ended just now.
                facts = path.stat()
                keep.append((path, facts.st_size))
                if path.suffix == ".new" and facts.st_mtime < time.time() - HOUR:
                    path.unlink()  # Torn by a power cut.
        while len(keep) > SPOOL_FILES or sum(size for _, size in keep) > SPOOL_BYTES:
            keep.pop(0)[0].unlink(missing_ok=True)

    def flush(self, config: Config) -> str:
        """Send what waits; a dashboard that is away is no failure of this host."""
        self.trim()
        try:
            return f"Reported to {config.url}: {self.send(Dashboard(config))}."
        except AgentError as error:
            if error.status in (401, 403):
                raise AgentError(f"{error} To go on reporting, enrol this host again.") from None
            return f"{error} Kept for later: {len(self.waiting())}."

    def send(self, dashboard: Dashboard) -> int:
        """Hand over what waits and delete what was taken; how much that was."""
        host, parts, step = host_facts(), self.waiting(), BATCH
        sent = len(parts)
        if not parts:
            dashboard.report(host, [])  # With nothing to tell this says: still here.
        while parts:
            batch = parts[:step]
            try:
                dashboard.report(host, [json.loads(p.read_text()) for p in batch if p.exists()])
            except (AgentError, ValueError) as error:
                if isinstance(error, AgentError) and error.status not in (400, 413, 422):
                    raise
                if len(batch) > 1:  # One bad part must not hold up the others.
                    step = 1
                    continue
                print(f"Refused: {batch[0].name}: {error}", file=sys.stderr)
                batch[0].rename(batch[0].with_suffix(".refused"))
            for path in batch:
                path.unlink(missing_ok=True)
            parts = parts[step:]
        self.remember(contact=iso(time.time()))
        return sent


ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_EMOJI": "0",
    # Adds weight, badness and range to the rows; from these the score follows exactly.
    "SYSTEMD_ANALYZE_DEBUG": "1",
}
CAT = ("systemctl", "cat", "--no-pager", "--")
SHOWN = (
    "Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,Type,InvocationID,Result,"
    "ExecMainCode,ExecMainStatus,SuccessExitStatus,ExecStart,ExecStartPre,ExecStartPost,"
    "Environment,EnvironmentFiles,LoadCredential,TriggeredBy,TimersCalendar,TimersMonotonic,"
    "Persistent,FragmentPath,DropInPaths,User,Group,SupplementaryGroups,DynamicUser"
)


def output_of(*command: str) -> str:
    """What a tool of this host prints; nothing where it is missing or refuses."""
    try:
        done = subprocess.run(
            command, stdin=DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


def rows_of(*command: str) -> list[Json]:
    try:
        return list(json.loads(output_of(*command, "--output=json")))
    except (ValueError, TypeError):
        return []


def has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def version_of(tool: str, argument: str) -> str:
    match = re.match(r"\w+ ([\d.]+\S*)", output_of(tool, argument))
    return match[1] if match else ""


def host_facts() -> Json:
    release = ""
    with contextlib.suppress(OSError):
        release = Path("/etc/os-release").read_text()
    pretty = re.search(r'^PRETTY_NAME="?([^"\n]*)', release, re.M)
    return {
        "hostname": socket.gethostname(),
        "os": pretty[1] if pretty else platform.system(),
        "kernel": platform.release(),
        "systemd": version_of("systemctl", "--version"),
        "restic": version_of("restic", "version"),
        "python": platform.python_version(),
        "agent": VERSION,
    }


def journal(*matches: str, fields: str, since: float = 0) -> Iterator[Json]:
    """Journal entries, oldest first. Without --all a text over 4096 bytes would come as null."""
    options = ["--quiet", "--all", "--output=json", f"--output-fields={fields}"]
    options += [f"--since=@{int(since)}"] if since else []
    command = ["journalctl", *options, *matches]
    with subprocess.Popen(command, stdout=PIPE, stderr=DEVNULL, env=ENVIRONMENT) as process:
        for line in process.stdout or ():
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def show(names: Iterable[str]) -> dict[str, Properties]:
    """Properties of units by name; a property that comes more than once has several lines."""
    units = {}
    for block in output_of("systemctl", "show", "-p", SHOWN, "--", *names).split("\n\n"):
        properties: Properties = {}
        for line in block.splitlines():
            key, _, value = line.partition("=")
            properties[key] = f"{properties[key]}\n{value}" if key in properties else value
        state, name = properties.get("LoadState"), properties.get("Id", "")
        if state == "loaded" or (state == "masked" and name.endswith(".timer")):
            units[name] = properties
    return units


def timer_rows() -> dict[str, Json]:
    return {row["unit"]: row for row in rows_of("systemctl", "list-timers", "--all")}


def newest_boot() -> str:
    """The boot of now; /proc, which would tell it too, is closed to the agent's own unit."""
    entries = list(journal("--lines=1", fields="MESSAGE_ID"))
    return str(entries[-1].get("_BOOT_ID", "")) if entries else ""


def jobs_by_history(since: float) -> set[str]:
    """Services whose processes really were restic, whatever script started them."""
    entries = journal("_COMM=restic", fields="_SYSTEMD_UNIT", since=since)
    units = {str(entry.get("_SYSTEMD_UNIT")) for entry in entries}
    return {u for u in units if u.endswith(".service") and not u.startswith("user@")}


def jobs_by_command() -> set[str]:
    """Services that name restic in a command, loaded or not: a oneshot at rest is not loaded."""
    files = rows_of("systemctl", "list-unit-files", "--type=service")
    names = {str(row["unit_file"]) for row in files}
    names |= {str(row["activates"]) for row in timer_rows().values()}
    names = {name for name in names if name.endswith(".service") and "@." not in name}
    command = re.compile(r"""path=\S*/restic |(?:bin/|[\s"';&|(])restic["']?\s+[-a-z]""")
    return {
        name
        for name, properties in show(["*.service", *sorted(names)]).items()
        if any(command.search(properties[key]) for key in properties if key.startswith("Exec"))
    }


def show_jobs(memory: Json, now: float) -> dict[str, Properties]:
    """The backup units: a week's history at the first time, later only what is new."""
    jobs = set(memory.get("jobs", [])) | jobs_by_history(memory.get("looked", now - WEEK))
    if memory.get("searched", 0) < max(now - HOUR, UNITS.stat().st_mtime):
        jobs |= jobs_by_command()
        memory["searched"] = now
    memory.update(jobs=sorted(jobs), looked=now - 60)
    # A service that is always up and only now and then starts restic, as cron, has no runs.
    return {
        name: properties
        for name, properties in show(sorted(jobs)).items()
        if properties["Type"] == "oneshot"
        or properties["TriggeredBy"]
        or "/restic " in properties["ExecStart"]
    }


# Message ids of PID 1, the same from systemd 247 to 262. UNIT_RESULT says why a unit failed.
PROCESS_EXITED = "98e322203f7a4ed290d09fe03c09fe15"
JOB_DONE = "39f53479d3a045ac8e11786248231fbf"
ENDS = {
    "7ad2d189f7e94e70a38c781354912448": "success",
    "d9b373ed55a64feb8242e02dbe79a49c": "",  # failed
    "0e4284a0caca4bfc81c0bb6786972673": "",  # skipped by its ExecCondition=
    "be02cf6855d2428ba40df7e9d022f03d": "",  # the job failed, and nothing else was said
}
# A start that a condition kept from being one, in the three wordings from systemd 247 to 257.
SKIPPED = re.compile(r"(?!Started |Finished ).*\bskipped\b")
# In place of systemd's Result, of which nothing is left.
HOST_DOWN = "host-down"
RUN_FIELDS = (
    "MESSAGE,MESSAGE_ID,PRIORITY,_PID,_COMM,_CMDLINE,EXIT_CODE,EXIT_STATUS,UNIT_RESULT,JOB_TYPE"
)


class Tail:
    """The last lines of an output. Of restic's progress lines in a row only the newest stays:
    several a second, they would push out the errors."""

    def __init__(self) -> None:
        self.lines: deque[bytes] = deque()
        self.size = 0

    def add(self, line: bytes) -> None:
        progress = b'"message_type":"status"'
        if self.lines and progress in line and progress in self.lines[-1]:
            self.size -= len(self.lines.pop()) + 1
        self.lines.append(line[-TEXT_LIMIT:])
        self.size += len(self.lines[-1]) + 1
        while self.size > TEXT_LIMIT + 1:
            self.size -= len(self.lines.popleft()) + 1

    def text(self) -> str:
        text = b"\n".join(self.lines).decode(errors="replace").replace("\0", "")
        return text.encode()[-TEXT_LIMIT:].decode(errors="ignore")


class Run:
    """One time of a job: an invocation of its unit as the journal tells it, or one `run`."""

    def __init__(self, key: str, job: str, unit: str = "") -> None:
        self.key, self.job, self.unit = key, job, unit
        self.started = self.last = self.ended = 0
        self.exit_code: int | None = None
        self.signal = self.result = self.boot = ""
        self.commands: list[str] = []
        self.tail = Tail()

    def take(self, entry: Json, *, is_oneshot: bool) -> None:
        """Add one entry; what comes after the first end is the unit's tidying up."""
        at = int(entry["__REALTIME_TIMESTAMP"])
        self.started, self.last = min(self.started or at, at), max(self.last, at)
        self.boot = str(entry.get("_BOOT_ID", ""))
        kind = entry.get("MESSAGE_ID", "")
        if entry.get("_PID") != "1":
            self.tail.add(_message(entry))
            if entry.get("_COMM") == "restic" and entry.get("_CMDLINE"):
                self.commands.append(str(entry["_CMDLINE"]))
        elif kind == PROCESS_EXITED and self.exit_code is None and not self.signal:
            self._exit(str(entry.get("EXIT_CODE")), str(entry.get("EXIT_STATUS")))
        elif kind in ENDS or (kind == JOB_DONE and is_oneshot):
            if not self.ended and entry.get("JOB_TYPE", "start") == "start":
                self.ended = at
                self.result = str(entry.get("UNIT_RESULT") or ENDS.get(kind, "success"))
        elif not kind and entry.get("PRIORITY", "6") <= "4":
            self.tail.add(_message(entry))  # such as "Failed to load environment files"

    def _exit(self, code: str, status: str) -> None:
        self.exit_code, self.signal = None, ""
        if code in ("exited", "1"):
            self.exit_code = int(status)
        else:
            self.signal = signal_name(int(status))

    def settle(self, properties: Properties) -> None:
        """Complete the journal's story with what systemd still knows of its newest run."""
        is_newest = properties.get("InvocationID") == self.key
        is_active = properties.get("ActiveState") not in ("inactive", "failed", None)
        is_over = not is_active if is_newest else time.time() - self.last / 1e6 > 60
        if not self.ended and not is_newest and self.boot not in ("", newest_boot()):
            # The host went down in mid-run: its last sign of life is the end.
            self.ended, self.result = self.last, HOST_DOWN
        if is_over and not self.ended:
            # Exit code, signal and result stay empty. (The journal may just be behind.)
            self.ended = self.last
        if is_newest and self.ended:
            self.result = self.result or properties["Result"]
            if properties["ExecMainCode"] != "0":
                self._exit(properties["ExecMainCode"], properties["ExecMainStatus"])
        # systemd logs an exit status only where it counts as a failure.
        hides_status = properties.get("SuccessExitStatus") or (
            "ignore_errors=yes" in properties.get("ExecStart", "")
        )
        if self.result == "success" and not self.signal and not hides_status:
            self.exit_code = self.exit_code or 0

    def report(
        self, arguments: list[str], repository: str, restic: str, trust: str | None = None
    ) -> Json:
        return {
            "key": self.key,
            "job": self.job,
            "unit": self.unit,
            "arguments": redact_arguments(arguments),
            "repository": repository,
            "started": iso(self.started / 1e6),
            "finished": iso(self.ended / 1e6) if self.ended else None,
            "exit_code": self.exit_code if self.ended else None,
            "signal": self.signal if self.ended else "",
            "result": self.result if self.ended else "",
            "output": self.tail.text(),
            "restic": restic,
            "trust": trust,
        }


def _message(entry: Json) -> bytes:
    """Text, or a list of bytes where it is not plain, as with restic's escape codes."""
    value = entry.get("MESSAGE") or ""
    return value.encode(errors="replace") if isinstance(value, str) else bytes(value)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name[3:]
    except ValueError:
        return str(number)


def split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # The journal of systemd 247 does not quote.
        return text.split()


def arguments_of(commands: list[str], properties: Properties) -> list[str]:
    """The argv of restic as it ran, a backup rather than its helpers; else as the unit says."""
    written = re.findall(r"argv\[\]=(.*?) ; ignore_errors=", properties.get("ExecStart", ""))
    commands = commands or written
    backups = [command for command in commands if re.search(r"\bbackup\b", command)]
    return split((backups or commands or [""])[0])


def content_of(file: str) -> str:
    """The text of an ordinary file: to read a pipe would take it away from restic."""
    path = Path(file)
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path} is no ordinary file")
    with path.open(encoding="utf-8", errors="replace") as text:
        return text.read(1024 * 1024)


def path_of(file: str, unit: str, properties: Properties) -> str:
    """Where it lies: a credential has its path only inside the unit, and only while that runs."""
    file = file.strip(" \t\n\"'")
    for credential in properties.get("LoadCredential", "").split():
        name, _, path = credential.partition(":")
        if file in (f"${{CREDENTIALS_DIRECTORY}}/{name}", f"/run/credentials/{unit}/{name}"):
            return path
    return file


def goes_to(
    unit: str, arguments: list[str], properties: Properties
) -> tuple[str, list[str] | None]:
    """The repository of a job, without its password, and the files whose certificates it trusts
    there: none for the system's. What root alone may read comes as "" and as None."""
    lines, is_whole = split(properties.get("Environment", "")), True
    for file in properties.get("EnvironmentFiles", "").splitlines():
        try:
            lines += content_of(file.rpartition(" (")[0]).splitlines()
        except (OSError, ValueError):
            is_whole = False
    variables = dict(line.strip().partition("=")[::2] for line in lines)

    def told(variable: str, *options: str) -> list[str]:
        """The values of an option, as `--repo X` or `--repo=X`, else that of a variable."""
        found = []
        for argument, following in zip(arguments, [*arguments[1:], ""]):
            name, sign, value = argument.partition("=")
            if name in options:
                found.append(value if sign else following)
        return found or [variables.get(variable, "").strip("\"'")]

    repository = told("RESTIC_REPOSITORY", "-r", "--repo")[-1]
    file = told("RESTIC_REPOSITORY_FILE", "--repository-file")[-1]
    with contextlib.suppress(OSError, ValueError):
        if file and not repository:
            repository = content_of(path_of(file, unit, properties))
    repository = redact_arguments([repository.strip(" \t\n\"'")])[0]
    trusted = ",".join(told("RESTIC_CACERT", "--cacert"))
    if any(argument.startswith("--insecure-tls") for argument in arguments):
        return repository, None  # It trusts whatever comes.
    if trusted:
        return repository, [path_of(file, unit, properties) for file in trusted.split(",")]
    # A script may set variables of its own, and so may a file that only root can read.
    is_restic = re.search(r"path=(?:\S*/)?restic ;", properties.get("ExecStart", ""))
    return repository, [] if is_restic and is_whole else None


CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----")


def certificates_in(files: list[str] | None) -> str | None:
    """The certificates of these files and nothing else in them; None unless all can be told."""
    try:
        found = [CERTIFICATE.findall(content_of(file)) for file in files or ()]
    except (OSError, ValueError):
        return None
    blocks = [block for blocks in found for block in blocks]
    text = "".join(f"{block}\n" for block in blocks)
    is_too_much = len(blocks) > TRUST_BLOCKS or len(text) > TRUST_LIMIT
    return None if files is None or not all(found) or is_too_much else text


def assess(unit: str, properties: Properties, timer: Json | None) -> Json:
    """A unit as it is written and as systemd-analyze judges it."""
    # The unit is named twice: only of two units or more does the JSON form hold the score.
    analyze = ("systemd-analyze", "security", "--no-pager")
    security, mode = output_of(*analyze, "--json=short", unit, unit), "online"
    if "[" not in security:  # Before systemd 250 there is no JSON form.
        security, mode = output_of(*analyze, unit), "text"
    return {
        "name": unit,
        "text": output_of(*CAT, unit)[:TEXT_LIMIT],
        "needs_reload": properties["NeedDaemonReload"] == "yes",
        "mode": mode if security else "",
        "security": security[:SECURITY_LIMIT],
        "systemd": version_of("systemctl", "--version"),
        "timer": timer,
        "changed": changed_of(properties),
        "unknown_users": unknown_users(properties),
    }


def changed_of(properties: Properties) -> str | None:
    """When its text took effect: its newest file was written, or systemd read all files anew.

    Before 250 systemd does not tell of that reading.
    """
    files = [properties.get("FragmentPath", ""), *split(properties.get("DropInPaths", ""))]
    loaded = output_of("systemctl", "show", "-p", "UnitsLoadTimestampMonotonic")
    try:
        since_boot = int(loaded.partition("=")[2] or 0) / 1e6
        # The time of the inode: a copy may carry the time of its original.
        written = [Path(file).stat().st_ctime for file in files if file]
    except (OSError, ValueError):
        return None
    if properties["NeedDaemonReload"] == "yes":
        return None
    return iso(max(time.time() - time.monotonic() + since_boot, *written))


def unknown_users(properties: Properties) -> list[str]:
    """Names that the unit shall run as, and that this host does not know."""
    user = properties.get("User", "")
    groups = [properties.get("Group", ""), *properties.get("SupplementaryGroups", "").split()]
    if properties.get("DynamicUser") == "yes":
        user, groups = "", groups[1:]  # systemd makes them up.
    return [
        name
        for name, known in [(user, pwd.getpwnam), *((group, grp.getgrnam) for group in groups)]
        if name and not name.isdigit() and not is_known(name, known)
    ]


def is_known(name: str, find: Callable[[str], object]) -> bool:
    with contextlib.suppress(KeyError):
        find(name)
        return True
    return False


def timer_of(unit: str, properties: Properties, rows: dict[str, Json], known: str) -> Json | None:
    """Its timer, by the name that it had where systemd tells none: a masked one starts nothing."""
    triggers = [name for name in properties["TriggeredBy"].split() if name.endswith(".timer")]
    name = (triggers or [known or unit[: -len("service")] + "timer"])[0]
    timer = show([name]).get(name)
    if timer is None:
        return None
    schedule = re.findall(r"\{ OnCalendar=(.*?) ;", timer.get("TimersCalendar", ""))
    schedule += re.findall(r"\{ (.*?) ;", timer.get("TimersMonotonic", ""))
    # Never is 0, null or the largest number, as the version likes.
    times = {key: rows.get(name, {}).get(key) or 0 for key in ("next", "last")}
    is_masked = timer["LoadState"] == "masked"
    return {
        "name": name,
        "schedule": "; ".join(schedule).replace("USec=", "Sec=")[:LINE_LIMIT],
        **{key: iso(at / 1e6) if 0 < at < 2**62 else None for key, at in times.items()},
        "persistent": timer.get("Persistent") == "yes",
        "state": "masked" if is_masked else timer.get("UnitFileState") or timer["ActiveState"],
    }


def collect(home: Home, config: Config, only: list[str]) -> None:
    """Put into the spool every run not told yet and every unit that changed."""
    memory, now = home.recall(), time.time()
    units = show(only) if only else show_jobs(memory, now)
    told, restic = memory.get("told", {}), version_of("restic", "version")
    for run in starts(units, now - WEEK):
        if run.key in told:
            continue
        properties = units[run.unit]
        if not run.ended:
            read_run(run, properties)
        arguments = arguments_of(run.commands, properties)
        repository, authorities = goes_to(run.unit, arguments, properties)
        if authorities is None:
            authorities = config.authorities.get(run.unit)
        repository = repository or config.repositories.get(run.unit, "")
        home.add_run(run.report(arguments, repository, restic, certificates_in(authorities)))
        if run.ended:
            told[run.key] = now
    memory["told"] = {key: at for key, at in told.items() if at > now - 2 * WEEK}
    units.update(show([OWN_UNITS[0]]))
    memory["units"] = collect_units(home, memory.get("units", {}), units, now)
    home.remember(**memory)


def starts(jobs: Iterable[str], since: float) -> Iterator[Run]:
    """The invocations of these units, oldest first, as PID 1 logged them; and the starts that
    came to nothing because of a Condition…= or an Assert…=, which are no invocations."""
    matches = [f"UNIT={job}" for job in sorted(jobs)]
    seen = {""}
    fields = "INVOCATION_ID,UNIT,MESSAGE,MESSAGE_ID,JOB_RESULT"
    for entry in journal("_PID=1", *matches, fields=fields, since=since) if matches else ():
        unit, key = str(entry["UNIT"]), str(entry.get("INVOCATION_ID") or "")
        is_unmet = entry.get("MESSAGE_ID") == JOB_DONE and SKIPPED.match(str(entry["MESSAGE"]))
        if is_unmet or entry.get("JOB_RESULT") == "assert":
            moment = entry["__REALTIME_TIMESTAMP"]
            key = hashlib.sha256(f"{unit} {moment}".encode()).hexdigest()[:32]
            run = Run(key, unit[: -len(".service")], unit)
            run.started = run.ended = int(moment)
            run.result = "condition"
            run.tail.add(_message(entry))
            yield run
        elif key not in seen:
            seen.add(key)
            yield Run(key, unit[: -len(".service")], unit)


def read_run(run: Run, properties: Properties) -> None:
    is_oneshot = properties["Type"] == "oneshot"
    matches = (f"INVOCATION_ID={run.key}", "+", f"_SYSTEMD_INVOCATION_ID={run.key}")
    for entry in journal(*matches, fields=RUN_FIELDS):
        run.take(entry, is_oneshot=is_oneshot)
    run.settle(properties)


def collect_units(home: Home, seen: Json, units: dict[str, Properties], now: float) -> Json:
    """Each unit when it or its timer changed, and once a day."""
    rows = timer_rows()
    for name, properties in units.items():
        before = seen.get(name, {})
        timer = timer_of(name, properties, rows, before.get("timer", ""))
        # The agent's own timer elapses every few minutes, which is no news.
        news = timer if name != OWN_UNITS[0] else None
        strangers = unknown_users(properties)
        text = output_of(*CAT, name)
        about = json.dumps([text, properties["NeedDaemonReload"], news, strangers])
        digest = hashlib.sha256(about.encode()).hexdigest()
        if before.get("digest") != digest or before["at"] < now - DAY:
            home.add_unit(assess(name, properties, timer))
            known = timer["name"] if timer else before.get("timer", "")
            seen[name] = {"digest": digest, "at": now, "timer": known}
    return seen


def report(home: Home, config: Config, only: Iterable[str]) -> None:
    """Collect, keep, send."""
    # A hook names its unit together with the way in which it ended.
    names = [re.sub(r"(\.service|:success|:failure)$", "", name) + ".service" for name in only]
    with home.lock():
        if home.state == STATE and has_systemd():
            collect(home, config, names)
        print(home.flush(config))


def run(home: Home, name: str, command: list[str]) -> int:
    """Run a command as if this program were not there, and report how it went."""
    one = Run(secrets.token_hex(16), name)
    environment = shlex.join(f"{key}={value}" for key, value in os.environ.items())
    properties = {"Environment": environment, "ExecStart": f"path={command[0]} ;"}
    repository, authorities = goes_to("", command, properties)
    trust = certificates_in(authorities)
    about = (command, repository, version_of("restic", "version"), trust)
    teller = Teller(home)
    one.started = time.time_ns() // 1000
    teller.tell(one.report(*about))

    def tell_progress() -> None:
        if teller.is_idle():
            teller.tell(one.report(*about))

    code = execute(command, one.tail, tell_progress)
    one.ended = time.time_ns() // 1000
    one.exit_code, one.signal = (code, "") if code >= 0 else (None, signal_name(-code))
    teller.tell(one.report(*about))
    teller.wait()
    return code if code >= 0 else 128 - code


class Teller:
    """Keeps and sends in processes of their own, so that the command neither waits for the
    dashboard nor fails with it; and there root can be left, while the command keeps it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.processes: list[int] = []

    def tell(self, story: Json) -> None:
        sys.stdout.flush()
        process = os.fork()
        if process:
            self.processes.append(process)
            return
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # A terminal sends it to all of us.
            self.keep_and_send(story)
        except (AgentError, OSError, ValueError) as error:
            print(f"resthouse-agent: {error}", file=sys.stderr)
        finally:
            os._exit(0)

    def keep_and_send(self, story: Json) -> None:
        is_kept = False
        try:
            config = self.home.config()
        finally:  # A host that is not enrolled yet keeps it, too.
            self.home.leave_root()
            try:
                self.home.add_run(story)
                is_kept = True
            except OSError as error:
                print(f"resthouse-agent: this run cannot be kept: {error}", file=sys.stderr)
        if is_kept:
            with self.home.lock():
                self.home.flush(config)
        else:
            Dashboard(config).report(host_facts(), [{"runs": redact_all(story)}])

    def is_idle(self) -> bool:
        """Whether all that was told has been taken, or waits on the disk."""
        self.processes = [one for one in self.processes if os.waitpid(one, os.WNOHANG) == (0, 0)]
        return not self.processes

    def wait(self) -> None:
        """What is kept by then waits for the next report."""
        deadline = time.monotonic() + TIMEOUT
        while not self.is_idle() and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in self.processes:
            os.kill(process, signal.SIGKILL)


def execute(command: list[str], tail: Tail, tell_progress: Callable[[], None]) -> int:
    """Run, pass on output and signals, keep the tail; the exit code, or minus the signal."""
    try:
        process = subprocess.Popen(command, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        print(f"resthouse-agent: {command[0]}: {error.strerror}", file=sys.stderr)
        tail.add(f"{command[0]}: {error.strerror}".encode())
        return 127 if isinstance(error, FileNotFoundError) else 126

    def pass_on(number: int, _: object) -> None:
        # A terminal interrupts the command itself as well: passed on, it would come twice.
        if number != signal.SIGINT or not os.isatty(0):
            process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    told = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, [1, b""])  # type: ignore[arg-type]
        selector.register(process.stderr, selectors.EVENT_READ, [2, b""])  # type: ignore[arg-type]
        while selector.get_map():
            for ready, _ in selector.select(PROGRESS_EVERY):
                if not pump(ready.fd, ready.data, tail):
                    selector.unregister(ready.fileobj)
            if time.monotonic() - told > PROGRESS_EVERY:
                told = time.monotonic()
                tell_progress()
    return process.wait()


def pump(source: int, sink: list[Any], tail: Tail) -> bool:
    """Pass on what is there to [target, begun line]; False at the end."""
    chunk = os.read(source, 65536)
    *lines, sink[1] = (sink[1] + chunk).split(b"\n")
    for line in lines if chunk else filter(None, [sink[1]]):
        tail.add(line)
    sink[1] = sink[1][-TEXT_LIMIT:]
    with contextlib.suppress(OSError):  # Who reads our output may have gone.
        rest = chunk
        while rest:
            rest = rest[os.write(sink[0], rest) :]
    return bool(chunk)


def status(home: Home, config: Config) -> None:
    try:
        key = f"valid, for {Dashboard(config).call('/api/key')['host']}"
    except (AgentError, KeyError) as error:
        key = str(error)
    print(f"Dashboard     {config.url}")
    print(f"Host          {config.host}")
    print(f"Key           {key}")
    print(f"Last contact  {home.recall().get('contact', 'never')}")
    print(f"Waiting       {len(home.waiting())} in {home.spool}")


def enrol(home: Home, url: str, token: str, ca: Path | None, pin: str) -> None:
    """Exchange the one-time token for this host's key, then install what reports by itself."""
    if home.state == STATE and os.geteuid() != 0:
        raise AgentError("Only root can enrol this host. Or keep all in a folder: --state DIR")
    config = Config(url=checked(url), ca=ca.read_text() if ca else "", pin=pin)
    answer = Dashboard(config).call("/api/enrol", {"token": token, "host": host_facts()})
    if not answer.get("key"):
        raise AgentError(f"{config.url} did not answer as a dashboard does.")
    config = replace(config, key=str(answer["key"]), host=str(answer.get("host")))
    write_file(home.config_file, json.dumps(asdict(config)), 0o600)
    print(f"Enrolled at {config.url} as {config.host}.")
    if home.state == STATE and has_systemd():
        install(home, config)
    else:
        print("Report a job with: resthouse-agent run NAME -- COMMAND…")


def checked(address: str) -> str:
    url = urllib.parse.urlsplit(address)
    if url.scheme not in ("http", "https") or not url.hostname or url.username:
        raise AgentError("The address must look like https://backup.example.org")
    if url.scheme == "http" and not is_loopback(url):
        raise AgentError("Over plain HTTP anybody on the way could read the key: use https://")
    return address.rstrip("/")


SERVICE = """\
# Written by resthouse-agent enrol, taken away by resthouse-agent remove.
[Unit]
Description={description}

[Service]
Type=oneshot
ExecStart={python} -I {program} report{arguments}
# Not DynamicUser=: without libnss-systemd, D-Bus knows no dynamic user and refuses to talk.
User=resthouse-agent
SupplementaryGroups=systemd-journal
LoadCredential=resthouse-agent.json:{config}
StateDirectory=resthouse-agent
StateDirectoryMode=0700
TimeoutStartSec=5min
Nice=10
CapabilityBoundingSet=
UMask=0077
ProtectSystem=strict
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
{closed}
{network}"""
CLOSED = (
    "NoNewPrivileges ProtectHome PrivateTmp PrivateDevices PrivateMounts PrivateUsers ProtectClock "
    "ProtectHostname ProtectControlGroups ProtectKernelLogs ProtectKernelModules RemoveIPC "
    "ProtectKernelTunables LockPersonality MemoryDenyWriteExecute RestrictNamespaces "
    "RestrictRealtime RestrictSUIDSGID"
)
TIMER = """\
# Written by resthouse-agent enrol, taken away by resthouse-agent remove.
[Unit]
Description=Report to the Resthouse dashboard every five minutes

[Timer]
OnCalendar=*:0/5
RandomizedDelaySec=2min
FixedRandomDelay=yes
Persistent=yes

[Install]
WantedBy=timers.target
"""


def systemctl(*arguments: str) -> None:
    if subprocess.run(["systemctl", *arguments], check=False).returncode:
        raise AgentError(f"This failed: systemctl {' '.join(arguments)}")


def install(home: Home, config: Config) -> None:
    """The program, a user for it, two services, a timer, and a hook on every backup unit."""
    if Path(__file__).resolve() != PROGRAM:
        write_file(PROGRAM, Path(__file__).read_text(), 0o755)
    PROGRAM.chmod(0o755)
    user = b'u resthouse-agent - "Resthouse agent"\n'
    subprocess.run(["systemd-sysusers", "-"], input=user, check=False)
    shared = {
        "python": shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable,
        "program": PROGRAM,
        "config": home.config_file,
        "closed": "\n".join(f"{name}=yes" for name in CLOSED.split()),
        "network": network_limit(config.url),
    }
    about = "Report to the Resthouse dashboard"
    own = SERVICE.format(description=about, arguments="", **shared)
    hook = SERVICE.format(description=f"{about}: %i", arguments=" %i", **shared)
    for name, text in zip(OWN_UNITS, (own, hook, TIMER)):
        write_file(UNITS / name, text, 0o644)
    add_hooks(home, config)
    systemctl("enable", "--quiet", "--now", OWN_UNITS[2])
    systemctl("start", OWN_UNITS[0])  # The first report comes from the unit: its sandbox works.


def network_limit(url: str) -> str:
    """Only literal addresses can be allowed. A name may move: then nothing is limited."""
    host = urllib.parse.urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        host = "localhost" if host == "localhost" else str(ipaddress.ip_address(host))
        return f"IPAddressDeny=any\nIPAddressAllow={host}\n"
    return ""


def add_hooks(home: Home, config: Config) -> None:
    """Report each backup as soon as it ends, and note what only root may read: its repository,
    and which files of certificates it trusts; these are read anew each time."""
    # An instance for each result: of one for both, systemd would not tell how the run ended.
    hooks = ["OnSuccess=resthouse-report@%N:success.service"]
    hooks += ["OnFailure=resthouse-report@%N:failure.service"]
    if version_of("systemctl", "--version") < "249":
        del hooks[0]  # OnSuccess= is unknown there; the timer reports what the hook misses.
    for name, properties in show_jobs({}, time.time()).items():
        write_file(UNITS / f"{name}.d" / HOOK, "\n".join(["[Unit]", *hooks, ""]), 0o644)
        arguments = arguments_of([], properties)
        config.repositories[name], authorities = goes_to(name, arguments, properties)
        if authorities is not None:
            config.authorities[name] = authorities
        print(f"Reports {name} as soon as it ends.")
    write_file(home.config_file, json.dumps(asdict(config)), 0o600)
    systemctl("daemon-reload")


def remove(home: Home, *, purge: bool) -> None:
    """Take away units and hooks; with purge also the key, what waits, and the program."""
    if home.state == STATE and has_systemd():
        subprocess.run(["systemctl", "disable", "--quiet", "--now", OWN_UNITS[2]], check=False)
        hooks = list(UNITS.glob(f"*.service.d/{HOOK}"))
        for path in [*hooks, *(UNITS / name for name in OWN_UNITS)]:
            path.unlink(missing_ok=True)
        for hook in hooks:
            with contextlib.suppress(OSError):  # Where other drop-ins are, the directory stays.
                hook.parent.rmdir()
        systemctl("daemon-reload")
    if purge:
        home.config_file.unlink(missing_ok=True)
        shutil.rmtree(home.spool, ignore_errors=True)
        (home.state / "memory.json").unlink(missing_ok=True)
        if home.state == STATE:
            shutil.rmtree(home.state, ignore_errors=True)
            PROGRAM.unlink(missing_ok=True)
    print("Removed. The backups go on; the dashboard hears no more of them.")


def parse(argv: list[str]) -> argparse.Namespace:
    # Whatever follows -- is the command of `run` and nothing to be read here.
    cut = argv.index("--") if "--" in argv else len(argv)
    about = "Report the restic backups of this host to a Resthouse dashboard."
    parser = argparse.ArgumentParser(prog="resthouse-agent", description=about, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=VERSION)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(verb: str, about: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(verb, help=about, description=about, allow_abbrev=False)
        added.add_argument("--state", type=Path, default=STATE, help="keep all in this folder")
        return added

    verb = add("enrol", "make this host known to a dashboard")
    verb.add_argument("--url", required=True, help="the address of the dashboard")
    verb.add_argument("--token", required=True, help="the one-time token of this host")
    trust = verb.add_mutually_exclusive_group()
    trust.add_argument("--cacert", type=Path, help="trust this authority and no other")
    trust.add_argument("--pin", default="", help="trust this key alone: sha256//…, as curl has it")
    verb = add("run", "run a command and report how it went")
    verb.usage = "resthouse-agent run NAME [--state DIR] -- COMMAND..."
    verb.add_argument("name", metavar="NAME", help="what its job is called")
    verb = add("report", "report what is new, of these units or of all")
    verb.add_argument("units", metavar="UNIT", nargs="*")
    add("flush", "send what waits and look for nothing new")
    add("hook", "let jobs that came later report as soon as they end, too")
    add("status", "show the dashboard, the last contact and what waits")
    verb = add("remove", "take away what enrolment installed")
    verb.add_argument("--purge", action="store_true", help="also the key, what waits, the program")
    options = parser.parse_args(argv[:cut])
    options.command = argv[cut + 1 :]
    if options.verb == "run" and not options.command:
        verbs.choices["run"].error("say what to run after --")
    return options


def main(argv: list[str]) -> int:
    options = parse(argv)
    home = Home(options.state)
    try:
        if options.verb == "run":
            return run(home, options.name, options.command)
        if options.verb == "enrol":
            enrol(home, options.url, options.token, options.cacert, options.pin)
        elif options.verb == "remove":
            remove(home, purge=options.purge)
        else:
            answer(home, options)
    except (AgentError, OSError) as error:
        print(f"resthouse-agent: {error}", file=sys.stderr)
        return 1
    return 0


def answer(home: Home, options: argparse.Namespace) -> None:
    """The verbs of a host that is enrolled; all but one need no root, and go on without."""
    config = home.config()
    if options.verb != "hook":
        home.leave_root()
    if options.verb == "hook":
        add_hooks(home, config)
    elif options.verb == "report":
        report(home, config, options.units)
    elif options.verb == "status":
        status(home, config)
    else:
        with home.lock():
            print(home.flush(config))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
