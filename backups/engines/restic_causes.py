"""Why a restic run failed, told by its last words, and what helps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a failure, in words for the operator."""

    code: str
    sentence: str
    advice: str


WRONG_PASSWORD = Cause(
    "wrong-password",
    "The repository password is wrong.",
    "Compare the host's password file with the one that made the repository; "
    "`restic key list` succeeds on it once it is right.",
)
LOCKED = Cause(
    "locked",
    "Another restic holds a lock on the repository, or one that was killed left it there.",
    "If no other restic runs on it, remove the lock with `restic unlock` on this host.",
)
NO_REPOSITORY = Cause(
    "no-repository",
    "There is no repository at this address.",
    "Compare the address with the repositories of the server, or make one with `restic init`.",
)
UNAUTHORIZED = Cause(
    "unauthorized",
    "The server refused the user: unknown name, wrong password, or a path that is not the user's.",
    "With private repositories the path must begin with the user's own name. "
    "restic before 0.16.1 does not read RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD: "
    "there, put them into the address.",
)
APPEND_ONLY = Cause(
    "append-only",
    "The server refused to delete: it is append-only.",
    "Run forget and prune on the server's side in a maintenance window, not from this host.",
)
SERVER_FULL = Cause(
    "server-full",
    "The server has no more room for backups.",
    "Raise the server's limit, free its disk, or prune old snapshots there.",
)
UNREACHABLE = Cause(
    "unreachable",
    "The server could not be reached.",
    "Check that the server runs, and its name, port and the firewall between.",
)
UNKNOWN_NAME = Cause(
    "unknown-name",
    "The name of the server leads nowhere: DNS does not know it.",
    "Check the name in the repository's address and the resolver of this host.",
)
CERTIFICATE = Cause(
    "certificate",
    "restic does not trust the server's certificate.",
    "Give restic the certificate of the authority with `--cacert`, and check the names and the "
    "end date of the server's certificate.",
)
WRONG_SCHEME = Cause(
    "wrong-scheme",
    "One side speaks HTTP and the other HTTPS.",
    "Make the address of the repository begin with rest:https:// if the server has a "
    "certificate, else with rest:http://.",
)
NO_SOCKETS = Cause(
    "no-sockets",
    "The unit does not allow network sockets.",
    "Write `RestrictAddressFamilies=AF_INET AF_INET6` in the unit; "
    "`RestrictAddressFamilies=yes` forbids every family.",
)
NO_SOURCES = Cause(
    "no-sources",
    "None of the paths to back up exists.",
    "Correct the paths in the backup command, or mount what should be there.",
)
BAD_ADDRESS = Cause(
    "bad-address",
    "The repository's address cannot be read.",
    "Percent-encode special characters of the password in the address.",
)
NO_ADDRESS = Cause(
    "no-address",
    "restic was told neither a repository nor its password.",
    "Set RESTIC_REPOSITORY and RESTIC_PASSWORD_FILE in the unit, or give them as options.",
)
DAMAGED = Cause(
    "damaged",
    "The repository contains errors.",
    "Do not prune. Run `restic check --read-data` and follow restic's troubleshooting guide.",
)
HOST_FULL = Cause(
    "host-full",
    "A disk of the host is full.",
    "Free space where the cache and temporary files are, or set RESTIC_CACHE_DIR and TMPDIR.",
)
READ_ONLY = Cause(
    "read-only",
    "restic could not write its cache or temporary files.",
    "Give the unit `PrivateTmp=yes` and `CacheDirectory=restic`.",
)
BAD_OPTION = Cause(
    "bad-option",
    "This restic does not know a command or an option that it was given.",
    "Compare the command with `restic help backup` on this host.",
)

# The order matters where a line fits two.
_PATTERNS: tuple[tuple[re.Pattern[str], Cause], ...] = tuple(
    (re.compile(pattern), cause)
    for pattern, cause in (
        (r"wrong password or no key found|an empty password is not", WRONG_PASSWORD),
        (r"repository is already locked|`unlock` command can be used", LOCKED),
        (r"unexpected HTTP response \(401\)|401 Unauthorized", UNAUTHORIZED),
        (r"\(403\)|403 Forbidden|unable to remove snapshot/", APPEND_ONLY),
        (r"\(507\)|507 Insufficient", SERVER_FULL),
        (r"address family not supported", NO_SOCKETS),
        (r"HTTP response to HTTPS client|HTTP request to an HTTPS server", WRONG_SCHEME),
        (r"x509:|tls: |certificate (?:has expired|signed by|is valid)", CERTIFICATE),
        (r"no such host|server misbehaving|[Tt]emporary failure in name", UNKNOWN_NAME),
        (
            r"connection refused|i/o timeout|no route to host|connection reset"
            r"|network is unreachable|dial tcp",
            UNREACHABLE,
        ),
        (r"all (?:target|source) directories/files do not exist", NO_SOURCES),
        (r"parsing repository location failed|invalid (?:port|userinfo|URL)", BAD_ADDRESS),
        (r"[Pp]lease specify repository|[Rr]esolving password failed", NO_ADDRESS),
        (r"repository does not exist|unable to open config file.*does not exist", NO_REPOSITORY),
        (r"repository contains errors|ciphertext verification failed", DAMAGED),
        (r"no space left on device|disk quota exceeded", HOST_FULL),
        (r"read-only file system|unable to open cache|unable to create cache", READ_ONLY),
        (r"unknown (?:command|flag|shorthand flag)", BAD_OPTION),
    )
)


def find_cause(lines: Sequence[str]) -> Cause | None:
    """The cause nearest to the end: what comes before may have been overcome by a retry."""
    for line in reversed(lines):
        for pattern, cause in _PATTERNS:
            if pattern.search(line):
                return cause
    return None
