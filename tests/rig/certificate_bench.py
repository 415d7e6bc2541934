"""The real rest-server, started with any pair of files, and the real restic that asks it."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from backups.engines import tls

_WAIT = 10


@dataclass
class Bench:
    """The real binary of the real image, started with any pair of files."""

    binary: Path
    folder: Path
    restic: Path

    def outcome(
        self, name: str, chain: bytes, key: bytes, root: bytes, host: str
    ) -> tuple[str, str]:
        """What becomes of it: "serves", "does not start" or "is refused"; and who said what."""
        here = self.folder / name
        (here / "data").mkdir(parents=True)
        for file, content in (("public_key", chain), ("private_key", key), ("ca.pem", root)):
            (here / file).write_bytes(content)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        command = [self.binary, "--no-auth", "--tls", "--path", here / "data"]
        command += ["--tls-cert", here / "public_key", "--tls-key", here / "private_key"]
        with (here / "log").open("wb") as log:
            server = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{port}"], stdout=log, stderr=log
            )
        try:
            if not _listens(server, port):
                return "does not start", (here / "log").read_text()
            said = self._ask(f"rest:https://{host}:{port}/", here / "ca.pem")
            strict = tls.distrust("127.0.0.1", port, host, root.decode())
        finally:
            server.kill()
            server.wait()
        if "config" in said and "not exist" in said:
            return ("is refused by others", strict) if strict else ("serves", said)
        return "is refused", said

    def _ask(self, url: str, ca: Path) -> str:
        command = [self.restic, "-r", url, "--cacert", ca, "--no-cache", "cat", "config"]
        environment = os.environ | {"RESTIC_PASSWORD": "x"}
        said = ""
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as client:
            # What it takes for an accident it tries for a quarter of an hour.
            while "retrying after" not in said and (line := client.stderr.readline()):
                said += line
            client.kill()
        return said


def _listens(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _WAIT
    while server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                # It listens before it reads its certificate.
                time.sleep(0.1)
                return server.poll() is None
        except OSError:
            assert time.monotonic() < deadline, "it neither listens nor ends"
            time.sleep(0.02)
    return False
