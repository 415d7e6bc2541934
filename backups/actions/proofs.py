"""A change of a server's users: published, proven by the server that runs, or taken back."""

import logging
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from django.db import transaction
from django.utils import timezone

from backups import engines
from backups.actions.users_book import (
    Entries,
    keep_book,
    open_book,
    record_cut_off,
    take_back_cut_off,
    write_ahead,
)
from backups.engines.errors import EngineError, EngineUnavailable
from backups.models import Server, UsersFile

logger = logging.getLogger(__name__)

PROVEN_WITHIN = 5
APPLIES_LATER = "applies when it starts"

Row = TypeVar("Row")


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
    about: Collection[str],
    settles: bool = False,
    lets_in: dict[str, str] | None = None,
) -> Row:
    """Alter the entries, publish and prove them, keep the rows; or have all as it was before.

    `about` are the names that it may alter; what somebody else did to those that it leaves as they
    are stays a difference, unless it `settles` just that. Rows and book are written in one
    transaction, while the file is still locked: whatever happens, both tell of the file before or
    of that after.
    """
    change = _Change(server, keep, frozenset(about), lets_in or {}, settles)
    with engines.htpasswd_of(server).change(prove=change.prove, undo=change.undo) as entries:
        change.begin(entries)
        alter(entries)
        change.announce()
    return change.kept[0]


def replace_file(server: Server, make: Callable[[str], str], keep: Callable[[Proof], None]) -> None:
    """Put the text there that `make` has for the present one, proven as any change."""
    running = runs(server)

    def prove() -> None:
        proof = prove_live(server, {}) if running else Proof(APPLIES_LATER)
        with transaction.atomic():
            keep(proof)

    def undo() -> None:
        if running:
            tell(server)

    engines.htpasswd_of(server).replace(make, prove=prove, undo=undo)


@dataclass(slots=True)
class _Change(Generic[Row]):
    """A change on its way from the file through the proof into the rows."""

    server: Server
    keep: Callable[[Proof], Row]
    about: frozenset[str]
    lets_in: dict[str, str]
    settles: bool
    is_running: bool = field(init=False)
    book: UsersFile = field(init=False)
    entries: Entries = field(init=False)
    in_file: Entries = field(init=False)
    before: Entries = field(init=False)
    pending: str = field(init=False)
    cut_off: tuple[str, ...] = ()
    kept: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_running = runs(self.server)

    def begin(self, entries: Entries) -> None:
        """Go back to where nothing is half done."""
        self.in_file, self.book = dict(entries), open_book(self.server, entries)
        self.pending = self.book.pending
        self.cut_off = take_back_cut_off(self.book, entries)
        self.entries, self.before = entries, dict(entries)

    def announce(self) -> None:
        if self.entries == self.in_file:
            # A killed process may have put the file back without a word to the server.
            if self.book.steps and self.is_running:
                tell(self.server)
            self.commit(Proof("the file had it so already"))
        else:
            write_ahead(self.book, self.before, self.entries, self.about, self.cut_off)

    def prove(self) -> None:
        running = self.is_running
        self.commit(prove_live(self.server, self.lets_in) if running else Proof(APPLIES_LATER))

    def commit(self, proof: Proof) -> None:
        with transaction.atomic():
            record_cut_off(self.server, self.cut_off)
            keep_book(self.book, self.entries, self.about if self.settles else self._altered())
            self.kept.append(self.keep(proof))

    def _altered(self) -> set[str]:
        return {name for name in self.about if self.before.get(name) != self.entries.get(name)}

    def undo(self) -> None:
        UsersFile.objects.filter(pk=self.book.pk).update(pending=self.pending)
        if self.is_running:
            tell(self.server)


def tell(server: Server) -> None:
    """Have it read its users now; by itself it looks at the file within half a minute."""
    try:
        engines.containers_of(server).reload_users(server.name)
    except EngineError as error:
        logger.warning("%s was not told to read its users: %s", server, error)


def runs(server: Server) -> bool:
    """As the engine says at this moment: what the last check found may be over."""
    if server.status in Server.WITHOUT_CONTAINER:
        return False
    try:
        container = engines.containers_of(server).find(server.name)
    except EngineUnavailable:
        if engines.probe(server).state == "closed":
            return False
        raise
    if container is not None and container.state == "paused":
        raise EngineError(f"{server} is paused, so no change can be proven. Resume it first.")
    return container is not None and container.is_running


def prove_live(server: Server, lets_in: dict[str, str]) -> Proof:
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
    answer = engines.probe(server)
    if not answer.is_live:
        raise EngineError(f"{answer.sentence} The former file is back.")
    return Proof("proven: the server read its users again", timezone.now())


def _prove_sign_in(server: Server, name: str, password: str) -> None:
    """The new password is let in and a wrong one refused, by the server that runs."""
    deadline = time.monotonic() + PROVEN_WITHIN
    while not engines.is_let_in(server, name, password):
        if time.monotonic() > deadline:
            raise EngineError(
                f"{server} did not accept the new password of {name}, "
                "so the former file is back. Its log may say why."
            )
        time.sleep(0.05)
    if engines.is_let_in(server, name, secrets.token_urlsafe(18)):
        raise EngineError(
            f"{server} lets anybody in as {name}: authentication is off. The former file is back."
        )
