"""What rest-server 0.13 and 0.14 write, and what each of it means, in one table."""

import re
from typing import Literal

from backups.engines.restserver_paths import places_of

Level = Literal["note", "warning", "error"]


# The second is what Go makes of an alert that comes before it may be read.
_REFUSED = r"(?:remote error: tls: .*(?:certificate|unknown)|local error: tls: bad record MAC)"
_HANDSHAKE = r"http: TLS handshake error from (?P<who>\S{1,60}):\d+: "
_TLS_END = "(?:error: )?listen and serve returned err: "
_NO_LISTEN = "error: unable to listen: .*"
_AT_START = r"(?:\S+ \S+ )?error: "
_BY_FILE = "The users file could not be read: "
_STAYS = " Until it can be, the users from before stay."

# How a message begins, how grave it is, and a sentence with what to do.
_TABLE: tuple[tuple[str, Level, str], ...] = (
    (
        r"Invalid htpasswd entry for (?P<name>.{1,200})\.$",
        "warning",
        "A sign-in as {name} was refused: the password was wrong, or its hash is neither bcrypt "
        "nor SHA. If it is a host of yours, rotate the password and give it the new one. Right "
        "after a change of {name} it may be Resthouse, which proves that a wrong one is refused.",
    ),
    ("Reloaded htpasswd file", "note", "The users file was read again: its changes are in force."),
    (
        r"Could not reload htpasswd file: open (?P<file>\S+): permission denied",
        "error",
        _BY_FILE + "it belongs to another user. Give it back: `chown USER {file}`." + _STAYS,
    ),
    (
        r"Could not reload htpasswd file: .*no such file",
        "error",
        "The users file is gone. Put it back before the next start, which would fail." + _STAYS,
    ),
    (
        "Could not reload htpasswd file: ",
        "error",
        _BY_FILE + "one of its lines is no user. The page Users says which." + _STAYS,
    ),
    (
        r"error: cannot load (?P<file>\S+) .*permission denied",
        "error",
        "It ends, because {file} does not belong to the user of the container. Give it to that "
        "user, then start the server: `chown USER {file}`.",
    ),
    (
        r"error: cannot load (?P<file>\S+) .*no such file",
        "error",
        "It ends, because {file} is gone. Put it back, an empty one will do, and start the server.",
    ),
    (
        r"error: cannot load (?P<file>\S+) ",
        "error",
        "It ends, because one line of {file} is no user: each is a name, a colon and a hash, "
        "without quotes. Mend that line, then start the server.",
    ),
    (
        r"Ignoring invalid username (?P<name>\".{0,200}?\") in htpasswd",
        "warning",
        "{name} is never let in: names are letters, digits and @ . _ - alone. Make the user again "
        "under another name.",
    ),
    (
        r"Nobody can sign in yet|\**WARNING\** No user exists",
        "warning",
        "The users file is empty. Add a user; it is let in at once.",
    ),
    (
        "Authentication disabled",
        "warning",
        "Nobody is asked for a password: whoever reaches the port reads and writes everything.",
    ),
    (
        "Proxy Authentication enabled",
        "warning",
        "Whoever reaches the port is believed to be whom he names: let only the proxy reach it.",
    ),
    (
        r"panic: runtime error: index out of range \[1\] with length 1",
        "error",
        "It crashed over a line of the users file without a colon. Mend that line, then start it.",
    ),
    (
        r"http: panic serving (?P<who>\S+): runtime error: index out of range \[1\] with length 1",
        "error",
        "One request was dropped over a line of the users file without a colon. Mend it: the next "
        "start would fail.",
    ),
    (
        r"http: panic serving (?P<who>\S+):",
        "error",
        "A mistake of rest-server itself: one request was dropped, and it goes on. Upgrade it.",
    ),
    (
        "panic: |fatal error: ",
        "error",
        "rest-server crashed, by a mistake of its own. Upgrade it; restic tries again by itself.",
    ),
    (
        r"ERROR: repository has reached maximum size \((?P<size>\d+) bytes\)|"
        r"incoming blob \(\d+ bytes\) would exceed maximum size of repository \((?P<limit>\d+) ",
        "error",
        "The size limit is reached and uploads are refused. Raise `--max-size`, or remove old "
        "snapshots and prune. What is deleted on the disk counts only after a restart.",
    ),
    (
        r"ERROR: .*no space left on device",
        "error",
        "The disk of the data directory is full and uploads are refused. Make room on it.",
    ),
    (
        "Initializing quota",
        "note",
        "Because of the size limit it counts every file before it answers; that may take minutes.",
    ),
    (
        r"(?:.*: )?(?:cannot create |touch: )(?P<file>\S+): Permission denied",
        "error",
        "The data directory does not belong to the user of the container. Give it to that user, "
        "then start the server: `chown USER {folder}`.",
    ),
    (
        r"(?:.*: )?(?:cannot create |touch: )(?P<file>\S+): (?:Directory nonexistent|No such file)",
        "error",
        "There is no folder for {file}. Let PASSWORD_FILE name one in the data directory.",
    ),
    (
        r"error: open (?P<file>.{1,300}): permission denied",
        "error",
        "With a size limit every folder is counted at the start, and {file} may not be read. Give "
        "it to the user of the container, or move it away.",
    ),
    (
        r"ERROR: mkdir (?P<file>.{1,300}): permission denied",
        "error",
        "{file} could not be made: the folder above it belongs to another than the user of the "
        "container. Give it to that user: `chown USER {folder}`.",
    ),
    (
        r"ERROR: (?:open|stat|rename|unlink|remove|readdirent|lstat) (?P<file>.{1,300}): "
        "permission denied",
        "error",
        "{file} does not belong to the user of the container, often after a prune as root on the "
        "server itself. restic tries again until you give it back: `chown -R USER {repository}`.",
    ),
    (
        r"ERROR: .*read-only file system",
        "error",
        "The data directory cannot be written: mounted read-only, or the disk has failed. Look at "
        "the mount and at the kernel's log.",
    ),
    (
        r"ERROR: .*input/output error",
        "error",
        "The disk failed to read or write. Look at the kernel's log, and check the repository.",
    ),
    (
        r"(?:WARNING: )?fsync is not supported",
        "warning",
        "This file system cannot say when data is safe on the disk: a power cut may lose the last "
        "uploads. Network shares do that; local disks do not.",
    ),
    (
        _NO_LISTEN + "address already in use",
        "error",
        "Another program has this port or socket. Stop that program or choose another; a socket "
        "that a killed server left behind may be deleted.",
    ),
    (
        _NO_LISTEN + "permission denied",
        "error",
        "Ports below 1024 are not for the user of the container. Let it listen at 8000.",
    ),
    (
        _NO_LISTEN + "cannot assign requested address",
        "error",
        "The container does not have this address. Leave `--listen` away: the engine publishes.",
    ),
    (_NO_LISTEN, "error", "Write `--listen` as ADDRESS:PORT, such as `:8000`, or leave it away."),
    (
        _TLS_END + r"open (?P<file>\S+): no such file",
        "error",
        "It ends, because {file} is not there. Apply a certificate, or turn TLS off.",
    ),
    (
        _TLS_END + r"open (?P<file>\S+): permission denied",
        "error",
        "It ends, because it may not read {file}. Give the file to the user of the container.",
    ),
    (
        _TLS_END + r"tls: private key (?:does|type does) not match",
        "error",
        "It ends, because key and certificate do not belong together, or the chain does not begin "
        "with its own certificate. Apply a certificate with its key.",
    ),
    (
        _TLS_END + r"tls: failed to parse private key",
        "error",
        "It ends, because the key is encrypted or of a kind it does not know. Apply one without a "
        "password.",
    ),
    (
        _TLS_END + r"tls: .*(?:may have been switched|found a certificate rather than a key)",
        "error",
        "It ends, because key and certificate stand in each other's file. Apply the certificate.",
    ),
    (
        _TLS_END + r"(?:tls|x509): ",
        "error",
        "It ends, because certificate or key cannot be read as PEM. Apply a certificate.",
    ),
    (
        "error: requires enabled TLS",
        "error",
        "It ends, because a certificate is named while TLS is off. Turn TLS on.",
    ),
    (
        "error: Unsupported TLS min version",
        "error",
        "It ends, because of the lowest TLS version: it is 1.2 or 1.3.",
    ),
    (
        _HANDSHAKE + "client sent an HTTP request to an HTTPS server",
        "warning",
        "A client at {who} spoke plain HTTP. Its repository has to begin with `rest:https`.",
    ),
    (
        _HANDSHAKE + _REFUSED,
        "warning",
        "The client at {who} did not trust the certificate and went away. Give that host the "
        "authority (`--cacert`), and have it use a name that stands in the certificate.",
    ),
    (
        _HANDSHAKE + "tls: client offered only unsupported versions",
        "warning",
        "The client at {who} knows only older TLS than is allowed here. Upgrade it.",
    ),
    (
        _HANDSHAKE,
        "note",
        "Something at {who} knocked without TLS: a scanner, or a look whether the port is open.",
    ),
    (
        _AT_START + r"unknown (?:shorthand )?flag: (?P<flag>\S+)",
        "error",
        "It ends, because this release of rest-server has no {flag}. Take it out of the options, "
        "or upgrade.",
    ),
    (
        _AT_START + r"\S+ expects no arguments - unknown argument: (?P<word>.{1,100})",
        "error",
        "It ends over the word {word} in its options. Quotes do not work there, nor do blanks in "
        "values.",
    ),
    (
        _AT_START + r"(?:invalid argument .* for|flag needs an argument:) \"?(?P<flag>-[\w-]+)",
        "error",
        "It ends, because {flag} has no value that fits. Mend the options.",
    ),
    (
        r"error: open (?P<file>\S+): no such file",
        "error",
        "It ends, because it cannot write {file}. Let `--log` be `-` so that requests stand here.",
    ),
    ("shutdown cleanly", "note", "It was told to stop, and what was under way had ended."),
    ("Creating repository directories in", "note", "A new repository begins."),
)

KNOWN = tuple((re.compile(begin), level, meaning) for begin, level, meaning in _TABLE)

_MAX_TEXT = 1000
_ANY_ERROR = re.compile(r"(?:\S+ \S+ )?(?:error|ERROR|fatal|FATAL)\b")
_ANY_WARNING = re.compile(r"\W*(?:warning|WARNING|Warning)\b")


def explain(text: str) -> tuple[Level, str]:
    """How grave a message is, and what it means; of one that nobody knows, the level alone."""
    text = text[:_MAX_TEXT]
    for pattern, level, meaning in KNOWN:
        if found := pattern.match(text):
            parts = found.groupdict(default="")
            parts |= places_of(parts.get("file", ""))
            return level, meaning.format_map({name: _short(part) for name, part in parts.items()})
    if _ANY_ERROR.match(text):
        return "error", ""
    return ("warning", "") if _ANY_WARNING.match(text) else ("note", "")


def _short(part: str) -> str:
    # A backtick would end what is set as code, and a command with it.
    part = part.replace("`", "?")
    return part if len(part) <= 100 else f"{part[:99]}…"
