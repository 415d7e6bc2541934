"""Processes with their children: what they take of processor and memory."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from tests.rig import ROOT

_TICK = os.sysconf("SC_CLK_TCK")
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Tree:
    """A process that was started here, and all that it started."""

    root: subprocess.Popen[bytes]

    @classmethod
    def start(cls, command: list[str], environment: Mapping[str, str]) -> Self:
        return cls(
            subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def members(self) -> list[int]:
        found = [self.root.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*"):
                found += map(int, (task / "children").read_text().split())
        return found

    def seconds(self) -> float:
        """Of processor time, of all that live and of the dead whom they have waited for."""
        return sum(_ticks(pid) for pid in self.members()) / _TICK

    def memory(self) -> dict[str, float]:
        """MiB by the name of the part: its own pages, and its share of those in common."""
        found: dict[str, float] = {}
        for pid in self.members():
            part = _part_of(pid)
            found[part] = found.get(part, 0) + _proportional(pid) / _MIB
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Seconds until it is gone."""
        begun = time.monotonic()
        os.kill(self.root.pid, number)
        self.root.wait(30)
        return time.monotonic() - begun


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def _part_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    for part in ("granian", "worker", "scheduler", "supervisor", "pulse"):
        if any(part in word for word in words):
            return part
    return "other"


def _proportional(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """For a house in this folder, whatever the caller's own is."""
    ours = ("RESTHOUSE", "DJANGO", "DATABASE_URL", "SECRET_KEY", "STATIC_ROOT", "HTTPS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"RESTHOUSE_DATA": str(folder), "LOG_LEVEL": "ERROR"} | variables


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
        return number


def wait_until_answering(port: int, path: str = "/health/") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()
    raise TimeoutError(f"Nothing answered on port {port} within a minute.")


@contextmanager
def web(folder: Path, settings: str = "tests.bench.settings") -> Iterator[tuple[Tree, int]]:
    """The web server alone, as `run` starts it."""
    port = free_port()
    command = ["-m", "granian", "--interface", "wsgi", "--no-ws", "--blocking-threads", "4"]
    command += ["--port", str(port), "--log-level", "error", "dashboard.wsgi:application"]
    variables = {
        "DJANGO_SETTINGS_MODULE": settings,
        "RESTHOUSE_DEMO": "true",
        "RESTHOUSE_URL": f"http://127.0.0.1:{port}",
    }
    tree = Tree.start(command, environment(folder, **variables))
    try:
        wait_until_answering(port)
        yield tree, port
    finally:
        tree.stop()
