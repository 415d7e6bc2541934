"""A container tried out before it is made: its folder, its port and its image, as the engine has
them, for the user that it will have."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from backups.engines.container_spec import LABEL, Spec, container_config, host_config
from backups.engines.errors import EngineError

WITHIN = 20
# Below this no repository can even be begun.
LEAST_FREE = 64 * 1024**2
_UNSURE = frozenset({"nfs", "cifs", "smb2", "smbfs", "fuseblk", "vfat", "msdos", "tmpfs", "ramfs"})
_WITNESS = ".resthouse-trial"
# Says one fact a line; the image has only the tools that busybox has as well.
_SCRIPT = f"""
cd "$DATA_DIRECTORY" || exit 3
command -v rest-server >/dev/null || exit 4
echo "owner $(stat -c '%u:%g %a' .)"
echo "kind $(stat -f -c %T . 2>/dev/null)"
echo "free $(stat -f -c '%a %S' . 2>/dev/null)"
[ -z "$(ls -A)" ] && echo "empty yes"
(: >{_WITNESS}) 2>/dev/null && rm -f {_WITNESS} && echo "writable yes"
exit 0
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the container would find; `free` in bytes."""

    file_system: str
    free: int

    @property
    def is_unsure(self) -> bool:
        """A file system that loses what was written, or locks, or owners."""
        return self.file_system in _UNSURE

    @property
    def sentence(self) -> str:
        said = f"{self.file_system or 'unknown file system'}, {self.free / 1024**3:,.1f} GiB free"
        return f"{said}; it may lose locks or owners" if self.is_unsure else said


def run(client: docker.DockerClient, spec: Spec) -> Trial:
    """Start a shell in the place of rest-server, with everything else as it will be.

    EngineError with what to do where the container could not do its work.
    """
    tried = replace(spec, name=f"{spec.name}.trial", restart_policy="no")
    facts = _ask(client, tried)
    if spec.mount_kind == "volume" and "empty" in facts and "writable" not in facts:
        # The engine has just made it, for root.
        owner = [f"{spec.uid}:{spec.gid}", spec.data_target]
        _run(client, replace(tried, uid=0, gid=0), ["chown", *owner], cap_add=["CHOWN"])
        facts = _ask(client, tried)
    return _judge(spec, facts)


def _ask(client: docker.DockerClient, spec: Spec) -> dict[str, str]:
    code, said = _run(client, spec, ["sh", "-c", _SCRIPT])
    if code:
        raise EngineError(_why(spec, code))
    return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)


def _run(
    client: docker.DockerClient, spec: Spec, command: list[str], **host: Any
) -> tuple[int, str]:
    container = _make(client, spec, command, host)
    try:
        container.start()
        code = container.wait(timeout=WITHIN)["StatusCode"]
        return int(code), container.logs().decode(errors="replace")
    except APIError as error:
        raise _refusal(spec, error) from error
    finally:
        container.remove(force=True)


def _make(
    client: docker.DockerClient, spec: Spec, command: list[str], host: dict[str, Any]
) -> DockerContainer:
    _clear_away_earlier(client, spec.name)
    config = client.api.create_container_config(
        **container_config(spec) | {"command": command, "healthcheck": None},
        host_config=client.api.create_host_config(**host_config(spec) | host),
        entrypoint=[],
    )
    try:
        made = client.api.create_container_from_config(config, spec.name)  # type: ignore[no-untyped-call]
    except NotFound as error:
        raise EngineError(f"The image {spec.image} is not on the engine.") from error
    except APIError as error:
        raise _refusal(spec, error) from error
    return client.containers.get(made["Id"])


def _clear_away_earlier(client: docker.DockerClient, name: str) -> None:
    """Of a trial that was killed half-way; anybody else's container of this name stays."""
    try:
        left = client.containers.get(name)
    except NotFound:
        return
    if left.name != name:
        return
    if left.labels.get(LABEL) != name:
        raise EngineError(f"A container called {name} is in the way. Remove or rename it.")
    left.remove(force=True)


def _refusal(spec: Spec, error: APIError) -> EngineError:
    said = str(error.explanation)
    if "source path does not exist" in said or "no such file or directory" in said.lower():
        return EngineError(
            f"There is no folder {spec.data_directory} on the machine of the engine. Make it: "
            f"sudo install -d -o {spec.uid} -g {spec.gid} {spec.data_directory}"
        )
    if "address already in use" in said or "already allocated" in said:
        return EngineError(
            f"Another program listens at {spec.address}:{spec.port}. Choose another port, or stop "
            "that program."
        )
    if "cannot assign requested address" in said:
        return EngineError(
            f"The machine of the engine has no address {spec.address}. Take one of its own, "
            "127.0.0.1 or 0.0.0.0."
        )
    return EngineError(f"The container engine refused: {said.strip().rstrip('.')[:500]}.")


def _why(spec: Spec, code: int) -> str:
    if code == 3:
        return _not_writable(spec, "")
    if code in {4, 126, 127}:
        return f"There is no rest-server in the image {spec.image}. Choose another one."
    return f"The image {spec.image} cannot be started here: its shell ended with status {code}."


def _judge(spec: Spec, facts: dict[str, str]) -> Trial:
    if "writable" not in facts:
        raise EngineError(_not_writable(spec, facts.get("owner", "")))
    # Blocks, and their size.
    free = [int(number) for number in facts.get("free", "").split() if number.isdecimal()]
    trial = Trial(facts.get("kind", ""), prod(free) if len(free) == 2 else 0)
    if trial.free < LEAST_FREE:
        raise EngineError(
            f"There is no room where {spec.data_directory} lies ({trial.sentence}). Free some, or "
            "choose another folder."
        )
    return trial


def _not_writable(spec: Spec, owner: str) -> str:
    whose = f" It belongs to {owner.split()[0]}." if owner else ""
    if not spec.data_directory.startswith("/"):
        return (
            f"User {spec.uid} of the container may not write to the volume {spec.data_directory}."
            f"{whose} Choose an empty volume, or the user that owns it."
        )
    return (
        f"User {spec.uid} of the container may not write to {spec.data_directory}.{whose} Give it "
        f"the folder, sudo chown {spec.uid}:{spec.gid} {spec.data_directory}, or choose the user "
        "that owns it."
    )
