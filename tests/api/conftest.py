"""A host that reports, and what it says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from backups.actions import hosts
from backups.models import Host

SAMPLES = Path(__file__).parents[1] / "samples" / "restic"
FACTS = {"hostname": "web-1", "os": "Debian GNU/Linux 12 (bookworm)", "restic": "0.18.0"}


def sample(name: str) -> str:
    """What the real restic wrote, both streams as the journal mixes them."""
    parts = [SAMPLES / f"{name}.{kind}" for kind in ("stderr", "ndjson")]
    return "".join(part.read_text() for part in parts if part.exists())


def run_report(**fields: Any) -> dict[str, Any]:
    """A backup of two minutes that ended just now."""
    ended = datetime.now(UTC)
    defaults = {
        "key": "0123456789abcdef" * 2,
        "job": "restic-backup",
        "unit": "restic-backup.service",
        "arguments": ["restic", "backup", "--json", "/etc"],
        "repository": "rest:http://127.0.0.1:8000/web-1/",
        "started": (ended - timedelta(minutes=2)).isoformat(),
        "finished": ended.isoformat(),
        "exit_code": 0,
        "result": "success",
        "output": sample("0.18-backup-success"),
        "restic": "0.18.0",
    }
    return defaults | fields


class Agent:
    """Speaks to the API as the agent of one host does."""

    def __init__(self, host: Host, key: str) -> None:
        self.host, self.key, self.client = host, key, Client()

    def post(self, path: str, body: object, *, key: str = "") -> HttpResponse:
        return self.client.post(
            f"/api/{path}",
            body if isinstance(body, str) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key or self.key}"},
        )

    def report(self, *runs: dict[str, Any], **fields: Any) -> HttpResponse:
        body = {"sent": datetime.now(UTC).isoformat(), "host": FACTS, "runs": runs, "units": []}
        return self.post("reports", body | fields)


@pytest.fixture(autouse=True)
def _no_former_requests(db: None) -> None:
    """Each test has all of the rate limit."""
    cache.clear()


@pytest.fixture
def enrolled() -> Callable[[str], Agent]:
    def enrol(name: str) -> Agent:
        new = hosts.add_host(name, by="test")
        host, key = hosts.enrol_host(new.token, hosts.HostFacts(**FACTS))
        return Agent(host, key)

    return enrol


@pytest.fixture
def agent(enrolled: Callable[[str], Agent]) -> Agent:
    return enrolled("web-1")
