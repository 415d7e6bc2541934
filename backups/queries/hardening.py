"""What systemd's rows mean for a unit that backs up: the line to write, and what it may cost."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from backups.engines.systemd import Row
from backups.queries.hardening_rows import COULD


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a unit; `state` says whether its cost is nothing, some care, or the backup."""

    text: str
    could: str
    cost: str = ""
    state: str = "ok"


@dataclass(frozen=True, slots=True)
class Reading:
    """A row of systemd in our words, with the tenths that the unit loses by the line."""

    row: Row
    could: str
    gain: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A line, the rows it touches, and what it gains."""

    key: str
    line: Line
    readings: tuple[Reading, ...]
    points: int
    gain: int
    weight: int

    def instead(self, line: Line, points: int) -> "Proposal":
        """The same rows closed by another line, which leaves none of them open."""
        return replace(self, line=line, points=points, gain=_tenths(points, self.weight))


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Everything that can be said of one scoring, the largest gain first."""

    helpful: tuple[Proposal, ...]
    harmful: tuple[Proposal, ...]
    closed: tuple[Reading, ...]
    absent: tuple[Reading, ...]
    predicted: int


def reckon(rows: Iterable[Row]) -> Reckoning:
    """Sort the rows of an assessment by the line that closes them."""
    rows = list(rows)
    weight = sum(row.weight for row in rows if row.is_applicable) or 1
    by_line: dict[str, list[Row]] = {}
    for row in rows:
        by_line.setdefault(directive_of(row.field), []).append(row)
    proposals = sorted(
        (_propose(name, group, weight) for name, group in by_line.items()),
        key=lambda proposal: -proposal.points,
    )
    helpful = tuple(p for p in proposals if p.points and p.line.state != "failed")
    points = sum(row.points for row in rows) - sum(proposal.points for proposal in helpful)
    return Reckoning(
        helpful=helpful,
        harmful=tuple(p for p in proposals if p.points and p.line.state == "failed"),
        closed=tuple(_read(r, 0, weight) for r in rows if r.is_applicable and not r.badness),
        absent=tuple(_read(r, 0, weight) for r in rows if not r.is_applicable),
        predicted=-(-100 * points // weight),
    )


def directive_of(field: str) -> str:
    """The line that a row belongs to: many rows are closed by one."""
    return field.partition("_")[0]


def could_of(row: Row) -> str:
    """What an attacker could do while the row is open."""
    return COULD.get(row.field, row.description)


def line_of(key: str) -> Line:
    """What is said of a choice."""
    unknown = Line(f"{key}=", "Could do what this line would forbid")
    return LINES.get(key) or OTHERS.get(key) or unknown


def _propose(name: str, rows: list[Row], weight: int) -> Proposal:
    line = line_of(name)
    gains = [(row, max(row.points - REMAINS.get(row.field, 0), 0)) for row in rows]
    readings = [_read(row, points, weight) for row, points in gains if row.badness]
    points = sum(points for _, points in gains)
    return Proposal(
        key=name,
        weight=weight,
        line=line,
        readings=tuple(sorted(readings, key=lambda reading: -reading.gain)),
        points=points,
        gain=_tenths(points, weight),
    )


def _read(row: Row, points: int, weight: int) -> Reading:
    return Reading(row, could_of(row), _tenths(points, weight))


def _tenths(points: int, weight: int) -> int:
    return round(100 * points / weight)


# What stays open behind the line, in systemd's points: a backup could not work without it.
REMAINS = {
    # The user who is not root needs CAP_DAC_READ_SEARCH, and its row AmbientCapabilities opens.
    "UserOrDynamicUser": 500,
    "CapabilityBoundingSet_CAP_DAC_FOWNER_IPC_OWNER": 1000,
    "RestrictAddressFamilies_AF_INET_INET6": 1500,
    "ProtectHome": 500,
    "IPAddressDeny": 500,
    # ProtectClock=yes opens the real-time clock to read.
    "DeviceAllow": 500,
}

_SAFE = "Breaks nothing for a backup"

LINES = {
    "SystemCallFilter": Line(
        "SystemCallFilter=@system-service ~@privileged @resources",
        "Could use kernel calls that no backup needs: mounting, rebooting, debugging",
        "restic 0.14 also needs SystemCallErrorNumber=EPERM",
        "warning",
    ),
    "CapabilityBoundingSet": Line(
        "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
        "Could use every power that root has over the machine",
        "Reads all files; hooks that need more power fail",
        "warning",
    ),
    "RestrictNamespaces": Line(
        "RestrictNamespaces=yes",
        "Could build itself a user, mount or network space of its own",
        _SAFE,
    ),
    "RestrictAddressFamilies": Line(
        "RestrictAddressFamilies=AF_INET AF_INET6",
        "Could speak to the kernel over rare and raw sockets",
        "Names looked up through sssd or nscd need AF_UNIX too",
        "warning",
    ),
    "UserOrDynamicUser": Line(
        "User=restic, AmbientCapabilities=CAP_DAC_READ_SEARCH",
        "Could act as root",
        "Needs that user; without the capability, files of others are lost",
        "warning",
    ),
    "PrivateNetwork": Line(
        "PrivateNetwork=yes",
        "Could reach anything on the network",
        "Cuts the line to the server",
        "failed",
    ),
    "PrivateUsers": Line(
        "PrivateUsers=full",
        "Could act as other users of the machine",
        "Before systemd 258: yes loses files of others",
        "failed",
    ),
    "RootDirectoryOrRootImage": Line(
        "RootDirectory=",
        "Could look at the whole tree of the machine",
        "A backup of the machine must see that tree",
        "failed",
    ),
    "ProtectSystem": Line(
        "ProtectSystem=strict",
        "Could change the operating system",
        "Its cache stays writable; hooks that write elsewhere fail",
        "warning",
    ),
    "ProtectHome": Line(
        "ProtectHome=read-only",
        "Could change home directories",
        "Never yes: it loses /home and /root, with exit 0",
        "warning",
    ),
    "PrivateTmp": Line(
        "PrivateTmp=yes",
        "Could read and change temporary files of other programs",
        "/tmp and /var/tmp are not in the backup",  # noqa: S108
        "warning",
    ),
    "ProtectKernelModules": Line(
        "ProtectKernelModules=yes",
        "Could load a module into the kernel",
        "/usr/lib/modules is not in the backup",
        "warning",
    ),
    "IPAddressDeny": Line(
        "IPAddressDeny=any, IPAddressAllow= the server's address",
        "Could call any address",
        "Hooks to other addresses time out; names do not count",
        "warning",
    ),
    "DeviceAllow": Line("DevicePolicy=closed", "Could open devices of the machine", _SAFE),
    "PrivateDevices": Line("PrivateDevices=yes", "Could read and write raw disks", _SAFE),
    "PrivateMounts": Line("PrivateMounts=yes", "Could mount for the whole machine", _SAFE),
    "ProtectProc": Line("ProtectProc=invisible", "Could watch other processes", _SAFE),
    "ProcSubset": Line("ProcSubset=pid", "Could read what the kernel tells in /proc", _SAFE),
    "ProtectClock": Line("ProtectClock=yes", "Could set the clock", _SAFE),
    "ProtectControlGroups": Line(
        "ProtectControlGroups=yes", "Could rewrite the limits of services", _SAFE
    ),
    "ProtectHostname": Line("ProtectHostname=yes", "Could rename the machine", _SAFE),
    "ProtectKernelLogs": Line("ProtectKernelLogs=yes", "Could read the kernel's log", _SAFE),
    "ProtectKernelTunables": Line(
        "ProtectKernelTunables=yes", "Could change how the kernel behaves", _SAFE
    ),
    "NoNewPrivileges": Line(
        "NoNewPrivileges=yes", "Could gain rights through a program such as sudo", _SAFE
    ),
    "RestrictSUIDSGID": Line(
        "RestrictSUIDSGID=yes", "Could leave a program that makes others root", _SAFE
    ),
    "RestrictRealtime": Line("RestrictRealtime=yes", "Could starve the machine", _SAFE),
    "LockPersonality": Line("LockPersonality=yes", "Could revive old ways of the kernel", _SAFE),
    "MemoryDenyWriteExecute": Line(
        "MemoryDenyWriteExecute=yes", "Could write code into memory and run it", _SAFE
    ),
    "SystemCallArchitectures": Line(
        "SystemCallArchitectures=native", "Could slip past the filter with 32-bit calls", _SAFE
    ),
    "KeyringMode": Line("KeyringMode=private", "Could read keys of other services", _SAFE),
    "UMask": Line("UMask=0077", "Could leave its cache readable for everybody", _SAFE),
    "RemoveIPC": Line("RemoveIPC=yes", "Could leave shared memory behind", _SAFE),
    "NotifyAccess": Line("NotifyAccess=none", "Could lie to systemd about the service", _SAFE),
    "Delegate": Line("Delegate=no", "Could manage a tree of processes of its own", _SAFE),
    "SupplementaryGroups": Line(
        "SupplementaryGroups=", "Could use the rights of further groups", _SAFE
    ),
    "AmbientCapabilities": Line(
        "AmbientCapabilities=",
        "Could hand its power on to every program that it starts",
        "Without CAP_DAC_READ_SEARCH, files of others are lost",
        "failed",
    ),
}

# They say the opposite of a line above: shown so that nobody takes them for the better one.
OTHERS = {
    "ProtectHome=yes": Line(
        "ProtectHome=yes",
        "Could read every home directory",
        "Loses /home and /root, with exit 0",
        "failed",
    ),
    "PrivateUsers=yes": Line(
        "PrivateUsers=yes",
        "Could act as other users of the machine",
        "Loses the files of other users, exit 3",
        "failed",
    ),
}
