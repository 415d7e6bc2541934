"""Web, worker and scheduler as children of one process, itself without Django and small."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
_STOP_WITHIN = 1.5
_RESTART_AFTER = 1.0
_PR_SET_PDEATHSIG = 1
_SUPERVISOR = os.getpid()


@dataclass(slots=True)
class Child:
    """One process, started again when it dies."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    not_before: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 (our own command lines)
            self.command,
            cwd=BASE_DIR,
            env=self.environment,
            # Ctrl-C reaches the whole group of the terminal; here one process decides.
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def tend(self) -> None:
        """Start it again, at most once a second."""
        if self.process is None or self.process.poll() is None:
            return
        if self.not_before == 0.0:
            # Of a web server that was killed, its own children still hold the port.
            self.signal(signal.SIGKILL)
            self.not_before = time.monotonic() + _RESTART_AFTER
        elif time.monotonic() > self.not_before:
            self.not_before = 0.0
            self.start()

    def signal(self, number: int) -> None:
        """To all of its group, also when it has died before its children."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


@dataclass(slots=True)
class Supervisor:
    """Runs the house until SIGINT or SIGTERM, then ends all of it within two seconds."""

    address: str
    port: int
    url: str
    is_demo: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop.set())
        children = self._children()
        for child in children:
            child.start()
        try:
            while not self.stop.wait(0.2):
                for child in children:
                    child.tend()
        finally:
            _end(children)

    def _children(self) -> list[Child]:
        environment = {
            **os.environ,
            "RESTHOUSE_BIND": f"{self.address}:{self.port}",
            "RESTHOUSE_URL": self.url,
        }
        manage = [sys.executable, str(BASE_DIR / "manage.py")]
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
        granian += ["--host", self.address, "--port", str(self.port), "--blocking-threads", "4"]
        granian += ["--log-level", "warning", "dashboard.wsgi:application"]
        commands = {"web": granian}
        if self.is_demo:
            # Nothing of a demonstration is real: nobody may ask an engine for its containers.
            commands["pulse"] = [*manage, "demo", "--pulse"]
        else:
            commands |= {"worker": [*manage, "worker"], "scheduler": [*manage, "scheduler"]}
        return [Child(name, command, environment) for name, command in commands.items()]


def is_free(address: str, port: int) -> bool:
    """Whether the web server could listen there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.strip("[]"), port))
        except OSError:
            return False
    return True


def _end(children: list[Child]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WITHIN
    for child in children:
        if child.process is not None:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        child.signal(signal.SIGKILL)


def _die_with_parent() -> None:
    """A killed supervisor leaves no orphans that hold its port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != _SUPERVISOR:
        # It was killed just before: nobody will tell.
        os._exit(1)


if __name__ == "__main__":
    _, _address, _port, _url, _what = sys.argv
    Supervisor(_address, int(_port), _url, is_demo=_what == "demo").run()
