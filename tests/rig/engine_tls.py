"""An engine by TLS on loopback, for clients with a certificate: a forwarder to its socket."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.rig.certificates import Made

_HANDSHAKE = b"\x16"
# As Docker and Podman say it, which have it from Go.
_PLAIN = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


@dataclass(frozen=True)
class _Forwarder:
    listener: socket.socket
    engine: str
    context: ssl.SSLContext

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # A handshake that fails is an OSError as well.
        with client, suppress(OSError), socket.socket(socket.AF_UNIX) as engine:
            client.settimeout(10)
            if client.recv(1, socket.MSG_PEEK) != _HANDSHAKE:
                client.recv(65536)
                client.sendall(_PLAIN)
                return
            with self.context.wrap_socket(client, server_side=True) as trusted:
                trusted.settimeout(None)
                engine.connect(self.engine)
                _forward(trusted, engine)


@contextmanager
def serving(folder: Path, engine: str, shown: Made, trusted: Made) -> Iterator[int]:
    """The port; who comes needs a certificate that was signed by `trusted`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=trusted.pem.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    write_pair(folder, shown)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_Forwarder(listener, engine, context).serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def write_pair(folder: Path, made: Made) -> None:
    """Under the names by which DOCKER_CERT_PATH knows them."""
    (folder / "cert.pem").write_bytes(made.pem)
    (folder / "key.pem").write_bytes(made.key_pem())


def _forward(client: ssl.SSLSocket, engine: socket.socket) -> None:
    """In one thread, because a TLS connection may not be read and written at the same time."""
    while True:
        ends: list[socket.socket] = [client, engine]
        # What was decrypted already is no longer seen by select.
        ready = [client] if client.pending() else select.select(ends, [], [])[0]
        for source in ready:
            part = source.recv(65536)
            if not part:
                return
            (engine if source is client else client).sendall(part)
