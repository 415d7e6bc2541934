"""The work behind a server's operations; each may be done twice, after a killed worker."""

import os
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from backups import engines
from backups.actions import certificates
from backups.actions.lease import Lease, StepError
from backups.actions.live import wait_until_live, write_live
from backups.actions.repositories import scan_server
from backups.engines.errors import EngineError
from backups.models import Certificate, Operation, Server

if TYPE_CHECKING:
    from backups.engines.containers import Container, Containers

STOP_WITHIN = 60
HOUSE, ATTEMPT = "resthouse.house", "resthouse.attempt"
MAKES_A_SERVER = (Operation.Kind.CREATE_SERVER, Operation.Kind.BUILD_IMAGE)
BASE_IMAGE = "debian:trixie-slim"
LOCAL_IMAGE = "resthouse/rest-server:local"
IMAGE_SOURCE = Path(settings.BASE_DIR) / "images" / "rest-server"
BASE_IMAGE_SCRIPT = Path(settings.BASE_DIR) / "scripts" / "base-image"


def create_server(operation: Operation, lease: Lease) -> None:
    server = server_of(operation)
    containers = answering_engine(server)
    if _take_former(containers, server, lease):
        return
    _get_image(containers, server.image, lease)
    _clear_earlier_attempt(containers, server, lease)
    lease.step("Preparing the data directory", 55)
    prepare_directory(server)
    lease.step("Trying out its folder and its port", 60)
    lease.log(f"data: {containers.try_out(server.spec).sentence}")
    lease.step("Creating the container", 65)
    labels = {HOUSE: house_id(), ATTEMPT: lease.label}
    made = containers.create(replace(server.spec, labels=labels))
    try:
        certificate = _prepare_line(operation, server, lease)
        lease.step("Starting the container", 75)
        containers.start(made.id)
        pin = certificate.fingerprint if certificate else ""
        wait_until_live(containers, server, lease, pin=pin)
        with lease.held():
            write_live(server, lease)
            Server.objects.filter(pk=server.pk).update(is_adopted=False, drift=[], drift_since=None)
            if certificate:
                certificates.write_live(certificate, timezone.now())
    except EngineError:
        # By its id: under its name there may be that of another attempt by now.
        with suppress(EngineError):
            containers.remove(made.id)
        raise
    # Its folder may hold repositories already; without a look they would stay unknown for a minute.
    scan_server(server)
    lease.log(f"live, image {made.image_id}")


def former_name(server: Server) -> str:
    """Of the container that stands aside while a change is proven."""
    return f"{server.name}.former"


def insist_on_ours(server: Server, former: "Container") -> None:
    """Of a name that we would give, too, but that anybody can give."""
    is_made_here = former.labels.get(HOUSE) == house_id()
    stood_aside = server.operations.filter(former__container=former.id)
    if not is_made_here and not stood_aside.exists():
        raise EngineError(
            f"A container called {former.name} is in the way, and no change has left it there. "
            "Rename it, or remove it."
        )


def _take_former(containers: "Containers", server: Server, lease: Lease) -> bool:
    """Whether a change that was broken off had left one aside, which now serves again."""
    former = containers.find(former_name(server))
    if former is None or containers.find(server.name) is not None:
        return False
    insist_on_ours(server, former)
    lease.step("Putting back the container that a change had left aside", 50)
    lease.renew()
    containers.rename(former.id, server.name)
    containers.start(former.id)
    wait_until_live(containers, server, lease)
    write_live(server, lease)
    return True


def _prepare_line(operation: Operation, server: Server, lease: Lease) -> Certificate | None:
    """With TLS it needs its certificate before the first start."""
    if not server.has_tls:
        return None
    lease.step("Preparing its certificate", 70)
    by = operation.by or operation.by_name
    return certificates.certificate_to_start_with(server, by=by)


def clear_away(operation: Operation, lease: Lease) -> None:
    """After an operation that is given up: no half-made container stays."""
    if operation.kind in MAKES_A_SERVER and operation.server is not None:
        containers = engines.containers_of(operation.server)
        _clear_earlier_attempt(containers, operation.server, lease)


def give_up(operation: Operation, sentence: str) -> None:
    """What is wanted of the server stays; its page offers to try again."""
    server = operation.server
    if operation.kind in MAKES_A_SERVER and server is not None:
        # One that was made before holds data and certificates: it stays what it was.
        fresh = server.status in {Server.Status.NEW, Server.Status.UNMADE}
        status = Server.Status.UNMADE if fresh else Server.Status(server.status)
        server.save(update_fields=server.become(status, sentence, now=timezone.now()))


def house_id() -> str:
    """Tells this house's containers from those of another one on the same engine."""
    return salted_hmac("resthouse.house", "containers").hexdigest()[:16]


def answering_engine(server: Server) -> "Containers":
    containers = engines.containers_of(server)
    status = containers.status()
    if not status.is_up:
        raise EngineError(status.sentence)
    return containers


