"""What a container has written, read within bounds: an engine that hangs holds nobody up."""

import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from docker import DockerClient
from docker.errors import create_api_error_from_http_exception
from requests import HTTPError

from backups.engines.container_state import Container
from backups.engines.errors import EngineUnavailable

TIMEOUT = 2
MAX_BYTES = 2_000_000
_CHUNK = 65536
_HEADER = struct.Struct(">BxxxL")


@dataclass(frozen=True, slots=True)
class RecentLog:
    """A container as it is, and the newest of its lines, oldest first, each with its time."""

    container: Container
    lines: tuple[str, ...]
    # Whether there was more than was read.
    is_cut: bool = False


def read(
    client: DockerClient, container_id: str, *, tail: int, since: int = 0
) -> tuple[bytes, bool]:
    """The newest lines within bounds of bytes and time, and whether older ones were dropped.

    The SDK's own call reads without a limit, and switches the time-out of a stream off.
    """
    deadline = time.monotonic() + TIMEOUT
    api = client.api
    address = f"{api.base_url}/v{api.api_version}/containers/{container_id}/logs"
    wanted = {"stdout": 1, "stderr": 1, "timestamps": 1, "tail": tail}
    if since:
        wanted["since"] = since
    with api.get(address, params=wanted, timeout=TIMEOUT, stream=True) as response:
        try:
            response.raise_for_status()
        except HTTPError as error:
            create_api_error_from_http_exception(error)
        kept, size, is_cut = deque[bytes](), 0, False
        for part in _parts(_on_time(response.iter_content(_CHUNK), deadline)):
            kept.append(part)
            size += len(part)
            while size > MAX_BYTES and len(kept) > 1:
                size -= len(kept.popleft())
                is_cut = True
    return b"".join(kept), is_cut


def lines_of(output: bytes, *, is_cut: bool) -> tuple[str, ...]:
    lines = output.decode(errors="replace").split("\n")
    # What was cut begins in the middle of a line.
    return tuple(line for line in (lines[1:] if is_cut else lines) if line.strip("\r"))


def _on_time(chunks: Iterable[bytes], deadline: float) -> Iterator[bytes]:
    for chunk in chunks:
        if time.monotonic() > deadline:
            raise EngineUnavailable(
                f"The container engine did not hand out the log within {TIMEOUT} s: look at its "
                "load."
            )
        yield chunk


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The payloads of the engine's frames; a container with a terminal writes without any."""
    buffer, is_framed = b"", None
    for chunk in chunks:
        buffer += chunk
        if is_framed is None and len(buffer) >= _HEADER.size:
            is_framed = buffer[0] in {0, 1, 2} and buffer[1:4] == b"\0\0\0"
        if is_framed is False:
            yield buffer
            buffer = b""
        while is_framed and len(buffer) >= _HEADER.size:
            _, length = _HEADER.unpack_from(buffer)
            end = _HEADER.size + length
            if len(buffer) < end and length <= MAX_BYTES:
                break
            yield buffer[_HEADER.size : end]
            buffer = buffer[end:]
    if buffer and not is_framed:
        yield buffer
