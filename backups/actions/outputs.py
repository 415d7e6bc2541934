"""Runs of hosts without an agent: what restic printed and how it ended, as a shell tells them."""

import signal
from dataclasses import replace
from datetime import datetime

from backups.actions.hosts import HostFacts
from backups.actions.reports import RunReport, record_report
from backups.engines.restic import redact
from backups.models import Host
from backups.models.hosts import CURL

# restic's own word for an interruption; every other code above 128 is a shell's, for a signal.
_INTERRUPTED = 130


def record_output(
    host: Host, run: RunReport, *, sent: datetime, command: str, repository: str
) -> int:
    """Write one run down; nobody has taken passwords out of it before."""
    name = _signal_of(run.exit_code)
    run = replace(
        run,
        arguments=("restic", command),
        repository=redact(repository),
        exit_code=None if name else run.exit_code,
        signal=name,
    )
    known = {field: getattr(host, field) for field in HostFacts.__slots__}
    facts = HostFacts(**known | {"restic": run.restic or host.restic, "agent": host.agent or CURL})
    return record_report(host, sent=sent, facts=facts, runs=(run,))


def _signal_of(code: int | None) -> str:
    try:
        is_shells = code is not None and code > 128 and code != _INTERRUPTED
        return signal.Signals(code - 128).name[3:] if code and is_shells else ""
    except ValueError:
        return ""
