"""What a host tells, as the API hands it on, at a moment that stands still."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from backups.actions.assessments import TimerReport, UnitReport
from backups.actions.hosts import HostFacts
from backups.actions.reports import RunReport, record_report
from backups.models import Host

SAMPLES = Path(__file__).parents[1] / "samples" / "restic"
KEY = "0123456789abcdef" * 2
# The clock stands still at this moment, a day's backup having been due at two.
NOW = datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SNAPSHOT = "5" * 8 + "6" * 56


def sample(name: str) -> str:
    parts = [SAMPLES / f"{name}.{kind}" for kind in ("stderr", "ndjson")]
    return "".join(part.read_text() for part in parts if part.exists())


def summary(snapshot_id: str) -> str:
    return json.dumps({"message_type": "summary", "snapshot_id": snapshot_id, "files_new": 3})


def run_report(**fields: Any) -> RunReport:
    defaults = {
        "key": KEY,
        "job": "restic-backup",
        "arguments": ("restic", "backup", "--json", "/etc"),
        "repository": "rest:http://127.0.0.1:8000/web-1/",
        "started": NOW - timedelta(minutes=5),
        "finished": NOW - timedelta(minutes=1),
        "exit_code": 0,
        "result": "success",
        "output": summary(SNAPSHOT),
        "restic": "0.18.0",
    }
    return RunReport(**defaults | fields)


def tell(host: Host, *runs: RunReport, **fields: Any) -> None:
    record_report(host, sent=timezone.now(), facts=HostFacts(), runs=runs, **fields)


def unit_report(*, next_: datetime | None, **fields: Any) -> UnitReport:
    """The unit of the backup, whose timer elapses next at this moment."""
    timer = TimerReport("restic-backup.timer", schedule="*-*-* 02:00:00", next=next_, **fields)
    return UnitReport("restic-backup.service", timer=timer)


def state_of(host: Host) -> tuple[str, str]:
    job = host.jobs.get(name="restic-backup")
    return job.state, job.reason
