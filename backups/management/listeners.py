"""Threads that hear what the container engines tell, so that a change is seen within a second."""

import logging
import threading
import time

from django.db import DatabaseError, connection

from backups import engines
from backups.actions.queue import enqueue_once
from backups.actions.watching import check_server_now
from backups.engines.errors import EngineError
from backups.models import Server

logger = logging.getLogger(__name__)

# The check every ten seconds finds the same, only later.
_AGAIN_AFTER = 10.0


def listen(stop: threading.Event) -> None:
    """One thread for each engine that servers are on, for as long as the worker lives."""
    threads: dict[str, threading.Thread] = {}
    while not stop.is_set():
        for address in _addresses():
            if address not in threads or not threads[address].is_alive():
                thread = threading.Thread(target=_hear, args=(address,), daemon=True)
                threads[address] = thread
                thread.start()
        stop.wait(_AGAIN_AFTER)


def _addresses() -> set[str]:
    try:
        # This machine's before the first server: its creation would be missed else.
        return {"", *Server.objects.made().values_list("engine", flat=True)}
    except DatabaseError:
        logger.warning("the engines to listen to could not be read just now")
        return set()
    finally:
        connection.close()


def _hear(address: str) -> None:
    """Until the engine goes away; then it is tried again with the next look."""
    try:
        for name in engines.engine_at(address).changes():
            _look_soon(name)
    except EngineError as error:
        logger.info("no word from the container engine: %s", error)


def _look_soon(name: str) -> None:
    try:
        if Server.objects.made().filter(name=name).exists():
            # A rename, a stop and a start come at once: the first look may be between them.
            time.sleep(0.1)
            enqueue_once(check_server_now, name)
    finally:
        connection.close()
