"""Backups that really go on while something happens to their server."""

import os
import subprocess
from pathlib import Path

from backups.engines.restserver import repository_url
from backups.models import Server


class Backup:
    """A real restic backup of some seconds, while something is done to its server."""

    def __init__(
        self, server: Server, password: str, folder: Path, *, size: int, root: str = ""
    ) -> None:
        self.folder, self.ca = folder, folder / "house-ca.pem"
        self.ca.write_text(root)
        self.url = repository_url(server.probe_url, "alice", password, "alice")
        source = folder / "source"
        source.mkdir()
        for number in range(size):
            (source / f"{number}.bin").write_bytes(os.urandom(4 * 1024 * 1024))
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "restic.log"

    def restic(self, *words: str) -> list[str]:
        options = [
            "--no-cache",
            "--limit-upload",
            "4000",
            "--pack-size",
            "4",
        ]
        options += ["--cacert", str(self.ca)] if self.ca.read_text() else []
        return ["restic", "-r", self.url, *options, *words]

    def variables(self) -> dict[str, str]:
        return os.environ | {"RESTIC_PASSWORD": "x", "TMPDIR": str(self.folder)}

    def run(self, *words: str) -> None:
        subprocess.run(self.restic(*words), env=self.variables(), check=True, capture_output=True)

    def start(self) -> None:
        self.run("init")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.restic("backup", str(self.folder / "source")),
                env=self.variables(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> tuple[int, str]:
        assert self.process is not None
        return self.process.wait(120), self.log.read_text()
