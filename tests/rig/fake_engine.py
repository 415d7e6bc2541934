"""A container engine in memory; tests/engines/test_container_contract.py keeps it honest."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from backups.engines import uploads
from backups.engines.container_engine import CALL_TIMEOUT, EngineStatus
from backups.engines.container_images import PullProgress
from backups.engines.container_logs import RecentLog
from backups.engines.container_reading import Reading
from backups.engines.container_sight import Sight
from backups.engines.container_spec import PORT, Spec
from backups.engines.container_state import Container, Mount
from backups.engines.container_trial import Trial
from backups.engines.container_usage import Usage
from backups.engines.errors import EngineError


@dataclass
class _Made:
    spec: Spec
    found: Container
    files: dict[str, bytes]
    log: list[tuple[datetime, str]] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.log.append((datetime.now(UTC), line))


@dataclass
class FakeEngine:
    """It has these images, by their names, and no registry."""

    images: dict[str, str]
    _all: dict[str, _Made] = field(default_factory=dict)
    # By directory or name of volume; they outlive the containers.
    _data: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def status(self) -> EngineStatus:
        return EngineStatus(
            is_up=True, version="fake", problem="", sentence="The container engine fake answers."
        )

    def find(self, name: str) -> Container | None:
        made = self._find(name)
        return made.found if made else None

    def look(self, name: str, *, timeout: int = CALL_TIMEOUT) -> Sight | None:
        made = self._find(name)
        return Sight(made.found, Reading(made.spec, (), ""), "", "") if made else None

    def rest_servers(self) -> list[Container]:
        return sorted((made.found for made in self._all.values()), key=lambda each: each.name)

    def has_image(self, image: str) -> bool:
        return image in self.images

    def image_id(self, image: str) -> str:
        return self.images.get(image, "")

    def newest_digest(self, image: str) -> str:
        raise EngineError(f"There is no registry to ask for {image}.")

    def pull(self, image: str) -> Iterator[PullProgress]:
        yield PullProgress(None, f"Pulling {image}")
        raise EngineError(f"The image {image} could not be pulled: there is no registry.")

    def try_out(self, spec: Spec) -> Trial:
        self._insist_on_parts(spec)
        self._insist_on_port(spec)
        return Trial("ext4", 10**12)

    def usage(self, name: str) -> Usage | None:
        usage = Usage(cpu_seconds=0.1, memory=10**7, received=0, sent=0, read=0, written=0)
        return usage if self._get(name).found.is_running else None

    def create(self, spec: Spec) -> Container:
        if self._find(spec.name):
            raise EngineError(f"A container called {spec.name} exists already.")
        self._insist_on_parts(spec)
        found = _created(spec, self.images[spec.image])
        source = next(each.source for each in found.mounts if each.target == found.data_directory)
        made = _Made(spec, found, self._data.setdefault(source, {}))
        self._all[found.id] = made
        return found

    def start(self, name: str) -> None:
        made = self._get(name)
        if made.found.is_running:
            return
        self._insist_on_port(made.spec)
        now = datetime.now(UTC)
        if made.spec.options.has_tls and b"PRIVATE KEY" not in made.files.get("private_key", b""):
            made.say("listen and serve returned err: tls: failed to find any PEM data")
            count = made.found.restart_count + 1
            made.found = replace(
                made.found, state="restarting", started=now, exit_code=1, restart_count=count
            )
        else:
            made.say(f"start server on [::]:{PORT}")
            made.found = replace(made.found, state="running", started=now, exit_code=0)

    def stop(self, name: str, *, timeout: int = 30) -> None:
        made = self._get(name)
        if made.found.started:
            made.found = replace(made.found, state="exited")

    def restart(self, name: str, *, timeout: int = 30) -> None:
        self.stop(name)
        self.start(name)

    def remove(self, name: str) -> None:
        del self._all[self._get(name).found.id]

    def mounting(self, folder: str) -> list[str]:
        every = (made.found for made in self._all.values())
        return sorted(found.name for found in every if found.has_part_of(folder))

    def remove_volume(self, name: str) -> None:
        if any(mount.source == name for made in self._all.values() for mount in made.found.mounts):
            raise EngineError(f"The container engine refused: {name} is in use.")
        self._data.pop(name, None)

    def rename(self, name: str, new: str) -> None:
        made = self._get(name)
        if self._find(new):
            raise EngineError(f"The container engine refused: {new} is in use.")
        made.found = replace(made.found, name=new)

    def reload_users(self, name: str) -> bool:
        made = self._get(name)
        if not made.found.is_running or not made.found.has_htpasswd:
            return False
        lines = made.files.get(".htpasswd", b"").decode().splitlines()
        if any(":" not in line for line in lines):
            raise EngineError(f"{name} refused the users file: wrong number of fields.")
        made.say("Reloaded htpasswd file")
        return True

    def logs(self, name: str, *, tail: int = 50, has_times: bool = False) -> list[str]:
        log = self._get(name).log[-tail:]
        return [f"{at.isoformat()} {line}" if has_times else line for at, line in log]

    def recent_log(self, name: str, *, tail: int, since: int = 0) -> RecentLog | None:
        made = self._find(name)
        if made is None:
            return None
        lines = [f"{at.isoformat()} {line}" for at, line in made.log if at.timestamp() >= since]
        return RecentLog(made.found, tuple(lines[-tail:]))

    def uploads(self, name: str) -> int:
        made = self._get(name)
        return sum(uploads.MARK in file for file in made.files) if made.found.is_running else 0

    def files(self, name: str, uid: int, gid: int) -> "FakeFiles":
        return FakeFiles(self, self._get(name).found.name)

    def _insist_on_parts(self, spec: Spec) -> None:
        if not self.has_image(spec.image):
            raise EngineError(f"The image {spec.image} is not on the engine. Pull or build it.")
        if spec.mount_kind == "bind" and not Path(spec.data_directory).is_dir():
            raise EngineError(f"There is no folder {spec.data_directory}.")

    def _insist_on_port(self, spec: Spec) -> None:
        running = [made.spec for made in self._all.values() if made.found.is_running]
        if any((other.address, other.port) == (spec.address, spec.port) for other in running):
            raise EngineError(f"Another program listens at {spec.address}:{spec.port}.")

    def _find(self, name: str) -> _Made | None:
        every = self._all.values()
        return next((each for each in every if name in {each.found.name, each.found.id}), None)

    def _get(self, name: str) -> _Made:
        made = self._find(name)
        if made is None:
            raise EngineError(f"There is no container called {name}.")
        return made


@dataclass(frozen=True)
class FakeFiles:
    """The directory of the users file of one container."""

    engine: FakeEngine
    container: str

    def read(self, name: str) -> bytes | None:
        return self._open().files.get(name)

    def write(self, name: str, content: bytes, *, mode: int = 0o640) -> None:
        self._open().files[name] = content

    def remove(self, name: str) -> None:
        made = self._open()
        if name in made.files and not made.found.is_running:
            raise EngineError(f"{name} can only be removed while {self.container} runs.")
        made.files.pop(name, None)

    def _open(self) -> _Made:
        made = self.engine._find(self.container)
        if made is None:
            raise EngineError(f"The container {self.container} is gone.")
        return made


def _created(spec: Spec, image_id: str) -> Container:
    return Container(
        id=secrets.token_hex(32),
        name=spec.name,
        image=spec.image,
        image_id=image_id,
        state="created",
        health="",
        started=None,
        exit_code=0,
        restart_count=0,
        ports=((spec.address, spec.port),) if spec.is_published else (),
        mounts=tuple(sorted(_mounts(spec), key=lambda mount: mount.target)),
        environment=spec.environment,
        command=("entrypoint",),
        user=spec.user,
        labels=spec.all_labels,
        error="",
        is_out_of_memory=False,
    )


def _mounts(spec: Spec) -> Iterator[Mount]:
    if spec.relabelled:
        yield Mount("bind", spec.data_directory, spec.data_target, is_writable=True)
    for mount in spec.mounts:
        # Without a name the engine gives it one.
        yield mount if mount.source else replace(mount, source=secrets.token_hex(32))
