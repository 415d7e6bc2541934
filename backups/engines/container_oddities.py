"""What somebody who has run rest-server for years would say of a container that others made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from backups.engines.container_reading import Reading

_NAMELESS = re.compile(r"[0-9a-f]{64}")
_SOCKETS = ("docker.sock", "podman.sock")


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing to know before anything is done; an error endangers backups or passwords."""

    code: str
    level: Literal["error", "warning", "note"]
    sentence: str
    advice: str = ""


def oddities(reading: Reading) -> list[Oddity]:
    """The dangerous ones first."""
    ranks = ("error", "warning", "note")
    return sorted(_found(reading), key=lambda oddity: ranks.index(oddity.level))


def _found(reading: Reading) -> Iterator[Oddity]:
    yield from _doors(reading)
    yield from _ports(reading)
    yield from _data(reading)
    yield from _shape(reading)
    if reading.project:
        yield Oddity(
            "compose",
            "note",
            f"It belongs to the compose project {reading.project}.",
            "Once it is changed here, change the compose file as well: its next “up” would make "
            "the container as it was.",
        )


def _doors(reading: Reading) -> Iterator[Oddity]:
    spec = reading.spec
    is_local = _is_loopback(spec.address)
    if "--no-auth" in spec.extra_options or spec.extra_environment.get("DISABLE_AUTHENTICATION"):
        yield Oddity(
            "no-auth",
            "error",
            "It asks no password: whoever reaches its port reads and deletes all backups.",
            "Take --no-auth out of its options and give each host a user.",
        )
    if spec.options.proxy_header and not is_local:
        yield Oddity(
            "proxy-auth-published",
            "error",
            f"It believes the header {spec.options.proxy_header}, and its port is reached past "
            "the proxy: whoever sends that header is any user.",
            "Bind it to 127.0.0.1, where the proxy alone reaches it.",
        )
    if not spec.options.has_tls and not is_local:
        yield Oddity(
            "plain",
            "warning",
            "Passwords of its users cross the network readable.",
            "Give it a certificate, or bind it to 127.0.0.1.",
        )
    if not spec.options.has_private_repositories:
        yield Oddity(
            "shared",
            "warning",
            "Every user reaches, and may delete, the repositories of all others.",
            "Turn on private repositories, once each user's repository lies in a folder of its "
            "name.",
        )
    if not spec.options.is_append_only:
        yield Oddity(
            "not-append-only",
            "warning",
            "A host that is broken into can delete its backups.",
            "Turn on append-only, and prune in a maintenance window.",
        )


def _ports(reading: Reading) -> Iterator[Oddity]:
    if reading.other_ports:
        spec, others = reading.spec, ", ".join(reading.other_ports)
        yield Oddity(
            "other-ports",
            "warning",
            f"It is reached at {others} as well, and the next change made here leaves "
            f"{spec.address}:{spec.port} alone.",
            "Have its hosts use that one address first.",
        )


def _data(reading: Reading) -> Iterator[Oddity]:
    spec = reading.spec
    if _NAMELESS.fullmatch(spec.data_directory):
        yield Oddity(
            "anonymous-volume",
            "error",
            "Its data lies in a volume without a name: “docker rm -v” or “docker volume prune” "
            "deletes all backups.",
            "Copy the data into a folder or a volume with a name, and make the server there.",
        )
    for mount in spec.extra_mounts:
        if mount.source.endswith(_SOCKETS):
            yield Oddity(
                "engine-socket",
                "error",
                "It holds the socket of the container engine, which is the key to this machine.",
                "rest-server needs none: make it without that mount.",
            )


def _shape(reading: Reading) -> Iterator[Oddity]:
    if reading.spec.uid == 0:
        yield Oddity(
            "root",
            "warning",
            "It runs as root, and so do its files belong to root.",
            "Give the folder to another user, with chown, and change the user here.",
        )
    if reading.left_out:
        yield Oddity(
            "left-out",
            "warning",
            f"It has {', '.join(reading.left_out)}, which the next change made here leaves out.",
            "rest-server needs none of it. If something else does, leave this one as it is.",
        )
    if reading.loose:
        yield Oddity(
            "loose",
            "note",
            f"It runs without {', '.join(reading.loose)}.",
            "The next change made here gives it all of that.",
        )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
