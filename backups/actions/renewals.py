"""Certificates that come by themselves: renewed by this house, or found in a watched folder."""

import hashlib
import logging
import os
import stat
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups.actions.certificates import (
    check_certificate,
    check_files,
    keep_pair,
    make_certificate,
)
from backups.actions.certificates_apply import apply_certificate
from backups.actions.events import Actor, record_event
from backups.engines.certificates import Checked
from backups.engines.errors import EngineError
from backups.models import Certificate, Operation, Server, Watch
from backups.queries.trust import names_of, published_names

logger = logging.getLogger(__name__)

RENEW_BEFORE = timedelta(days=30)
_TRY_AGAIN_AFTER = timedelta(hours=12)
_MOST_FILES, _MOST_BYTES = 20, 1024 * 1024
_ENDINGS = {".pem", ".crt", ".cer", ".key", ".cert", ".der"}
WATCH = "watched folder"


@task(queue_name="checks")
def renew_certificates() -> None:
    """Those that this house made itself, while there is time for a second try."""
    ending = Certificate.objects.served().filter(
        origin=Certificate.Origin.MADE, not_after__lt=timezone.now() + RENEW_BEFORE
    )
    for certificate in ending.select_related("server"):
        if not _was_tried(certificate.server):
            try:
                renew_certificate(certificate, by="scheduler")
            except EngineError as error:
                logger.warning("%s was not renewed: %s", certificate, error)


def renew_certificate(certificate: Certificate, *, by: Actor) -> Operation:
    """Make its successor, for the same names, and apply it; only of what was made here."""
    if certificate.origin != Certificate.Origin.MADE:
        raise EngineError(f"{certificate} was not made here: bring its successor.")
    server = certificate.server
    names = dict.fromkeys([*certificate.names, *names_of(server)])
    return apply_certificate(make_certificate(server, by=by, names=names), by=by)


def watch_directory(server: Server, directory: str, *, by: Actor) -> Watch:
    """From now on a new pair in this folder is checked and applied by itself."""
    _read(Path(directory))
    with transaction.atomic():
        watch, _ = Watch.objects.update_or_create(
            server=server,
            defaults={"directory": directory, "by_name": str(by), "seen": "", "problem": ""},
        )
        record_event(by, "watched", watch, sentence=f"For certificates of {server}.")
    return watch


def unwatch_directory(server: Server, *, by: Actor) -> None:
    with transaction.atomic():
        for watch in Watch.objects.filter(server=server):
            record_event(by, "stopped watching", watch, sentence=f"For {server}.")
            watch.delete()


@task(queue_name="checks")
def look_at_watches() -> None:
    for watch in Watch.objects.select_related("server"):
        look_at_watch(watch)


def look_at_watch(watch: Watch) -> None:
    """What was judged once is not judged again until the files change."""
    watch.looked = timezone.now()
    try:
        files = _read(Path(watch.directory))
        digest = hashlib.sha256(b"\0".join(files)).hexdigest()
        if digest != watch.seen:
            watch.problem = _take(watch.server, files)
            watch.seen = digest
    except EngineError as error:
        # As when another operation is under way: the next look tries again.
        watch.problem = str(error)
    watch.save(update_fields=["looked", "problem", "seen"])


def _take(server: Server, files: list[bytes]) -> str:
    """Apply the pair; or why it is left to a person."""
    checked = check_files(files, names=published_names(server), server=server)
    if checked.pair is None:
        return " ".join(finding.sentence for finding in checked.errors)
    if checked.pair.facts.fingerprint == server.pin:
        return ""
    origin = Certificate.Origin.WATCHED
    certificate = keep_pair(server, checked.pair, origin=origin, by=WATCH)
    if news := _new_warnings(server, checked):
        return f"{' '.join(news)} Look at it, then apply it by hand."
    apply_certificate(certificate, by=WATCH)
    return ""


def _new_warnings(server: Server, checked: Checked) -> list[str]:
    """Those that nobody has accepted yet for the certificate that is shown now."""
    shown = server.certificates.served().first()
    known = {found.code for found in check_certificate(shown).warnings} if shown else set()
    return [found.sentence for found in checked.warnings if found.code not in known]


def _was_tried(server: Server) -> bool:
    applied = server.operations.filter(kind=Operation.Kind.APPLY_CERTIFICATE)
    return applied.filter(created__gt=timezone.now() - _TRY_AGAIN_AFTER).exists()


def _read(directory: Path) -> list[bytes]:
    """The files that may be a certificate or a key; certbot's are links to elsewhere."""
    if not directory.is_absolute():
        raise EngineError("Give the folder with its absolute path.")
    try:
        names = sorted(path for path in directory.iterdir() if path.suffix in _ENDINGS)
        if len(names) > _MOST_FILES:
            raise EngineError(f"{directory} holds more than {_MOST_FILES} certificates and keys.")
        return [_read_file(path) for path in names]
    except OSError as error:
        raise EngineError(
            f"{directory} cannot be read ({(error.strerror or str(error)).lower()}). Resthouse "
            "runs as a user of its own: let that read the folder and the keys in it."
        ) from error


def _read_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(_MOST_BYTES + 1)
