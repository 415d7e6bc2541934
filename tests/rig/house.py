"""The house itself as people start it: `manage.py run` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig import ROOT
from tests.rig.waiting import wait_until

START_SECONDS = 60


@dataclass
class House:
    """A running dashboard with web, worker and scheduler; its data lies in `data`."""

    data: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data / "run.log"

    @property
    def setup_link(self) -> str:
        """The one-time link, as it was printed."""
        found = re.search(r"^Set up: (\S+)$", self.log.read_text(), re.MULTILINE)
        assert found, self.log.read_text()
        return found[1]

    def start(self) -> None:
        """Start, and return when its health answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--bind", f"127.0.0.1:{self.port}"],
                cwd=ROOT,
                env=self.variables(),
                stdout=log,
                stderr=subprocess.STDOUT,
                # As a terminal has it: its Ctrl-C reaches the group.
                start_new_session=True,
            )
        wait_until(self.is_healthy, START_SECONDS, lambda: self.log.read_text())

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of the terminal on the same data."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=check,
        )

    def variables(self) -> dict[str, str]:
        """The environment of its processes."""
        mine = {"RESTHOUSE_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
        mine |= {"RESTHOUSE_BIND": f"127.0.0.1:{self.port}", "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **mine, **self.environment}

    def is_healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
