"""A change of a server's users: published, proven by the server that runs, or taken back."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from backups import engines
from backups.engines import restserver
from backups.engines.errors import EngineError, EngineUnavailable
from backups.engines.htpasswd import Entry
from backups.models import Server

logger = logging.getLogger(__name__)

PROVEN_WITHIN = 5

Row = TypeVar("Row")
Entries = dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Proof:
    """How a change is known to be live, and since when; `since` is None where nothing runs."""

    sentence: str
    since: datetime | None = None


def change_entries(
    server: Server,
    alter: Callable[[Entries], None],
    keep: Callable[[Proof], Row],
    *,
    lets_in: dict[str, str] | None = None,
) -> Row:
    """Alter the entries, publish and prove them, keep the rows; or have all as it was before.

    The rows are written while the file is still locked, so that nobody takes the new entry for
    one that was made by hand.
    """
    kept: list[Row] = []
    is_running = _is_running(server)

    def prove() -> None:
        proof = _prove(server, lets_in or {}) if is_running else Proof("applies when it starts")
        with transaction.atomic():
            kept.append(keep(proof))

    def undo() -> None:
        if is_running:
            tell(server)

    with engines.htpasswd_of(server).change(prove=prove, undo=undo) as entries:
        before = dict(entries)
        alter(entries)
        if entries == before:
            with transaction.atomic():
                kept.append(keep(Proof("the file had it so already")))
    return kept[0]


def tell(server: Server) -> None:
    """Have it read its users now; by itself it looks at the file within half a minute."""
    try:
        engines.containers_of(server).reload_users(server.name)
    except EngineError as error:
        logger.warning("%s was not told to read its users: %s", server, error)


def _is_running(server: Server) -> bool:
    """As the engine says at this moment: what the last check found may be over."""
    if server.status in Server.WITHOUT_CONTAINER:
        return False
    try:
        container = engines.containers_of(server).find(server.name)
    except EngineUnavailable:
        if restserver.probe(server.probe_url).state == "closed":
            return False
        raise
    if container is not None and container.state == "paused":
        raise EngineError(f"{server} is paused, so no change can be proven. Resume it first.")
    return container is not None and container.is_running


def _prove(server: Server, lets_in: dict[str, str]) -> Proof:
    """By real sign-ins where a password is known, else by the server's own word."""
    if not engines.containers_of(server).reload_users(server.name):
        raise EngineError(
            f"{server} lets anybody in: authentication is off, so its users file means nothing. "
            "The former file is back."
        )
    for name, password in lets_in.items():
        _prove_sign_in(server, name, password)
    if lets_in:
        return Proof("proven by a real sign-in", timezone.now())
    answer = restserver.probe(server.probe_url)
    if not answer.is_live:
        raise EngineError(f"{answer.sentence} The former file is back.")
    return Proof("proven: the server read its users again", timezone.now())


def _prove_sign_in(server: Server, name: str, password: str) -> None:
    """The new password is let in and a wrong one refused, by the server that runs."""
    deadline = time.monotonic() + PROVEN_WITHIN
    while not restserver.is_let_in(server.probe_url, name, password):
        if time.monotonic() > deadline:
            raise EngineError(
                f"{server} did not accept the new password of {name}, "
                "so the former file is back. Its log may say why."
            )
        time.sleep(0.05)
    if restserver.is_let_in(server.probe_url, name, secrets.token_urlsafe(18)):
        raise EngineError(
            f"{server} lets anybody in as {name}: authentication is off. The former file is back."
        )
