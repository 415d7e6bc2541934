"""A proxy before an engine's socket that lets through what an allow-list says, and notes it."""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_HEAD_ENDS = b"\r\n\r\n"


@dataclass
class EngineProxy:
    """One request a connection, so that what is streamed or hijacked need not be understood."""

    listener: socket.socket
    engine: str
    allowed: Mapping[str, re.Pattern[str]]
    passed: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    _clients: list[socket.socket] = field(default_factory=list)

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def end(self) -> None:
        """Also for those who would listen for ever."""
        for one in (self.listener, *self._clients):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head, rest = _read_head(client)
            if not head:
                return
            method, target = head.split(b"\r\n", 1)[0].decode().split()[:2]
            call = method, target.partition("?")[0]
            pattern = self.allowed.get(method)
            if pattern is None or not pattern.fullmatch(call[1]):
                self.refused.append(call)
                client.sendall(REFUSED)
                return
            self.passed.append(call)
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(self.engine)
                engine.sendall(_last_of_its_connection(head) + rest)
                _join(client, engine)


@contextmanager
def serving(
    folder: Path, engine: str, allowed: Mapping[str, re.Pattern[str]]
) -> Iterator[EngineProxy]:
    """Listens at `folder`/engine.sock."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "engine.sock"))
        listener.listen()
        proxy = EngineProxy(listener, engine, allowed)
        thread = threading.Thread(target=proxy.serve)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.end()
            thread.join()


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while _HEAD_ENDS not in received:
        if not (part := client.recv(65536)):
            return b"", b""
        received += part
    head, _, rest = received.partition(_HEAD_ENDS)
    return head + _HEAD_ENDS, rest


def _last_of_its_connection(head: bytes) -> bytes:
    """A second request would go past the list; what is upgraded has no second one."""
    if re.search(rb"\r\nupgrade:", head, re.IGNORECASE):
        return head
    kept = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
    return kept.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _join(client: socket.socket, engine: socket.socket) -> None:
    """Both ways until the engine has said all."""
    up = threading.Thread(target=_copy, args=[client, engine], daemon=True)
    up.start()
    _copy(engine, client)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
    up.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
