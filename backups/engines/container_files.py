"""The files of a server's data directory, reached through its container."""

import io
import tarfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from docker.errors import NotFound
from docker.models.containers import Container as DockerContainer

from backups.engines.container_engine import connect
from backups.engines.errors import EngineError
from backups.engines.files import MAX_BYTES, bounded


@dataclass(frozen=True, slots=True)
class ContainerFiles:
    """For data that only the engine sees: a remote one, or a volume of its own."""

    base_url: str
    container: str
    directory: str
    uid: int
    gid: int

    def read(self, name: str) -> bytes | None:
        with self._open() as container:
            try:
                chunks, _ = container.get_archive(self._path(name))
            except NotFound:
                return None
            packed = bounded(_beginning(chunks), PurePosixPath(self._path(name)))
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            member = archive.next()
            # The container can put anything there, also a link that leads elsewhere.
            if member is None or not member.isreg():
                raise EngineError(f"{self._path(name)} is no regular file. Move it away.")
            file = archive.extractfile(member)
            return file.read() if file else b""

    def write(self, name: str, content: bytes, *, mode: int = 0o640) -> None:
        with self._open() as container:
            if container.status != "running":
                # Readers would see an upload in parts, but nobody reads.
                self._upload(container, name, content, mode)
                return
            self._upload(container, f"{name}.new", content, mode)
            self._run(container, ["mv", "-f", self._path(f"{name}.new"), self._path(name)])

    def remove(self, name: str) -> None:
        with self._open() as container:
            if container.status == "running":
                self._run(container, ["rm", "-f", self._path(name)])
            elif self.read(name) is not None:
                raise EngineError(
                    f"{name} can only be removed while {self.container} runs. Start it first."
                )

    def _path(self, name: str) -> str:
        return f"{self.directory.rstrip('/')}/{name}"

    @contextmanager
    def _open(self) -> Iterator[DockerContainer]:
        with connect(self.base_url) as client:
            try:
                container = client.containers.get(self.container)
            except NotFound:
                raise EngineError(
                    f"The container {self.container} is gone, and the way to its files with it."
                ) from None
            yield container

    def _upload(self, container: DockerContainer, name: str, content: bytes, mode: int) -> None:
        entry = tarfile.TarInfo(name)
        # Without a time of its own it would be 1970 each time, and rest-server, which compares
        # time and size, would not see a change.
        entry.size, entry.mode, entry.mtime = len(content), mode, time.time()
        entry.uid, entry.gid = self.uid, self.gid
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(entry, io.BytesIO(content))
        if not container.put_archive(self.directory, packed.getvalue()):
            raise EngineError(f"The engine did not take {name} into {self.container}.")

    def _run(self, container: DockerContainer, command: list[str]) -> None:
        """Arguments are seen by everybody on the engine: names only, never contents."""
        result = container.exec_run(command)
        if result.exit_code:
            said = cast(bytes, result.output).decode(errors="replace").strip()
            raise EngineError(f"'{command[0]}' failed in {self.container}: {said}.")


def _beginning(chunks: Iterable[bytes]) -> bytes:
    """As much as is needed to know that it is too much."""
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > MAX_BYTES:
            break
    return bytes(found)
