"""The lines that close a unit of a backup, by the directive whose rows they close."""

from collections.abc import Iterable
from dataclasses import dataclass

from backups.engines.systemd_work import Work

# Credentials, ProtectProc= and FixedRandomDelay= came with it; Debian 11 has it.
OLDEST = 247

ADDRESSES = "{addresses}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Lines that belong together, and the first systemd that obeys them."""

    key: str
    lines: tuple[str, ...]
    since: int = 239
    # Whether a backup survives it, so that it is chosen until somebody takes it out.
    is_advised: bool = True
    # Which other choice says the opposite.
    instead_of: str = ""


_PLAIN = (
    ("PrivateMounts=yes", 239),
    ("PrivateDevices=yes", 209),
    ("ProtectProc=invisible", 247),
    ("ProcSubset=pid", 247),
    ("ProtectControlGroups=yes", 232),
    ("ProtectKernelTunables=yes", 232),
    ("ProtectKernelModules=yes", 232),
    ("ProtectKernelLogs=yes", 244),
    ("ProtectClock=yes", 245),
    ("ProtectHostname=yes", 242),
    ("RestrictSUIDSGID=yes", 242),
    ("RestrictRealtime=yes", 231),
    ("RestrictNamespaces=yes", 233),
    ("LockPersonality=yes", 235),
    ("MemoryDenyWriteExecute=yes", 231),
    ("SystemCallArchitectures=native", 209),
)

CHOICES = {
    choice.key: choice
    for choice in (
        Choice(
            "UserOrDynamicUser",
            ("User=restic", "Group=restic", "AmbientCapabilities=CAP_DAC_READ_SEARCH"),
            229,
            is_advised=False,
        ),
        Choice("CapabilityBoundingSet", ("CapabilityBoundingSet=CAP_DAC_READ_SEARCH",), 185),
        Choice("AmbientCapabilities", ("AmbientCapabilities=",), 229, is_advised=False),
        Choice("NoNewPrivileges", ("NoNewPrivileges=yes",), 187),
        Choice("UMask", ("UMask=0077",), 185),
        Choice("KeyringMode", ("KeyringMode=private",), 235),
        Choice("RemoveIPC", ("RemoveIPC=yes",), 232),
        Choice("Delegate", ("Delegate=no",), 218),
        Choice("NotifyAccess", ("NotifyAccess=none",), 185),
        Choice("SupplementaryGroups", ("SupplementaryGroups=",), 185),
        Choice(
            "ProtectSystem",
            (
                "ProtectSystem=strict",
                "CacheDirectory=restic",
                "CacheDirectoryMode=0700",
                "Environment=RESTIC_CACHE_DIR=%C/restic",
            ),
            235,
        ),
        Choice("ProtectHome", ("ProtectHome=read-only",), 214),
        Choice(
            "ProtectHome=yes",
            ("ProtectHome=yes",),
            214,
            is_advised=False,
            instead_of="ProtectHome",
        ),
        # restic writes its packs there first; under ProtectSystem=strict nowhere else.
        Choice("PrivateTmp", ("PrivateTmp=yes",), 183),
        Choice("DeviceAllow", ("DevicePolicy=closed",), 208),
        *(Choice(line.partition("=")[0], (line,), since) for line, since in _PLAIN),
        Choice(
            "SystemCallFilter",
            # An error instead of a signal: the Go of restic 0.14 asks for a limit and lives on.
            (
                "SystemCallFilter=@system-service",
                "SystemCallFilter=~@privileged @resources",
                "SystemCallErrorNumber=EPERM",
            ),
            239,
        ),
        Choice("RestrictAddressFamilies", ("RestrictAddressFamilies=AF_INET AF_INET6",), 211),
        Choice(
            "IPAddressDeny",
            ("IPAddressDeny=any", f"IPAddressAllow=localhost {ADDRESSES}"),
            235,
        ),
        Choice("PrivateNetwork", ("PrivateNetwork=yes",), 185, is_advised=False),
        Choice("PrivateUsers", ("PrivateUsers=full",), 258, is_advised=False),
        Choice(
            "PrivateUsers=yes",
            ("PrivateUsers=yes",),
            232,
            is_advised=False,
            instead_of="PrivateUsers",
        ),
    )
}

# These are well where nobody wrote otherwise.
BY_ITSELF = frozenset(("Delegate", "NotifyAccess", "SupplementaryGroups"))

# Of these, systemd adds a new line to those before it, unless an empty one stands between.
LISTS = frozenset(
    (
        *("RestrictAddressFamilies", "SystemCallFilter", "SystemCallArchitectures"),
        *("CapabilityBoundingSet", "AmbientCapabilities", "IPAddressAllow", "IPAddressDeny"),
    )
)


# A program beside restic may need what these take away: a place to write, a local socket, a power.
_TAKE_FROM_OTHERS = frozenset(
    (
        *("ProtectSystem", "ProtectHome", "CapabilityBoundingSet", "NoNewPrivileges"),
        *("SystemCallFilter", "RestrictAddressFamilies", "IPAddressDeny"),
    )
)
# With these, what one command of a unit mounts is not seen by the next, or no device is there.
_HIDE_MOUNTS = frozenset(
    (
        *("PrivateMounts", "PrivateDevices", "PrivateTmp", "ProtectProc", "ProcSubset"),
        *("ProtectControlGroups", "ProtectKernelTunables", "ProtectKernelModules"),
        *("ProtectKernelLogs", "ProtectHostname", "DeviceAllow", "ProtectClock"),
        *("ProtectSystem", "ProtectHome"),
    )
)


def takes_from_others(key: str, work: Work) -> bool:
    """Whether another program of the unit may not survive the line, or hide its files by it."""
    if key == "IPAddressDeny" and work.free:
        return True
    return hides_mounts(key, work) or (bool(work.others) and key in _TAKE_FROM_OTHERS)


def hides_mounts(key: str, work: Work) -> bool:
    return bool(work.mounters or work.scripts) and key in _HIDE_MOUNTS


def is_advised(
    choice: Choice, version: int, *, addresses: Iterable[str], work: Work | None = None
) -> bool:
    """Whether a backup on this systemd survives it; without addresses the network must stay."""
    if work is not None and takes_from_others(choice.key, work):
        return False
    if choice.key == "PrivateUsers":
        return version >= choice.since
    if choice.key == "IPAddressDeny" and not list(addresses):
        return False
    return choice.is_advised and version >= choice.since


def version_of(words: str) -> int:
    """The number in `252 (252.39-1~deb12u1)`; 0 where there is none."""
    digits = words.split("(")[0].split(".")[0].strip().removeprefix("systemd ")
    return int(digits) if digits.isdigit() and len(digits) < 6 else 0
