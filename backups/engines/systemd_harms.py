"""Lines that systemd obeys, and by which a backup loses files, its server, or its life."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from backups.engines.systemd_checks import (
    CALLS,
    ERROR,
    FAMILIES,
    WARNING,
    Finding,
    Ignored,
    finding,
)
from backups.engines.systemd_unit import (
    Assignment,
    boolean,
    in_force,
    is_mount_namespace_made,
    words_of,
)
from backups.engines.systemd_work import is_agent, work_of

HIDES, CUTS, CRAMPS = "hides-files", "cuts-network", "no-temporary-files"

# Before a command, it mounts where every unit that starts later looks.
OUTSIDE = "/usr/bin/nsenter --target 1 --mount -- "

_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108
_RIGHT_ADDRESSES = "IPAddressAllow=localhost <the address of the server>"


def check(assignments: list[Assignment], ignored: Ignored) -> Iterator[Finding]:
    """Nothing is said of our own agent, which backs nothing up."""
    service = [at for at in assignments if at.section == "Service"]
    if is_agent(service):
        return
    last = {at.key: at for at in in_force(service) if _is_heeded(at)}
    work = work_of(service)
    yield from _check_files(last, work.paths)
    if work.mounters:
        yield from _check_mounts(in_force(service))
    yield from _check_temporary(last, in_force(service))
    yield from _check_network(last)
    yield from _check_reach(in_force(service))
    yield from _check_families(in_force(service), ignored)


_WORDS = {
    "ProtectHome": ("read-only", "tmpfs"),
    "ProtectSystem": ("full", "strict"),
    "PrivateUsers": ("self", "identity", "full"),
    "PrivateTmp": ("disconnected",),
}
_BOOLEANS = (*_WORDS, "PrivateNetwork", "DynamicUser")


def _is_heeded(at: Assignment) -> bool:
    """A word that systemd does not know leaves what stood before."""
    if at.key not in _BOOLEANS:
        return True
    return boolean(at.value) is not None or at.value in _WORDS.get(at.key, ())


def _check_files(last: Mapping[str, Assignment], paths: tuple[str, ...]) -> Iterator[Finding]:
    at = last.get("ProtectHome")
    if at and (at.value == "tmpfs" or boolean(at.value)) and _may_hold(paths, _HOMES):
        sentence = "/home and /root look empty to the unit, and the backup silently loses them."
        yield finding(HIDES, at, sentence, value="read-only")
    at = last.get("PrivateUsers")
    if at and (at.value in ("self", "identity") or boolean(at.value)):
        sentence = "Files of other users cannot be read, or are stored as those of nobody."
        yield finding(HIDES, at, sentence, value="no")
    at = last.get("PrivateTmp")
    if at and boolean(at.value) is not False and any(_lies_in(p, _TEMPORARY) for p in paths):
        sentence = "The unit sees an empty /tmp and /var/tmp of its own, and backs that up."
        yield finding(HIDES, at, sentence, value="no")


def _check_mounts(service: list[Assignment]) -> Iterator[Finding]:
    """Each command of a unit gets a mount namespace of its own, also behind a plus sign."""
    made = (at for at in service if is_mount_namespace_made([at]))
    if at := next(made, None):
        sentence = (
            "What a command of this unit mounts, restic does not see: it backs up the empty folder "
            "below, with exit 0. So does a plus sign alone; this line mounts for the whole machine."
        )
        mount = next(
            (each for each in service if each.key[:4] == "Exec" and _MOUNTING.search(each.value)),
            at,
        )
        value = f"+{OUTSIDE}{mount.value.lstrip('+')}"
        yield finding(HIDES, mount, sentence, value=value, severity=ERROR)


_MOUNTING = re.compile(r"(?:/|\b)(?:mount(?:\.\w+)?|sshfs|bindfs|s3fs)\s")


def _may_hold(paths: tuple[str, ...], folders: tuple[str, ...]) -> bool:
    """Of a script nobody can tell what it backs up: then it may."""
    return not paths or any(path == "/" or _lies_in(path, folders) for path in paths)


def _lies_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in folders)


def _check_temporary(
    last: Mapping[str, Assignment], service: list[Assignment]
) -> Iterator[Finding]:
    """restic writes each pack to a temporary file first, and dies where it cannot."""
    at = last.get("ProtectSystem")
    if at is None or at.value != "strict" or _is_on(last, "DynamicUser"):
        return
    is_elsewhere = any("TMPDIR=" in each.value for each in service if each.key == "Environment")
    writable = [word for each in service if each.key == "ReadWritePaths" for word in _paths(each)]
    if _is_on(last, "PrivateTmp") or is_elsewhere or {"/", *_TEMPORARY} & {*writable}:
        return
    if "EnvironmentFile" in last:
        # It may name another folder for them.
        return
    sentence = "With ProtectSystem=strict, restic has no folder for its temporary files and fails."
    right = "PrivateTmp=yes"
    yield replace(finding(CRAMPS, at, sentence, value=""), fix=f"{at.key}={at.value}\n{right}")


def _paths(at: Assignment) -> list[str]:
    return [word.lstrip("-+") for word in words_of(at.value)]


def _is_on(last: Mapping[str, Assignment], key: str) -> bool:
    at = last.get(key)
    return at is not None and boolean(at.value) is not False


def _check_network(last: Mapping[str, Assignment]) -> Iterator[Finding]:
    if (at := last.get("PrivateNetwork")) and boolean(at.value):
        sentence = "The unit has no network: a repository on another machine cannot be reached."
        yield finding(CUTS, at, sentence, value="no")
    denied = last.get("IPAddressDeny")
    if denied and "any" in words_of(denied.value) and "IPAddressAllow" not in last:
        sentence = "Every address is denied: allow the server's and the resolver's."
        yield replace(finding(CUTS, denied, sentence, value=""), fix=_RIGHT_ADDRESSES)


_SERVER = re.compile(r"rest:https?://(?:[^@/\s]*@)?(?:\[([0-9a-fA-F:.]+)\]|([^:/\s\"']+))")


def _check_reach(service: list[Assignment]) -> Iterator[Finding]:
    """Whether the server that the unit names is among the addresses that it may reach."""
    allowed = [at for at in service if at.key == "IPAddressAllow"]
    denied = [word for at in service if at.key == "IPAddressDeny" for word in words_of(at.value)]
    server = _SERVER.search(" ".join(at.value for at in service))
    if "any" not in denied or not allowed or server is None:
        return
    address = server[1] or server[2]
    words = [word for at in allowed for word in words_of(at.value)]
    if _is_within(address, words):
        return
    sentence = f"The unit may not reach `{address[:100]}`, where its repository is."
    value = f"localhost {address if _is_number(address) else f'<the address of {address[:60]}>'}"
    # A name may stand in /etc/hosts: of a number there is no doubt.
    severity = ERROR if _is_number(address) else WARNING
    yield finding(CUTS, allowed[-1], sentence, value=value, severity=severity)


def _is_within(address: str, words: list[str]) -> bool:
    """Of a name, only that it can be no other machine where none is allowed."""
    if "any" in words:
        return True
    if not _is_number(address):
        return address == "localhost" or any(not _is_local(word) for word in words)
    number = ipaddress.ip_address(address)
    if number.is_loopback:
        return any(_is_local(word) for word in words)
    for word in words:
        with suppress(ValueError):
            if number in ipaddress.ip_network(word, strict=False):
                return True
    return False


def _is_number(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def _is_local(word: str) -> bool:
    """A word that is no address allows nothing, and is found elsewhere."""
    try:
        return ipaddress.ip_network(word, strict=False).is_loopback
    except ValueError:
        return word == "localhost"


def _check_families(service: list[Assignment], ignored: Ignored) -> Iterator[Finding]:
    lines = [at for at in service if at.key == FAMILIES.key]
    is_valid = not any(FAMILIES.bad_words(line, ignored) for line in lines)
    if lines and is_valid and not _internet(lines):
        sentence = "No internet socket is allowed: the server cannot be reached."
        yield finding(CUTS, lines[-1], sentence, value=FAMILIES.right)
    for at in service:
        words = words_of(at.value[1:])
        if at.key == CALLS.key and at.value.startswith("~") and "@network-io" in words:
            sentence = "No call of the network is allowed: the server cannot be reached."
            kept = " ".join(word for word in words if word != "@network-io")
            yield finding(CUTS, at, sentence, value=f"~{kept}" if kept else "")


def _internet(lines: list[Assignment]) -> bool:
    """The first line says whether the list allows or denies; a later tilde takes from it."""
    is_denying = lines[0].value.startswith("~")
    listed = set[str]()
    for line in lines:
        words = set(words_of(line.value.removeprefix("~")))
        listed = listed | words if line.value.startswith("~") == is_denying else listed - words
    return bool(
        {"AF_INET", "AF_INET6"} - listed if is_denying else {"AF_INET", "AF_INET6"} & listed
    )
