"""A container as the engine describes it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from backups.engines.data_directory import overlap

DATA_DIRECTORY = "/data"
PASSWORD_FILE = "/data/.htpasswd"  # noqa: S105
# Podman's word until it has cleaned up after an end, for which Docker has none.
_STATES = {"stopped": "exited"}
# Nothing in the engine's answer stands for "never" but this year.
_NEVER = "0001-"


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory or volume inside the container."""

    kind: str
    source: str
    target: str
    is_writable: bool


@dataclass(frozen=True, slots=True)
class Container:
    """What exists and how it is; asked anew each time, never kept."""

    id: str
    name: str
    image: str
    image_id: str
    state: str
    health: str
    started: datetime | None
    exit_code: int
    restart_count: int
    ports: tuple[tuple[str, int], ...]
    mounts: tuple[Mount, ...]
    # May hold secrets of others.
    environment: dict[str, str] = field(repr=False)
    command: tuple[str, ...]
    user: str
    labels: dict[str, str]
    error: str
    is_out_of_memory: bool

    @classmethod
    def from_inspection(cls, found: dict[str, Any]) -> "Container":
        state, config = found["State"], found["Config"]
        status = state.get("Status", "")
        return cls(
            id=found["Id"],
            name=found["Name"].removeprefix("/"),
            image=config.get("Image", ""),
            image_id=found.get("Image", ""),
            state=_STATES.get(status, status),
            health=(state.get("Health") or {}).get("Status", ""),
            started=_time(state.get("StartedAt", "")),
            exit_code=state.get("ExitCode", 0),
            restart_count=found.get("RestartCount", 0),
            ports=tuple(_ports(found)),
            # The engine has them in another order each time.
            mounts=tuple(sorted(_mounts(found), key=lambda mount: mount.target)),
            environment=dict(_variables(config.get("Env") or [])),
            command=(*_words(config.get("Entrypoint")), *_words(config.get("Cmd"))),
            user=config.get("User", ""),
            labels=config.get("Labels") or {},
            error=state.get("Error", ""),
            is_out_of_memory=bool(state.get("OOMKilled")),
        )

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    def has_part_of(self, folder: str) -> bool:
        """Whether it reaches the folder of the engine's machine, or something in it."""
        binds = (mount.source for mount in self.mounts if mount.kind == "bind")
        return any(overlap(folder, source) for source in binds)

    @property
    def data_directory(self) -> str:
        """Where the users file lies, inside the container."""
        return str(PurePosixPath(self.environment.get("PASSWORD_FILE") or PASSWORD_FILE).parent)

    @property
    def is_rest_server(self) -> bool:
        """By its image, its command, or the two marks of the public image."""
        names = [self.image, *self.command]
        if any("rest-server" in name for name in names):
            return True
        targets = {mount.target for mount in self.mounts}
        return DATA_DIRECTORY in targets and "PASSWORD_FILE" in self.environment

    @property
    def has_htpasswd(self) -> bool:
        """Whether it asks the users file: only then does it survive a SIGHUP."""
        if self.environment.get("DISABLE_AUTHENTICATION"):
            return False
        words = [*self.command, *self.environment.get("OPTIONS", "").split()]
        others = ("--no-auth", "--proxy-auth-username")
        return not any(word.strip("\"'").startswith(others) for word in words)

    @property
    def exit_reason(self) -> str:
        """Why it does not run, as a sentence."""
        if self.error:
            return f"The engine could not start it: {self.error}."
        if self.is_out_of_memory:
            return "It used up its memory limit and was killed."
        meanings = {
            0: "It was stopped.",
            1: "rest-server refused its options, its users file or its certificate; its log says "
            "which.",
            2: "rest-server crashed; its log says where.",
            126: "Its command could not be run.",
            127: "Its command is not in the image.",
            137: "It was killed before it had finished.",
            143: "It was stopped before rest-server had started.",
        }
        return meanings.get(self.exit_code, f"It ended with status {self.exit_code}.")


def _words(value: list[str] | str | None) -> list[str]:
    return value.split() if isinstance(value, str) else value or []


def _time(text: str) -> datetime | None:
    if not text or text.startswith(_NEVER):
        return None
    # Engines give nanoseconds, of which Python 3.11 drops what it cannot hold.
    return datetime.fromisoformat(text)


def _variables(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition("=")
        yield name, value


def _mounts(found: dict[str, Any]) -> Iterator[Mount]:
    for mount in found.get("Mounts") or []:
        kind = mount.get("Type", "")
        source = mount.get("Name") if kind == "volume" else mount.get("Source")
        yield Mount(kind, source or "", mount.get("Destination", ""), bool(mount.get("RW")))


def _ports(found: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Published ones: as they are when it runs, as they were asked for when it does not."""
    live = (found.get("NetworkSettings") or {}).get("Ports") or {}
    wanted = (found.get("HostConfig") or {}).get("PortBindings") or {}
    bindings = live if any(live.values()) else wanted
    for listeners in bindings.values():
        for listener in listeners or []:
            # Of a range somebody asked for one; which, only the running container knows.
            if (port := str(listener.get("HostPort") or "")).isdecimal():
                yield listener.get("HostIp") or "0.0.0.0", int(port)  # noqa: S104
