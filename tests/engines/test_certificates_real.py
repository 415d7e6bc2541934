"""Some 200 kinds of certificates: our verdict, and what rest-server and restic really do."""

import io
import os
import shutil
import socket
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from backups.engines import tls
from backups.engines.certificates import Checked, check, refusal
from tests.rig import (
    certificate_chains,
    certificate_company,
    certificate_encodings,
    certificate_oddities,
)
from tests.rig.certificate_rows import Row
from tests.rig.certificate_rows import rows as usual_rows

_WAIT = 10

ROWS = dict(
    [
        *usual_rows(),
        *certificate_chains.rows(),
        *certificate_company.rows(),
        *certificate_oddities.rows(),
        *certificate_encodings.rows(),
    ]
)


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


@pytest.fixture(scope="module")
def bench(
    docker_client: docker.DockerClient,
    server_image: str,
    restic_binary: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bench:
    folder = tmp_path_factory.mktemp("certificates")
    container = docker_client.containers.create(server_image)
    try:
        chunks, _ = container.get_archive("/usr/bin/restic-rest-server")
        packed = io.BytesIO(b"".join(chunks))
    finally:
        container.remove(v=True)
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(folder, filter="data")
    binary = folder / "restic-rest-server"
    assert shutil.which(str(binary))
    return Bench(binary, folder, restic_binary)


@pytest.fixture(scope="module")
def outcomes(bench: Bench) -> dict[str, tuple[str, str]]:
    """All of them, three at a time."""

    def try_out(name: str) -> tuple[str, str]:
        row = ROWS[name]
        checked = judge(row)
        if checked.pair is not None:
            chain, key = checked.pair.chain.encode(), checked.pair.key.encode()
        else:
            assert row.raw is not None, f"{name} has errors: {checked.findings}"
            chain, key = row.raw
        host = "localhost" if "localhost" in row.names else "127.0.0.1"
        return bench.outcome(name, chain, key, row.root, host)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(ROWS, pool.map(try_out, ROWS), strict=True))


def judge(row: Row) -> Checked:
    anchors = [one.decode() for one in row.anchors]
    return check(row.brought, names=row.names, password=row.password, anchors=anchors)


def test_there_are_many_kinds() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_is_what_really_happens(
    outcomes: dict[str, tuple[str, str]], name: str
) -> None:
    row, (outcome, said) = ROWS[name], outcomes[name]
    checked = judge(row)

    assert {finding.code for finding in checked.findings} == row.codes
    if row.is_disputed:
        assert not checked.is_fine, f"Go's versions differ, and nothing is said: {said}"
    elif checked.errors:
        assert outcome != "serves", f"an error, but it works: {said}"
    elif "issuer-unknown" in row.codes:
        # Asked about: with this root alone restic refuses.
        assert outcome == "is refused", said
    else:
        assert outcome == "serves", said


@pytest.mark.parametrize("name", ROWS)
def test_refusal_says_what_restic_does(outcomes: dict[str, tuple[str, str]], name: str) -> None:
    row, (outcome, said) = ROWS[name], outcomes[name]
    checked = judge(row)
    if outcome == "does not start" or row.is_disputed:
        return
    chain = checked.pair.chain if checked.pair else (row.raw or (b"", b""))[0].decode()
    host = "localhost" if "localhost" in row.names else "127.0.0.1"

    reason = refusal(chain, row.root.decode(), (host,))

    assert bool(reason) == (outcome == "is refused"), f"{reason!r}, but restic: {said}"


def test_no_secret_is_in_what_is_said() -> None:
    for row in ROWS.values():
        checked = judge(row)
        said = repr(checked) + str([finding.sentence for finding in checked.findings])
        assert "PRIVATE KEY" not in said
        assert not row.password or row.password not in said.split()
