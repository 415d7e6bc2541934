"""A worker's hold on an operation: renewed while it lives, lapsed when it was killed."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from backups.engines.errors import EngineError
from backups.models import Operation

logger = logging.getLogger(__name__)

# Tests, which kill workers and wait for it to lapse, have a shorter one in their settings.
LEASE = timedelta(seconds=getattr(settings, "LEASE_SECONDS", 15))
_RENEW_EVERY = LEASE.total_seconds() / 3


class StepError(EngineError):
    """A failure that the page can offer a next step for, by its code."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class LeaseLostError(Exception):
    """Another worker has taken the operation over; this one must not write any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one attempt to write to one operation."""

    pk: int
    attempt: int

    @classmethod
    def claim(cls, pk: int) -> Self | None:
        """Take the operation if it waits or its worker is dead; None when somebody has it."""
        now = timezone.now()
        with transaction.atomic():
            mine = Operation.objects.claimable().filter(pk=pk)
            claimed = mine.update(
                state=Operation.State.RUNNING,
                attempt=F("attempt") + 1,
                lease_until=now + LEASE,
                started=now,
            )
            if not claimed:
                return None
            return cls(pk, Operation.objects.values_list("attempt", flat=True).get(pk=pk))

    @property
    def label(self) -> str:
        """Marks what this attempt makes outside of the database."""
        return f"{self.pk}.{self.attempt}"

    def is_older_than(self, label: str) -> bool:
        """Whether a later operation or attempt made what bears this label."""
        pk, _, attempt = label.partition(".")
        is_ours = pk.isdecimal() and attempt.isdecimal()
        return is_ours and (int(pk), int(attempt)) > (self.pk, self.attempt)

    def step(self, sentence: str, percent: int | None = None) -> None:
        """Show what is done now."""
        self._write(step=sentence, percent=percent)

    def log(self, line: str) -> None:
        self._write(log=Concat(F("log"), Value(line + "\n")))

    def end(self, state: Operation.State, **fields: Any) -> None:
        self._write(state=state, finished=timezone.now(), lease_until=None, **fields)

    def renew(self) -> None:
        self._write(lease_until=timezone.now() + LEASE)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Write to other rows under the lease: nobody can take it over before they are written."""
        with transaction.atomic():
            self.renew()
            yield

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renew from a thread of its own, so that one long step does not look like death."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep_alive, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _keep_alive(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(_RENEW_EVERY):
                self._renew_if_possible()
        except LeaseLostError:
            return
        finally:
            connection.close()

    def _renew_if_possible(self) -> None:
        try:
            self.renew()
        except DatabaseError:
            logger.warning("operation %s: its lease could not be renewed just now", self.pk)

    def _write(self, **fields: Any) -> None:
        mine = Operation.objects.filter(
            pk=self.pk, attempt=self.attempt, state=Operation.State.RUNNING
        )
        if not mine.update(**fields):
            raise LeaseLostError
