"""Changes of a server that begin its container anew: proven on its port, or taken back.

The former container is kept beside the new one until that has answered and stayed. Whatever a
killed worker left is put back first, then all is done again.
"""

import time
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from backups import engines
from backups.actions import line
from backups.actions.certificates import write_live
from backups.actions.lease import Lease, LeaseLostError
from backups.actions.live import insist_on_staying, wait_until_live
from backups.actions.making import (
    ATTEMPT,
    HOUSE,
    STOP_WITHIN,
    answering_engine,
    former_name,
    house_id,
    insist_on_ours,
    server_of,
)
from backups.actions.pairs import FilePair
from backups.engines.errors import EngineError
from backups.engines.gap import Gap
from backups.models import Certificate, Operation, Server

if TYPE_CHECKING:
    from backups.engines.containers import Containers

# What a change may set; the row has it only when it is proven.
FIELDS = (
    *("image", "address", "port", "is_append_only", "has_private_repositories"),
    *("has_prometheus", "has_tls", "tls_min_version", "has_access_log"),
    *("max_size", "memory_limit", "restart_policy", "uid", "gid"),
    *("proxy_header", "selinux_label", "extra_options", "extras"),
)
# What a proven change has settled.
_SETTLED = ("is_adopted", "drift", "drift_since", "newer_image")
WAIT_FOR_UPLOADS = 60
WAIT_FOR_ENGINE = 900
_UPGRADE = Operation.Kind.UPGRADE_SERVER
# Seconds for which a container must stay after its first answer; a new image has more to hide.
# Tests, whose images are known to show within half of it what they hide, take that.
_SHARE = getattr(settings, "STAY_SHARE", 1.0)
STAYS, NEW_STAYS, NEW_IMAGE_STAYS = 2.0 * _SHARE, 4.0 * _SHARE, 8.0 * _SHARE


def change_server(operation: Operation, lease: Lease) -> str:
    """Do what the operation wants; returns how it is known to be live."""
    change = _Change(operation, lease, server_of(operation))
    change.put_back_leftovers()
    if not change.get_image():
        return "It is made of the newest image already; nothing was changed."
    change.remember()
    change.wait_for_uploads()
    with Gap(change.server.probe_address, change.wanted.port) as gap:
        proofs = change.apply_or_take_back()
    change.commit()
    change.forget_former()
    return f"{'; '.join(proofs)}. {_words_of(gap)}"


def _words_of(gap: Gap) -> str:
    if not gap.has_answered_before:
        return "It answers there for the first time."
    return f"It did not answer for {gap.seconds:.1f} s."


def give_up_change(operation: Operation, lease: Lease) -> None:
    """After too many killed workers: as it was before the first of them."""
    change = _Change(operation, lease, server_of(operation))
    change.put_back_leftovers()
    if operation.former:
        change.put_back_files()
        change.containers.restart(change.server.name, timeout=STOP_WITHIN)


