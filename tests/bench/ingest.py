"""Reports of agents, taken by the real API."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.crowd import key_of
from tests.bench.processes import Tree
from tests.bench.table import Line
from tests.bench.visitor import Visitor
from tests.rig import ROOT

# 1.5 ms where hello took 0.12 ms.
MOST_HELLOS = 12
# The API takes 120 reports a minute of each host.
_TURNS = 600
_SAMPLES = ROOT / "tests" / "samples"
_numbers = itertools.count(1)


def _report(**parts: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    host = {"hostname": "web-01", "os": "Debian GNU/Linux 12", "systemd": "252", "agent": "1.0"}
    return {"sent": now.isoformat(), "host": host, "runs": [], "units": []} | parts


def _run() -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "key": f"{next(_numbers):032x}",
        "job": "restic-backup",
        "unit": "restic-backup.service",
        "arguments": ["restic", "backup", "--json", "/etc", "/home"],
        "repository": "rest:https://backup.example.net:8000/web-01/",
        "started": (now - timedelta(minutes=2)).isoformat(),
        "finished": now.isoformat(),
        "exit_code": 0,
        "result": "success",
        "output": (_SAMPLES / "restic" / "0.18-backup-success.ndjson").read_text(),
        "restic": "0.18.0",
    }


def _unit() -> dict[str, Any]:
    security = (_SAMPLES / "systemd" / "seed.252.online.debug2.json").read_text()
    return {
        "name": "seed.service",
        "text": (_SAMPLES / "systemd" / "restic-backup.service").read_text(),
        "mode": "online",
        "security": security,
        "systemd": "252",
    }


_REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "a report without news": _report,
    "a report of one finished run": lambda: _report(runs=[_run()]),
    "a report of one unit and its score": lambda: _report(units=[_unit()]),
}


def measure(
    visitor: Visitor, tree: Tree, hello: Callable[[], float], hosts: list[str]
) -> list[Line]:
    """A line for each kind of report, sent by all hosts in turn."""
    return [_line(what, make, visitor, tree, hello, hosts) for what, make in _REPORTS.items()]


def _line(
    what: str,
    make: Callable[[], dict[str, Any]],
    visitor: Visitor,
    tree: Tree,
    hello: Callable[[], float],
    hosts: list[str],
) -> Line:
    senders = itertools.cycle(hosts)
    bodies: Iterator[bytes] = iter([json.dumps(make()).encode() for _ in range(_TURNS)])
    for _ in hosts:  # The first word of each host writes what the others find there.
        _send(visitor, next(senders), json.dumps(make()).encode())
    before = hello()
    begun = tree.seconds()
    for body in bodies:
        _send(visitor, next(senders), body)
    spent = (tree.seconds() - begun) * 1000 / _TURNS
    hellos = spent / ((before + hello()) / 2)
    figure = f"{spent:6.2f} ms {hellos:4.0f} x hello"
    return Line(what, figure, f"≤ {MOST_HELLOS} x", hellos <= MOST_HELLOS)


def _send(visitor: Visitor, host: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {key_of(host)}", "Content-Type": "application/json"}
    status = visitor.post("/api/reports", body, **headers)
    if status != 202:
        raise RuntimeError(f"A report of {host} was answered by {status}.")
