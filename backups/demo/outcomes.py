"""How the runs of the made-up fleet end, in the words of the real engine."""

import json
from dataclasses import dataclass
from functools import cache

from backups.engines import restic

_ID = "0" * 64
_SUMMARY = json.dumps(
    {
        "message_type": "summary",
        "files_new": 3,
        "files_changed": 9,
        "files_unmodified": 100,
        "total_files_processed": 112,
        "data_added": 5000,
        "total_bytes_processed": 900000,
        "total_duration": 12.5,
        "snapshot_id": _ID,
    }
)
_UNREADABLE = "\n".join(
    json.dumps(
        {
            "message_type": "error",
            "error": {"message": f"open {item}: permission denied"},
            "during": "archival",
            "item": item,
        }
    )
    for item in (
        "/var/mail/vhosts/example.net/shop/.lock",
        "/var/spool/postfix/private/tlsmgr",
        "/var/spool/postfix/active/3F0A92C4",
    )
)
_OPEN = 'Fatal: unable to open config file: Head "https://backup.example.net:8000/HOST/config": '


@dataclass(frozen=True, slots=True)
class _Ending:
    """What restic leaves behind."""

    output: str
    exit_code: int | None = 0
    result: str = "success"
    kind: str = "backup"


_ENDINGS = {
    "succeeded": _Ending(_SUMMARY),
    "unreadable": _Ending(f"{_UNREADABLE}\n{_SUMMARY}", 3),
    "refused": _Ending(
        f"{_OPEN}dial tcp 192.0.2.10:8000: connect: connection refused", 1, "exit-code"
    ),
    "poisoned": _Ending(
        f"{_OPEN}dial tcp 192.0.2.10:8000: socket: address family not supported by protocol",
        1,
        "exit-code",
    ),
    "locked": _Ending(
        "unable to create lock in backend: repository is already locked exclusively by PID 4112 "
        "on HOST by root (UID 0, GID 0)\nlock was created at 02:10:07 (26m8s ago)",
        11,
        "exit-code",
    ),
    "slow": _Ending("", None, "timeout"),
    "pruned": _Ending("", kind="prune"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run, as it stands in its row."""

    status: str
    reason: str
    advice: str
    exit_code: int | None
    signal: str
    result: str
    log: str
    errors: list[list[str]]
    makes_snapshot: bool

    def reason_for(self, snapshot_id: str) -> str:
        return self.reason.replace(_ID[:8], snapshot_id[:8])


@cache
def outcome_of(ending: str, version: str) -> Outcome:
    """What the house makes of this end of a restic of this version."""
    told = _ENDINGS[ending]
    output = restic.parse_output(told.output)
    signal = "TERM" if told.result == "timeout" else ""
    # Exit codes of their own for locks came with 0.17.
    exit_code = 1 if told.exit_code == 11 and version < "0.17" else told.exit_code
    judgement = restic.judge(
        kind=told.kind,
        exit_code=exit_code,
        signal=signal,
        result=told.result,
        version=version,
        output=output,
    )
    return Outcome(
        status=judgement.status,
        reason=judgement.sentence,
        advice=judgement.advice,
        exit_code=exit_code,
        signal=signal,
        result=told.result,
        log="\n".join(output.lines),
        errors=[[error.item, error.message] for error in output.errors],
        makes_snapshot=output.summary is not None,
    )