@dataclass(slots=True)
class _Change:
    """One change on its way; `server` is how it was, `wanted` how it shall be."""

    operation: Operation
    lease: Lease
    server: Server
    wanted: Server = field(init=False)
    certificate: Certificate | None = field(init=False)
    containers: "Containers" = field(init=False)

    def __post_init__(self) -> None:
        self.containers = answering_engine(self.server)
        # A worker that was killed after the row was written had proven it, and only that.
        for name, value in self.operation.former.get("fields", {}).items():
            setattr(self.server, name, value)
        self.certificate = self._certificate()
        self.wanted = copy(self.server)
        for name, value in self.operation.wanted.get("fields", {}).items():
            setattr(self.wanted, name, value)

    def _certificate(self) -> Certificate | None:
        """The one that shall be shown, whether it is a new one or that of before."""
        pk = self.operation.wanted.get("certificate")
        if pk is None:
            return self.server.certificates.served().first()
        found = self.server.certificates.filter(pk=pk).first()
        if found is None:
            raise EngineError("This certificate is not kept any more.")
        return found

    @property
    def is_new_pair(self) -> bool:
        return self.operation.wanted.get("certificate") is not None

    @property
    def is_recreated(self) -> bool:
        is_made_anew = self.operation.kind in {_UPGRADE, Operation.Kind.RETURN_SERVER}
        return is_made_anew or self.wanted.spec != self.server.spec

    @property
    def stays(self) -> float:
        if self.wanted.image != self.server.image or self.operation.kind == _UPGRADE:
            return NEW_IMAGE_STAYS
        return NEW_STAYS if self.is_recreated else STAYS

    @property
    def pin(self) -> str:
        return self.certificate.fingerprint if self.certificate and self.wanted.has_tls else ""

    def put_back_leftovers(self) -> None:
        """A container that stands aside was left by a killed worker."""
        former = self.containers.find(former_name(self.server))
        if former is None:
            return
        insist_on_ours(self.server, former)
        self.lease.step("Putting back what a stopped worker left")
        new = self.containers.find(self.server.name)
        if new is not None:
            is_ours = new.labels.get(HOUSE) == house_id()
            if not is_ours or self.lease.is_older_than(new.labels.get(ATTEMPT, "")):
                raise EngineError(
                    f"There are two containers, {self.server} and {former.name}, and the first was "
                    "not made here. Remove the one that is not wanted."
                )
            self.containers.remove(new.id)
        self.containers.rename(former.id, self.server.name)
        self.containers.start(former.id)

    def get_image(self) -> bool:
        """Whether there is anything to go over to; a tag may stand for another image by now."""
        image = self.wanted.image
        if self.operation.kind == _UPGRADE:
            try:
                for progress in self.containers.pull(image):
                    self.lease.step(progress.sentence, (progress.percent or 0) // 10)
            except EngineError as error:
                if not self.containers.has_image(image):
                    raise
                self.lease.log(f"{error} The one that is here is taken.")
            running = self.containers.find(self.server.name)
            return running is None or running.image_id != self.containers.image_id(image)
        if self.is_recreated and not self.containers.has_image(image):
            raise EngineError(f"The image {image} is not here. Upgrade to it: that pulls it first.")
        return True

    def remember(self) -> None:
        """Before anything is changed, and only once: a second attempt would see its own work."""
        if self.operation.former:
            return
        fields = self.operation.wanted.get("fields", {})
        former: dict[str, Any] = {"fields": {name: getattr(self.server, name) for name in fields}}
        if present := self.containers.find(self.server.name):
            former["container"] = present.id
        if self.is_new_pair:
            former["pair"] = FilePair.on(self.server).closed()
        with self.lease.held():
            self.operation.former = former
            self.operation.save(update_fields=["former"])

    def wait_for_uploads(self) -> None:
        """They would be let finish by the stop as well, but nobody could begin another one."""
        limit = float(self.operation.wanted.get("wait", WAIT_FOR_UPLOADS))
        deadline = time.monotonic() + limit
        while count := engines.uploads_of(self.server):
            left = deadline - time.monotonic()
            if left <= 0:
                self.lease.log(f"{count} uploads still under way after {limit:g} s: they may end")
                return
            some = "an upload" if count == 1 else f"{count} uploads"
            self.lease.step(f"Waiting for {some} to end, at most {left:.0f} s more", 10)
            time.sleep(0.3)

    def apply_or_take_back(self) -> list[str]:
        try:
            self.apply()
            return self.prove()
        except LeaseLostError:
            raise
        except EngineError as error:
            self.lease.log(str(error))
            raise EngineError(f"{error} {self.take_back()}") from error
        except Exception:
            self.take_back()
            raise

    def apply(self) -> None:
        if self.is_new_pair and self.certificate:
            self.lease.step("Writing the pair", 20)
            FilePair.of(self.certificate).write_to(self.server)
        if self.is_recreated:
            self.recreate()
        else:
            self.lease.step(f"Restarting; uploads under way have {STOP_WITHIN} s to end", 40)
            self.lease.renew()
            self.containers.restart(self.server.name, timeout=STOP_WITHIN)

    def recreate(self) -> None:
        self.lease.step("Creating the new container beside the former one", 40)
        labels = {HOUSE: house_id(), ATTEMPT: self.lease.label}
        self.lease.renew()
        self.containers.rename(self.server.name, former_name(self.server))
        made = self.containers.create(replace(self.wanted.spec, labels=labels))
        self.lease.step(f"Changing over; uploads under way have {STOP_WITHIN} s to end", 60)
        self.lease.renew()
        self.containers.stop(former_name(self.server), timeout=STOP_WITHIN)
        self.containers.start(made.id)

    def prove(self) -> list[str]:
        wait_until_live(self.containers, self.wanted, self.lease, pin=self.pin)
        proofs = line.prove(self.wanted, self.certificate, self.lease)
        insist_on_staying(self.containers, self.wanted, pin=self.pin, seconds=self.stays)
        return proofs

    def take_back(self) -> str:
        """Files and container as before; returns what became of it, as a sentence."""
        try:
            self.wait_for_engine()
            self.lease.step("Taking it back", 90)
            self.put_back_files()
            self.put_back_leftovers()
            if not self.is_recreated:
                self.lease.renew()
                self.containers.restart(self.server.name, timeout=STOP_WITHIN)
            if self.operation.kind == Operation.Kind.RETURN_SERVER:
                return "The container that ran before runs again."
            if not self.server.is_live:
                return "All is as it was before."
            wait_until_live(self.containers, self.server, self.lease)
        except EngineError as error:
            return f"It could not be taken back: {error}"
        return f"{self.server} is as it was before, proven {timezone.localtime():%H:%M:%S}."

    def wait_for_engine(self) -> None:
        """While it is away nothing can be taken back; it may be an upgrade of its own."""
        deadline = time.monotonic() + WAIT_FOR_ENGINE
        while not (status := self.containers.status()).is_up:
            if time.monotonic() > deadline:
                raise EngineError(status.sentence)
            self.lease.step("Waiting for the container engine, to take it back", 90)
            time.sleep(1)

    def put_back_files(self) -> None:
        if self.is_new_pair and "pair" in self.operation.former:
            self.lease.renew()
            FilePair.opened(self.operation.former["pair"]).write_to(self.server)

    def commit(self) -> None:
        """Server and certificate tell of the same moment."""
        now = timezone.now()
        server = self.wanted
        status = server.become(Server.Status.LIVE, now=now, is_anew=True)
        server.drift, server.drift_since = [], None
        if self.is_recreated:
            server.is_adopted = False
        if self.operation.kind == _UPGRADE:
            server.newer_image = ""
        with self.lease.held():
            server.save(update_fields=[*FIELDS, *status, *_SETTLED])
            if server.has_tls and self.certificate is not None:
                write_live(self.certificate, now)
            else:
                self.server.certificates.served().update(live_until=now)

    def forget_former(self) -> None:
        if self.is_recreated and self.containers.find(former_name(self.server)):
            self.lease.step("Removing the former container", 97)
            self.containers.remove(former_name(self.server))
