"""What `manage.py certificates` answers: rows, verdicts, and exit codes."""

import sys
from typing import Any

from backups.engines.certificates import Checked
from backups.models import Certificate


def facts_of(row: Certificate) -> dict[str, Any]:
    return {
        "server": row.server.name,
        "fingerprint": row.fingerprint,
        "subject": row.subject,
        "issuer": row.issuer,
        "names": row.names,
        "key_kind": row.key_kind,
        "origin": row.origin,
        "by": row.by_name,
        "not_before": row.not_before,
        "not_after": row.not_after,
        "days_left": row.left.days,
        "is_live": row.is_live,
        "live_since": row.live_since,
        "live_until": row.live_until,
    }


def verdict_of(checked: Checked) -> dict[str, Any]:
    facts = checked.facts
    return {
        "verdict": "errors" if checked.errors else "warnings" if checked.warnings else "fine",
        "findings": [
            {"code": f.code, "level": f.level, "sentence": f.sentence, "advice": f.advice}
            for f in checked.findings
        ],
        "fingerprint": facts.fingerprint if facts else "",
        "subject": facts.subject if facts else "",
        "names": list(facts.names) if facts else [],
        "not_after": facts.not_after if facts else None,
    }


def lines_of(checked: Checked) -> str:
    return "\n".join(
        f"{finding.level:8} {finding.code:20} {finding.sentence} {finding.advice}".rstrip()
        for finding in checked.findings
    )


def leave_by(checked: Checked) -> None:
    if checked.errors:
        sys.exit(1)
    if checked.warnings:
        sys.exit(2)
