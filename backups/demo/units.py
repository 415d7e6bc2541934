"""The units of the made-up fleet, on the rungs from open to hardened, scored by the real engine."""

from backups.demo.fleet import Member
from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.engines.systemd import Score

_SEED = """\
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=read-only
PrivateTmp=yes
"""
_MIDDLE = f"""{_SEED}\
UMask=0077
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
"""
_GOOD = f"""{_MIDDLE}\
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
RestrictAddressFamilies=AF_INET AF_INET6
"""
_FILTERED = f"""{_GOOD}\
ProtectProc=invisible
ProcSubset=pid
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""
_HARDENED = f"""{_FILTERED.replace("ProtectSystem=full", "ProtectSystem=strict")}\
User=restic
Group=restic
AmbientCapabilities=CAP_DAC_READ_SEARCH
KeyringMode=private
RemoveIPC=yes
PrivateMounts=yes
DevicePolicy=closed
IPAddressDeny=any
IPAddressAllow=localhost 192.0.2.10
"""
_HOOKS = """\
OnSuccess=resthouse-report@%N:success.service
OnFailure=resthouse-report@%N:failure.service
"""
LADDER = {
    "open": "",
    "seed": _SEED,
    "middle": _MIDDLE,
    "good": _GOOD,
    # One word that reads like a hardening and cuts the line to the server.
    "poisoned": f"{_SEED}RestrictAddressFamilies=yes\n",
    "filtered": _FILTERED,
    "hardened": _HARDENED,
}


def backup_unit(member: Member, rung: str) -> str:
    """What `systemctl cat restic-backup.service` prints on the host."""
    arguments = "backup --json /etc /home /srv"
    return _unit("restic-backup", f"Back up {member.name}", arguments, rung, hooks=_HOOKS)


def prune_unit() -> str:
    return _unit(
        "restic-prune", "Forget old snapshots", "forget --prune --keep-daily 35 --keep-weekly 26"
    )


def _unit(
    name: str, description: str, arguments: str, rung: str = "open", *, hooks: str = ""
) -> str:
    return f"""\
# /etc/systemd/system/{name}.service
[Unit]
Description={description}
Wants=network-online.target
After=network-online.target
{hooks}
[Service]
Type=oneshot
LoadCredential=repository:/etc/restic/repository
LoadCredential=password:/etc/restic/password
CacheDirectory=restic
Environment=RESTIC_CACHE_DIR=%C/restic
ExecStart=/usr/bin/restic --repository-file ${{CREDENTIALS_DIRECTORY}}/repository \\
  --password-file ${{CREDENTIALS_DIRECTORY}}/password {arguments}
Nice=10
IOSchedulingClass=idle
TimeoutStartSec=6h
{LADDER[rung]}"""


def score_ladder(member: Member) -> dict[str, Score]:
    """Each rung's score; empty on a machine that has no systemd-analyze to ask."""
    try:
        return {
            rung: systemd.score_unit(backup_unit(member, rung), name="restic-backup.service")
            for rung in LADDER
        }
    except EngineError:
        return {}
