"""The container engine: what it runs, and everything that Resthouse has it do."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container as DockerContainer

from backups.engines import (
    container_images,
    container_logs,
    container_sight,
    container_trial,
    container_usage,
    untrusted,
    uploads,
)
from backups.engines.container_engine import CALL_TIMEOUT, EngineStatus, connect, status
from backups.engines.container_files import ContainerFiles
from backups.engines.container_folder import insist_on_folder
from backups.engines.container_images import PullProgress
from backups.engines.container_logs import RecentLog
from backups.engines.container_sight import Sight
from backups.engines.container_spec import (
    STOP_TIMEOUT,
    Spec,
    container_config,
    docker_run,
    host_config,
)
from backups.engines.container_state import Container, Mount
from backups.engines.container_trial import Trial
from backups.engines.container_usage import Usage
from backups.engines.errors import EngineError

__all__ = [
    "Container",
    "ContainerFiles",
    "Containers",
    "EngineStatus",
    "Mount",
    "PullProgress",
    "RecentLog",
    "Spec",
    "docker_run",
]

# Of calls that a page waits for: an engine may hang.
PAGE_TIMEOUT = 2
# Layers and build steps may be silent for long.
STREAM_TIMEOUT = 600
LOG_WINDOW = 200
RELOADED_WITHIN = 5.0
# What an engine tells of at once; "died", "remove" and "cleanup" are Podman's words.
_CHANGES = (
    *("create", "start", "restart", "stop", "die", "died", "kill", "oom", "pause", "unpause"),
    *("rename", "update", "destroy", "remove", "cleanup", "health_status"),
)


@dataclass(frozen=True, slots=True)
class Containers:
    """One engine, by address; empty: this machine's, or what DOCKER_HOST says."""

    base_url: str = ""

    def status(self) -> EngineStatus:
        """Never raises: not being there is a state."""
        return status(self.base_url)

    def find(self, name: str) -> Container | None:
        with connect(self.base_url) as client:
            found = _find(client, name)
            return Container.from_inspection(found.attrs) if found else None

    def look(self, name: str, *, timeout: int = CALL_TIMEOUT) -> Sight | None:
        """How it is and as what it runs, in one go; None when there is none."""
        with connect(self.base_url, timeout=timeout) as client:
            found = _find(client, name)
            return container_sight.look(client, found) if found else None

    def rest_servers(self) -> list[Container]:
        """All that look like rest-server, whoever made them and whether they run or not."""
        with connect(self.base_url, timeout=PAGE_TIMEOUT) as client:
            # Some may vanish between the list and the look at each.
            every = client.containers.list(all=True, ignore_removed=True)
            found = [Container.from_inspection(container.attrs) for container in every]
        return sorted(
            (container for container in found if container.is_rest_server),
            key=lambda container: container.name,
        )

    def mounting(self, folder: str) -> list[str]:
        """Names of all containers, running or not, that have the folder, or a part of it."""
        with connect(self.base_url) as client:
            every = client.containers.list(all=True, ignore_removed=True)
            found = [Container.from_inspection(container.attrs) for container in every]
        return sorted(one.name for one in found if one.has_part_of(folder))

    def changes(self) -> Iterator[str]:
        """Names of containers, each at the moment when something is done to it; without an end.

        Returns when the engine goes away.
        """
        with connect(self.base_url) as client:
            # Without them each health check would be three.
            filters = {"type": "container", "event": list(_CHANGES)}
            for event in client.events(decode=True, filters=filters):
                yield str((event.get("Actor") or {}).get("Attributes", {}).get("name", ""))

    def has_image(self, image: str) -> bool:
        with connect(self.base_url) as client:
            try:
                client.images.get(image)
            except ImageNotFound:
                return False
            return True

    def image_id(self, image: str) -> str:
        """The digest of what the tag stands for on the engine now; empty when it is not there."""
        with connect(self.base_url) as client:
            try:
                return str(client.images.get(image).id)
            except ImageNotFound:
                return ""

    def newest_digest(self, image: str) -> str:
        """What the registry has under this name now; EngineError where none answers."""
        with connect(self.base_url) as client:
            found = client.api.inspect_distribution(image)  # type: ignore[no-untyped-call]
        try:
            return str(found["Descriptor"]["digest"])
        except (KeyError, TypeError) as error:
            raise EngineError(f"The registry of {image} gave no digest.") from error

    def pull(self, image: str) -> Iterator[PullProgress]:
        with connect(self.base_url, timeout=STREAM_TIMEOUT) as client:
            yield from container_images.pull(client, image)

    def build(self, directory: Path, tag: str, buildargs: dict[str, str]) -> Iterator[PullProgress]:
        with connect(self.base_url, timeout=STREAM_TIMEOUT) as client:
            yield from container_images.build(client, directory, tag, buildargs)

    def try_out(self, spec: Spec) -> Trial:
        """Whether a container like this could keep its data; EngineError with what to do."""
        with connect(self.base_url) as client:
            return container_trial.run(client, spec)

    def usage(self, name: str) -> Usage | None:
        """What it has used since its start; None while it does not run. Takes about a second."""
        with self._container(name) as container:
            if container.status != "running":
                return None
            found = container.stats(stream=False, one_shot=True)
            return container_usage.read(cast(dict[str, Any], found))

    def create(self, spec: Spec) -> Container:
        """Make it, do not start it yet."""
        with connect(self.base_url) as client:
            if _find(client, spec.name):
                raise EngineError(
                    f"A container called {spec.name} exists already. Choose another name."
                )
            config = client.api.create_container_config(
                **container_config(spec),
                host_config=client.api.create_host_config(**host_config(spec)),
            )
            # The SDK has no argument for it.
            config["StopTimeout"] = STOP_TIMEOUT
            made = client.api.create_container_from_config(config, spec.name)  # type: ignore[no-untyped-call]
            container = client.containers.get(made["Id"])
            insist_on_folder(client, container, spec)
            return Container.from_inspection(container.attrs)

    def start(self, name: str) -> None:
        with self._container(name) as container:
            try:
                container.start()
            except APIError as error:
                _explain_port(container, error)
                raise

    def stop(self, name: str, *, timeout: int = 30) -> None:
        """Uploads under way have this many seconds to finish."""
        with self._container(name) as container:
            container.stop(timeout=timeout)

    def restart(self, name: str, *, timeout: int = 30) -> None:
        with self._container(name) as container:
            container.restart(timeout=timeout)

    def remove(self, name: str) -> None:
        """Stop and remove the container; directories and volumes stay, nameless ones too."""
        with self._container(name) as container:
            # Also one that is between two starts of a crash loop.
            container.stop(timeout=30)
            # By force, since Podman starts such a one again although it was told to stop it.
            container.remove(force=True)

    def remove_volume(self, name: str) -> None:
        with connect(self.base_url) as client, suppress(NotFound):
            client.volumes.get(name).remove()

    def rename(self, name: str, new: str) -> None:
        with self._container(name) as container:
            container.rename(new)

    def reload_users(self, name: str) -> bool:
        """Have it read its users file now, and wait for its word; False: it asks no such file."""
        with self._container(name) as container:
            # To a server without a users file the signal would be deadly.
            found = Container.from_inspection(container.attrs)
            if not found.is_running or not found.has_htpasswd:
                return False
            before = _log(container, tail=LOG_WINDOW)
            container.kill(signal="SIGHUP")
            _wait_for_reload(container, before)
            return True

    def logs(self, name: str, *, tail: int = 50, has_times: bool = False) -> list[str]:
        with self._container(name) as container:
            return _log(container, tail=tail, has_times=has_times)

    def recent_log(self, name: str, *, tail: int, since: int = 0) -> RecentLog | None:
        """For pages: bounded in bytes and in seconds; None without such a container."""
        with connect(self.base_url, timeout=container_logs.TIMEOUT) as client:
            found = _find(client, name)
            if found is None:
                return None
            output, is_cut = container_logs.read(client, str(found.id), tail=tail, since=since)
            lines = container_logs.lines_of(output, is_cut=is_cut)
            return RecentLog(Container.from_inspection(found.attrs), lines, is_cut)

    def uploads(self, name: str) -> int:
        """How many uploads write into its data directory; 0 where its image cannot tell."""
        with self._container(name) as container:
            if container.status != "running":
                return 0
            data = Container.from_inspection(container.attrs).data_directory
            minutes = str(-(uploads.UNDER_WAY // 60))
            found = container.exec_run(
                ["find", data, "-type", "f", "-name", f"*{uploads.MARK}*", "-mmin", minutes]
            )
            return len(cast(bytes, found.output).split()) if found.exit_code == 0 else 0

    def files(self, name: str, uid: int, gid: int) -> ContainerFiles:
        """The directory of its users file, seen from inside."""
        with self._container(name) as container:
            directory = Container.from_inspection(container.attrs).data_directory
        return ContainerFiles(self.base_url, name, directory, uid, gid)

    @contextmanager
    def _container(self, name: str) -> Iterator[DockerContainer]:
        with connect(self.base_url) as client:
            found = _find(client, name)
            if found is None:
                raise EngineError(f"There is no container called {name}.")
            yield found


def _find(client: docker.DockerClient, name: str) -> DockerContainer | None:
    try:
        found = client.containers.get(name)
    except NotFound:
        return None
    # The engine also takes the beginning of an id, which would be a stranger's.
    return found if name in {found.name, found.id} else None


def _explain_port(container: DockerContainer, error: APIError) -> None:
    """The most frequent reason of all, for which engines have only these words."""
    said = str(error.explanation)
    if "address already in use" in said or "port is already allocated" in said:
        ports = Container.from_inspection(container.attrs).ports
        where = ", ".join(f"{address}:{port}" for address, port in ports)
        raise EngineError(
            f"Another program listens at {where}. Choose another port, or stop that program."
        ) from error


def _log(container: DockerContainer, *, tail: int, has_times: bool = True) -> list[str]:
    output: bytes = container.logs(tail=tail, timestamps=has_times)
    # The container writes what it likes; a terminal would obey, and a page show its secrets.
    lines = output.decode(errors="replace").split("\n")
    return [untrusted.text(line) for line in lines if line]


def _wait_for_reload(container: DockerContainer, before: list[str]) -> None:
    """rest-server says whether it took the file, and its silence is no proof."""
    deadline = time.monotonic() + RELOADED_WITHIN
    while time.monotonic() < deadline:
        # Counted, because an engine with times in whole seconds repeats itself.
        for line in Counter(_log(container, tail=LOG_WINDOW)) - Counter(before):
            if "Reloaded htpasswd file" in line:
                return
            _, told, reason = line.partition("Could not reload htpasswd file: ")
            if told:
                raise EngineError(f"{container.name} refused the users file: {reason}.")
        time.sleep(0.01)
    raise EngineError(
        f"{container.name} did not read its users again within {RELOADED_WITHIN:g} s of being "
        "told. Its log may say why."
    )
