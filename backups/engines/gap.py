"""How long a port did not answer, as a client would have seen it."""

import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_EVERY = 0.05
_TIMEOUT = 0.5


@dataclass(slots=True)
class Gap:
    """Asks again and again from another thread; `seconds` is the longest time without an answer.

    Every answer counts: with TLS plain HTTP is refused, but only by who is alive.
    """

    address: str
    port: int
    seconds: float = 0.0
    has_answered_before: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        answered = time.monotonic()
        self.has_answered_before = self._answers()
        while not self._stop.is_set():
            asked = time.monotonic()
            if self._answers():
                self.seconds = max(self.seconds, asked - answered)
                answered = time.monotonic()
            self._stop.wait(_EVERY)
        self.seconds = max(self.seconds, time.monotonic() - answered - _EVERY)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=_TIMEOUT) as line:
                line.sendall(b"GET / HTTP/1.0\r\n\r\n")
                # The engine's proxy takes a connection for who is not there, and drops it.
                return bool(line.recv(1))
        except OSError:
            return False
