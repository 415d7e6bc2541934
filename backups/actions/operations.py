"""Operations: start one, work on it under a lease, and take up what a dead worker left."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_tasks import task

from backups.actions import changing, erasing, making
from backups.actions.events import Actor, operator_of, record_event
from backups.actions.lease import LEASE, Lease, LeaseLostError, StepError
from backups.actions.queue import enqueue_once
from backups.engines.errors import EngineError
from backups.models import Event, Operation, Server

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# A queued operation that nobody claimed for so long may have lost its task.
FORGOTTEN_AFTER = 4 * LEASE

# What each kind does; all of it must bear being done twice, after a worker that was killed.
# It may return a sentence for the book.
WORK: dict[str, Callable[[Operation, Lease], str | None]] = {
    Operation.Kind.CREATE_SERVER: making.create_server,
    Operation.Kind.BUILD_IMAGE: making.build_image,
    Operation.Kind.START_SERVER: making.start_server,
    Operation.Kind.STOP_SERVER: making.stop_server,
    Operation.Kind.RESTART_SERVER: making.restart_server,
    Operation.Kind.REMOVE_SERVER: making.remove_server,
    Operation.Kind.CHANGE_SERVER: changing.change_server,
    Operation.Kind.APPLY_CERTIFICATE: changing.change_server,
    Operation.Kind.UPGRADE_SERVER: changing.change_server,
    Operation.Kind.RETURN_SERVER: changing.change_server,
    Operation.Kind.ERASE_SERVER: erasing.erase_data,
}

_CHANGES = (
    Operation.Kind.CHANGE_SERVER,
    Operation.Kind.APPLY_CERTIFICATE,
    Operation.Kind.UPGRADE_SERVER,
    Operation.Kind.RETURN_SERVER,
)

_DONE = {
    "create": "created",
    "build": "built",
    "start": "started",
    "stop": "stopped",
    "restart": "restarted",
    "remove": "removed",
    "change": "changed",
    "apply": "applied",
    "upgrade": "upgraded",
    "return": "put back",
    "erase": "erased the data of",
}


def start_operation(
    kind: Operation.Kind,
    *,
    by: Actor,
    server: Server | None = None,
    subject: str = "",
    wanted: dict[str, Any] | None = None,
) -> Operation:
    """Write the operation down and hand it to a worker; one at a time for each server."""
    if settings.RESTHOUSE_DEMO:
        raise EngineError("This is a demonstration: its servers are made up, nothing is done.")
    try:
        with transaction.atomic():
            operation = Operation.objects.create(
                kind=kind,
                server=server,
                subject=subject or str(server),
                by=operator_of(by),
                by_name=str(by),
                wanted=wanted or {},
            )
            work_on_operation.enqueue(operation.pk)
    except IntegrityError as error:
        raise EngineError(
            f"Another operation on {server} is not finished yet. Wait for it, then try again."
        ) from error
    return operation


@task(queue_name="operations")
def work_on_operation(pk: int) -> None:
    """The worker's way in."""
    work_on(pk)


def work_on(pk: int) -> None:
    """Claim the operation and do it; returns at once when somebody else has it."""
    lease = Lease.claim(pk)
    if lease is None:
        return
    operation = Operation.objects.select_related("server", "by").get(pk=pk)
    try:
        with lease.kept_alive():
            _work(operation, lease)
    except LeaseLostError:
        logger.warning("operation %s was taken over by another worker", pk)


def _work(operation: Operation, lease: Lease) -> None:
    try:
        if operation.attempt > MAX_ATTEMPTS:
            with suppress(EngineError):
                _clear_away(operation, lease)
            raise EngineError(_worn_out(operation))
        sentence = WORK[operation.kind](operation, lease) or ""
    except LeaseLostError:
        raise
    except EngineError as error:
        _fail(operation, lease, error)
    except Exception:
        logger.exception("operation %s", operation.pk)
        _fail(operation, lease, EngineError("Resthouse made a mistake; its log says more."))
    else:
        _succeed(operation, lease, sentence)


def finish(operation: Operation) -> Operation:
    """Do it here and now, or wait for the worker that was quicker; for the terminal."""
    work_on(operation.pk)
    operation.refresh_from_db()
    while operation.is_open:
        time.sleep(0.2)
        work_on(operation.pk)
        operation.refresh_from_db()
    return operation


@task(queue_name="checks")
def reap_operations() -> int:
    """Hand out again what stopped workers left behind; returns how many."""
    forgotten = Operation.objects.filter(
        state=Operation.State.QUEUED, created__lt=timezone.now() - FORGOTTEN_AFTER
    )
    left = list((Operation.objects.lapsed() | forgotten).values_list("pk", flat=True))
    for pk in left:
        enqueue_once(work_on_operation, pk)
    return len(left)


def _clear_away(operation: Operation, lease: Lease) -> None:
    if operation.kind in _CHANGES:
        changing.give_up_change(operation, lease)
    else:
        making.clear_away(operation, lease)


def _succeed(operation: Operation, lease: Lease, sentence: str) -> None:
    with lease.held():
        said = {"step": sentence[:300]} if sentence else {}
        lease.end(Operation.State.SUCCEEDED, percent=100, **said)
        _record(operation, Event.Result.DONE, sentence)


def _fail(operation: Operation, lease: Lease, error: EngineError) -> None:
    code = error.code if isinstance(error, StepError) else ""
    with lease.held():
        making.give_up(operation, str(error))
        lease.end(Operation.State.FAILED, problem=str(error), problem_code=code)
        _record(operation, Event.Result.FAILED, str(error))


def _record(operation: Operation, result: Event.Result, sentence: str) -> None:
    verb, _, noun = operation.kind.partition("_")
    said = _DONE[verb] if result == Event.Result.DONE else f"could not {verb}"
    by: Actor = operation.by or operation.by_name
    record_event(by, said, noun, name=operation.subject, sentence=sentence, result=result)


def _worn_out(operation: Operation) -> str:
    return (
        f"The worker was stopped {MAX_ATTEMPTS} times while it worked on this "
        f"(last step: {operation.step or 'none'}). Start it again when the machine is calm."
    )