def _get_image(containers: "Containers", image: str, lease: Lease) -> None:
    if containers.has_image(image):
        lease.log(f"image {image} is here")
        return
    lease.step(f"Pulling {image}", 5)
    try:
        for progress in containers.pull(image):
            lease.step(progress.sentence, 5 + (progress.percent or 0) * 45 // 100)
    except EngineError as error:
        raise StepError(str(error), "image-missing") from error


def prepare_directory(server: Server) -> None:
    """Make the data directory where it is ours to make, owned by the container's user."""
    if not server.is_here or server.is_volume:
        return
    directory = Path(server.data_directory)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        if os.geteuid() == 0 and directory.stat().st_uid == 0 and server.uid != 0:
            _refuse_foreign(directory, server)
            os.chown(directory, server.uid, server.gid)
    except OSError as error:
        raise EngineError(
            f"{directory} cannot be made here ({error.strerror}). Make it on the machine of the "
            f"engine: sudo install -d -o {server.uid} -g {server.gid} {directory}"
        ) from error


def _refuse_foreign(directory: Path, server: Server) -> None:
    """A folder that root filled with other things is not given away."""
    found = {path.name for path in directory.iterdir()} - {"lost+found"}
    if found and not found & {".htpasswd", "config"}:
        raise EngineError(
            f"{directory} belongs to root and holds other things than backups. Choose an empty "
            f"folder, or give it away yourself: sudo chown {server.uid}:{server.gid} {directory}"
        )


def _clear_earlier_attempt(containers: "Containers", server: Server, lease: Lease) -> None:
    """A container of ours under this name is what a killed worker left; any other stays."""
    container = containers.find(server.name)
    if container is None:
        return
    lease.renew()
    is_ours = container.labels.get(HOUSE) == house_id()
    if not is_ours or lease.is_older_than(container.labels.get(ATTEMPT, "")):
        raise EngineError(
            f"A container called {server.name} exists already and was not made here. "
            "Choose another name, or remove that container."
        )
    containers.remove(container.id)


def build_image(operation: Operation, lease: Lease) -> None:
    """From Debian's package, for machines that reach no image registry; then make the server."""
    server = server_of(operation)
    containers = answering_engine(server)
    if not containers.has_image(BASE_IMAGE):
        _get_base_image(containers, lease)
    for progress in containers.build(IMAGE_SOURCE, LOCAL_IMAGE, {"BASE": BASE_IMAGE}):
        percent = 30 + (progress.percent or 0) // 5
        lease.step(f"Building {LOCAL_IMAGE}: {progress.sentence}", percent)
        lease.log(progress.sentence)
    # Under a name of its own: what was built here must not pass for the public image.
    server.image = LOCAL_IMAGE
    with lease.held():
        server.save(update_fields=["image"])
    create_server(operation, lease)


def _get_base_image(containers: "Containers", lease: Lease) -> None:
    """Pull it, or make it of Debian's packages where nothing can be pulled."""
    lease.step(f"Getting {BASE_IMAGE}", 5)
    try:
        for progress in containers.pull(BASE_IMAGE):
            lease.step(progress.sentence, 5)
    except EngineError:
        lease.step("Making a base image of Debian's packages, about a minute", 10)
        command = [str(BASE_IMAGE_SCRIPT), BASE_IMAGE, "trixie"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        lease.log(made.stderr.strip())
        if made.returncode:
            raise EngineError(made.stderr.strip().splitlines()[-1]) from None


def start_server(operation: Operation, lease: Lease) -> None:
    server = server_of(operation)
    containers = answering_engine(server)
    lease.step("Starting the container", 20)
    containers.start(server.name)
    wait_until_live(containers, server, lease)
    write_live(server, lease)


def stop_server(operation: Operation, lease: Lease) -> None:
    server = server_of(operation)
    lease.step(f"Stopping; uploads under way have {STOP_WITHIN} s to finish", 20)
    answering_engine(server).stop(server.name, timeout=STOP_WITHIN)
    _write_ended(server, lease, Server.Status.STOPPED, "It was stopped.")


def restart_server(operation: Operation, lease: Lease) -> None:
    stop_server(operation, lease)
    start_server(operation, lease)


def remove_server(operation: Operation, lease: Lease) -> None:
    """The container goes; the data directory and what is known of it stay."""
    server = server_of(operation)
    containers = answering_engine(server)
    if container := containers.find(server.name):
        if not server.is_adopted and container.labels.get(HOUSE) != house_id():
            raise EngineError(
                f"The container {server} was not made here. Adopt it first, or remove it by hand."
            )
        stop_server(operation, lease)
        lease.step("Removing the container", 80)
        containers.remove(server.name)
    _write_ended(server, lease, Server.Status.REMOVED, "Its container was removed here.")


def _write_ended(server: Server, lease: Lease, status: Server.Status, reason: str) -> None:
    server.drift, server.drift_since = [], None
    fields = (*server.become(status, reason, now=timezone.now()), "drift", "drift_since")
    with lease.held():
        server.save(update_fields=fields)


def server_of(operation: Operation) -> Server:
    if operation.server is None:
        raise EngineError("Its server was removed in the meantime.")
    return operation.server
