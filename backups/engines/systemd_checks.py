"""What systemd says nothing of, or too little: lines that undo a unit or its backup."""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from backups.engines.systemd_unit import Assignment, boolean, in_force, words_of

ERROR, WARNING = "error", "warning"

POISONED = "poisoned-allow-list"
IGNORED = "ignored-value"

MAX_WORDS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One line that is wrong, why, and the line that is right."""

    code: str
    line: int | None
    directive: str
    sentence: str
    fix: str
    severity: str
    file: str = "unit"


def finding(
    code: str, at: Assignment, sentence: str, *, value: str, severity: str = WARNING
) -> Finding:
    fix = f"{at.key}={value}"[:500] if value else ""
    return Finding(code, at.line, at.key[:100], sentence[:1000], fix, severity, at.file)


CAPABILITIES = frozenset(
    (
        *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID"),
        *("CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE"),
        *("CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW"),
        *("CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT"),
        *("CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE"),
        *("CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE"),
        *("CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_SETFCAP"),
        *("CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM"),
        *("CAP_BLOCK_SUSPEND", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"),
    )
)
CALL_GROUPS = frozenset(
    (
        *("@default", "@aio", "@basic-io", "@chown", "@clock", "@cpu-emulation", "@debug"),
        *("@file-system", "@io-event", "@ipc", "@keyring", "@known", "@memlock", "@module"),
        *("@mount", "@network-io", "@obsolete", "@pkey", "@privileged", "@process", "@raw-io"),
        *("@reboot", "@resources", "@sandbox", "@setuid", "@signal", "@swap", "@sync"),
        *("@system-service", "@timer"),
    )
)
ADDRESS_WORDS = frozenset(("any", "localhost", "link-local", "multicast"))
CHOICES = {
    "ProtectHome": ("yes", "no", "read-only", "tmpfs"),
    "ProtectSystem": ("yes", "no", "full", "strict"),
    "ProtectProc": ("noaccess", "invisible", "ptraceable", "default"),
    "ProcSubset": ("all", "pid"),
    "KeyringMode": ("inherit", "private", "shared"),
    "DevicePolicy": ("auto", "closed", "strict"),
}

# The words that systemd itself said it ignores, by file and line.
Ignored = Mapping[tuple[str, int], Collection[str]]


def check(assignments: list[Assignment], ignored: Ignored) -> Iterator[Finding]:
    """Every finding of our own, in no order."""
    service = [a for a in assignments if a.section == "Service"]
    for allow_list in (FAMILIES, CALLS):
        yield from allow_list.check([a for a in service if a.key == allow_list.key], ignored)
    for assignment in service:
        yield from _check_choice(assignment)
    for assignment in in_force(service):
        yield from _check_capabilities(assignment)
        yield from _check_addresses(assignment)


@dataclass(frozen=True, slots=True)
class AllowList:
    """A directive that, once begun, forbids all that it does not name.

    systemd drops a word that it does not know, but the list has begun: what is left forbids
    everything, and scores better for it.
    """

    key: str
    pattern: re.Pattern[str]
    names: Collection[str]
    right: str
    harm: str

    def check(self, lines: list[Assignment], ignored: Ignored) -> Iterator[Finding]:
        resets = [index for index, line in enumerate(lines) if not line.value]
        lines = lines[resets[-1] + 1 :] if resets else lines
        bad = [self.bad_words(line, ignored) for line in lines]
        begun = [
            set(_words(line)) - words
            for line, words in zip(lines, bad, strict=True)
            if not line.value.startswith("~")
        ]
        is_denying = bool(lines) and lines[0].value.startswith("~")
        is_poisoned = bool(begun) and not is_denying and not any(begun)
        for line, words in zip(lines, bad, strict=True):
            if words:
                yield self._finding(line, words, is_poisoned=is_poisoned)

    def bad_words(self, line: Assignment, ignored: Ignored) -> set[str]:
        theirs = {
            word
            for number in range(line.line, line.last_line + 1)
            for word in ignored.get((line.file, number), ())
        }
        return {word for word in _words(line) if word in theirs or not self._is_known(word)}

    def _is_known(self, word: str) -> bool:
        return bool(self.pattern.fullmatch(word)) and (
            word in self.names or not word.startswith("@")
        )

    def _finding(self, line: Assignment, bad: set[str], *, is_poisoned: bool) -> Finding:
        corrected = " ".join(self._corrected(line, bad))
        sentence = f"systemd ignores {_quoted(sorted(bad))}, which it does not know"
        if line.value.startswith("~"):
            value = f"~{corrected}" if corrected else ""
            return finding(IGNORED, line, f"{sentence}.", value=value)
        value = corrected or self.right
        if not is_poisoned:
            return finding(IGNORED, line, f"{sentence}.", value=value)
        sentence += f", but the list has begun: {self.harm}. The score only looks better for it."
        return finding(POISONED, line, sentence, value=value, severity=ERROR)

    def _corrected(self, line: Assignment, bad: set[str]) -> Iterator[str]:
        for word in _words(line)[:MAX_WORDS]:
            if word not in bad:
                yield word
            elif match := _closest(word.upper() if self is FAMILIES else word, self.names):
                yield match


FAMILIES = AllowList(
    key="RestrictAddressFamilies",
    pattern=re.compile(r"AF_[A-Z][A-Z0-9_]*|none"),
    names=("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"),
    right="AF_INET AF_INET6",
    harm="no network socket can be opened, so the backup cannot reach its server",
)
CALLS = AllowList(
    key="SystemCallFilter",
    pattern=re.compile(r"@?[a-z0-9_-]+(:[A-Za-z0-9]+)?"),
    names=CALL_GROUPS,
    right="@system-service",
    harm="nearly every system call is forbidden, so the backup dies at its start",
)


def _words(line: Assignment) -> list[str]:
    return words_of(line.value.removeprefix("~"))


def _quoted(words: list[str]) -> str:
    shown = ", ".join(f"`{word[:60]}`" for word in words[:5])
    return f"{shown} and {len(words) - 5} more" if len(words) > 5 else shown


def _closest(word: str, names: Collection[str], *, cutoff: float = 0.6) -> str:
    return next(iter(get_close_matches(word[:60], sorted(names), n=1, cutoff=cutoff)), "")


def _check_capabilities(at: Assignment) -> Iterator[Finding]:
    if at.key not in ("CapabilityBoundingSet", "AmbientCapabilities"):
        return
    words = _words(at)
    bad = [word for word in words if word.upper() not in CAPABILITIES]
    if not bad:
        return
    corrected = (
        word if word.upper() in CAPABILITIES else _closest(word.upper(), CAPABILITIES, cutoff=0.75)
        for word in words[:MAX_WORDS]
    )
    tilde = "~" if at.value.startswith("~") else ""
    sentence = (
        f"There is no capability {_quoted(bad)}: systemd drops it without a word, "
        "and the score counts what is left."
    )
    value = " ".join(filter(None, corrected)) or "CAP_DAC_READ_SEARCH"
    yield finding("unknown-capability", at, sentence, value=tilde + value, severity=ERROR)


def _check_addresses(at: Assignment) -> Iterator[Finding]:
    if at.key not in ("IPAddressAllow", "IPAddressDeny"):
        return
    words = words_of(at.value)
    bad = [word for word in words if not _is_address(word)]
    if not bad:
        return
    sentence = (
        f"{_quoted(bad)} is no address: only literal addresses count, names are ignored. "
        "With IPAddressDeny=any the server cannot be reached."
    )
    good = [word for word in words[:MAX_WORDS] if word not in bad]
    value = " ".join([*good, *map(_address_for, bad[:5])])
    yield finding("ip-name-not-address", at, sentence, value=value, severity=ERROR)


def _address_for(word: str) -> str:
    """The same written as systemd reads it, where it is a number at all."""
    try:
        return str(ipaddress.ip_network(word.partition("%")[0], strict=False))
    except ValueError:
        return f"<the address of {word[:60]}>"


def _is_address(word: str) -> bool:
    if word in ADDRESS_WORDS:
        return True
    address, slash, length = word.partition("/")
    try:
        ipaddress.ip_network(word, strict=False)
    except ValueError:
        return False
    # Python reads a zone and a written-out mask as well, systemd neither.
    return "%" not in address and (not slash or length.isdecimal())


def _check_choice(at: Assignment) -> Iterator[Finding]:
    choices = CHOICES.get(at.key)
    if not choices or not at.value or at.value in choices:
        return
    if "yes" in choices and boolean(at.value) is not None:
        return
    sentence = f"systemd ignores {_quoted([at.value])}; the words are {', '.join(choices)}."
    value = _closest(at.value, choices) or choices[-1]
    yield finding(IGNORED, at, sentence, value=value)
