"""A container that runs, read back into what would have been wanted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backups.engines import untrusted
from backups.engines.container_spec import HEALTH_CHECK, LABEL, PORT, WITNESS, Spec
from backups.engines.container_state import DATA_DIRECTORY, PASSWORD_FILE, Container, Mount
from backups.engines.errors import EngineError
from backups.engines.restserver_options import Options

# What Resthouse sets itself, and what every image brings.
_OWN_VARIABLES = frozenset({"DATA_DIRECTORY", "PASSWORD_FILE", "OPTIONS"})
# Podman brings them into every container.
_PODMANS = frozenset({"container", "HOME", "HOSTNAME", "TERM"})
_COMPOSE = "com.docker.compose."
_HOUSE = "resthouse."
_ENTRY_POINTS = re.compile(r"(?:.*/)?(?:docker-)?entrypoint(?:\.sh)?")
# Where rest-server puts its data when nobody says where.
_OWN_TARGET = "/tmp/restic"  # noqa: S108
_ARGUMENTS = frozenset({"--path", "--htpasswd-file", "--listen"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The Spec of a container that somebody made, and what of the safe shape it has not."""

    spec: Spec
    loose: tuple[str, ...]
    project: str
    # What no Spec holds, and a container made anew would not have.
    left_out: tuple[str, ...] = ()
    # Fields of the Spec of which the engine says nothing.
    untold: frozenset[str] = frozenset()
    # Where it is published besides.
    other_ports: tuple[str, ...] = ()


def read(inspection: dict[str, Any], image: dict[str, Any] | None = None) -> Reading:
    """What the engine says of it, as a Spec; EngineError where none could make its equal.

    `image` is the inspection of its image, whose own variables and command say nothing here.
    """
    container = Container.from_inspection(inspection)
    host, config = inspection["HostConfig"], inspection["Config"]
    own = (image or {}).get("Config") or {}
    words, target = _command(container, own)
    options, extra = Options.of_words(list(_without_arguments(words)))
    data, others = _data_of(container, target)
    uid, gid = _user(container.user)
    (address, port), *others_reach = _published(host, inspection)
    network = str(host.get("NetworkMode", ""))
    spec = Spec(
        name=container.name,
        image=_image_of(container, image),
        address=address,
        port=port,
        data_directory=data.source,
        options=options,
        uid=uid,
        gid=gid,
        memory_limit=host.get("Memory") or None,
        restart_policy=_policy(host.get("RestartPolicy") or {}),
        labels=dict(_labels(container, own)),
        selinux_label=_selinux_label(host, data),  # type: ignore[arg-type]
        data_target=target,
        extra_options=extra,
        extra_environment=dict(_foreign_variables(container.environment, own)),
        extra_mounts=tuple(others),
        network="" if network in {"default", "bridge"} else network,
    )
    project = container.labels.get(f"{_COMPOSE}project", "")
    # A running container of Podman has its data relabelled and says so no more; its witness stays.
    is_relabelled = any(mount.target == WITNESS for mount in container.mounts)
    untold = {"selinux_label"} if is_relabelled and not spec.selinux_label else set()
    ports = tuple(f"{where}:{number}" for where, number in others_reach)
    return Reading(
        spec,
        tuple(_loose(host, config)),
        project,
        left_out=tuple(_left_out(host, inspection)),
        untold=frozenset(untold),
        other_ports=ports,
    )


def _command(container: Container, own: dict[str, Any]) -> tuple[list[str], str]:
    """The words that rest-server gets, and where its data lies."""
    environment = container.environment
    words = _arguments(container, own)
    if words is None:
        # The entry point of the image makes them of the environment.
        words = environment.get("OPTIONS", "").split()
        target = _value(words, "--path") or environment.get("DATA_DIRECTORY") or DATA_DIRECTORY
        file = environment.get("PASSWORD_FILE") or PASSWORD_FILE
    else:
        target = _value(words, "--path") or _OWN_TARGET
        file = f"{target.rstrip('/')}/.htpasswd"
    _insist_on_usual(words, _value(words, "--htpasswd-file") or file, target)
    return words, target


def _arguments(container: Container, own: dict[str, Any]) -> list[str] | None:
    """What stands behind rest-server where somebody gave it a command of its own."""
    brought = [*_list(own.get("Entrypoint")), *_list(own.get("Cmd"))]
    words = list(container.command)
    if not words or words == brought or all(_ENTRY_POINTS.fullmatch(word) for word in words):
        return None
    for position, word in enumerate(words):
        if word.rpartition("/")[2] in {"rest-server", "restic-rest-server"}:
            return words[position + 1 :]
    # The others may hold secrets.
    first = untrusted.text(words[0])[:60]
    raise EngineError(
        f"{container.name} is started by a command of its own, {first}, which Resthouse cannot "
        "read. Have it start rest-server itself, or the image's entry point."
    )


def _value(words: list[str], name: str) -> str:
    """The last one counts, as rest-server has it."""
    found = ""
    for position, word in enumerate(words):
        head, sign, value = word.partition("=")
        if head == name:
            following = words[position + 1] if position + 1 < len(words) else ""
            found = value if sign else following
    return found


def _without_arguments(words: list[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        head, sign, _ = word.partition("=")
        if head not in _ARGUMENTS:
            yield word
        elif not sign:
            next(rest, "")


def _insist_on_usual(words: list[str], file: str, target: str) -> None:
    listen = _value(words, "--listen")
    if listen and listen.rpartition(":")[2] != str(PORT):
        raise EngineError(
            f"It listens at {listen} inside its container, Resthouse knows port {PORT} alone. "
            "Take --listen away, and publish the port that you want."
        )
    if file != f"{target.rstrip('/')}/.htpasswd":
        raise EngineError(
            f"Its users are read from {file}, Resthouse keeps them beside the data, in "
            f"{target}/.htpasswd. Move the file there first."
        )


def _data_of(container: Container, target: str) -> tuple[Mount, list[Mount]]:
    mounts = [mount for mount in container.mounts if mount.target != WITNESS]
    data = next((mount for mount in mounts if mount.target == target), None)
    if data is None or data.kind not in {"bind", "volume"}:
        raise EngineError(
            f"The data of {container.name} lies inside the container itself and would be lost "
            f"with it. Copy it out first: docker cp {container.name}:{target} FOLDER"
        )
    return data, [mount for mount in mounts if mount != data and mount.kind != "tmpfs"]


def _selinux_label(host: dict[str, Any], data: Mount) -> str:
    for bind in host.get("Binds") or []:
        source, _, rest = bind.partition(":")
        flags = rest.partition(":")[2].split(",")
        if source == data.source:
            return next((flag for flag in flags if flag in {"z", "Z"}), "")
    return ""


def _user(user: str) -> tuple[int, int]:
    name, _, group = user.partition(":")
    if name in {"", "root"} and group in {"", "root", "0"}:
        return 0, 0
    if name.isdecimal() and (group.isdecimal() or not group):
        return int(name), int(group or 0)
    raise EngineError(f"It runs as {user}. Give it its user by number, such as 1000:1000.")


def _published(host: dict[str, Any], inspection: dict[str, Any]) -> list[tuple[str, int]]:
    """Where hosts reach it; EngineError where nowhere."""
    if str(host.get("NetworkMode", "")) == "host":
        return [("0.0.0.0", PORT)]  # noqa: S104
    asked = (host.get("PortBindings") or {}).get(f"{PORT}/tcp") or []
    live = ((inspection.get("NetworkSettings") or {}).get("Ports") or {}).get(f"{PORT}/tcp") or []
    # Of a range, or of any port, somebody asked for one; which, the running container knows.
    chosen = iter(dict.fromkeys(one["HostPort"] for one in live if one.get("HostPort")))
    found = []
    for listener in asked:
        port = str(listener.get("HostPort") or "")
        port = port if port.isdecimal() and port != "0" else next(chosen, "")
        if port:
            found.append((listener.get("HostIp") or "0.0.0.0", int(port)))  # noqa: S104
    if not found:
        raise EngineError(
            f"It publishes its port {PORT} nowhere, so nothing could be proven on it. Publish it, "
            "on 127.0.0.1 for example, or adopt the one that hosts reach."
        )
    return found


def _image_of(container: Container, image: dict[str, Any] | None) -> str:
    if not container.image.startswith("sha256:") and len(container.image) != 64:
        return container.image
    tags = (image or {}).get("RepoTags") or []
    return tags[0] if tags else container.image


def _policy(policy: dict[str, Any]) -> str:
    name, retries = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{retries}" if name == "on-failure" and retries else name


def _labels(container: Container, own: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Without those of the image, of compose, which makes its own, and ours."""
    brought = own.get("Labels") or {}
    for name, value in container.labels.items():
        if brought.get(name) != value and not name.startswith((_COMPOSE, _HOUSE, LABEL)):
            yield name, value


def _foreign_variables(
    environment: dict[str, str], own: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    brought = set(own.get("Env") or [])
    others = _OWN_VARIABLES | (_PODMANS if environment.get("container") == "podman" else set())
    for name, value in environment.items():
        if name not in others and f"{name}={value}" not in brought:
            yield name, value


_LEFT_OUT = {
    "CapAdd": "capabilities of its own",
    "Devices": "devices",
    "Dns": "name servers",
    "ExtraHosts": "names of hosts",
    "Links": "links to containers",
    "Sysctls": "settings of the kernel",
    "VolumesFrom": "volumes of another container",
}


def _left_out(host: dict[str, Any], inspection: dict[str, Any]) -> Iterator[str]:
    for field, word in _LEFT_OUT.items():
        if host.get(field):
            yield word
    if len((inspection.get("NetworkSettings") or {}).get("Networks") or {}) > 1:
        yield "further networks"


def _loose(host: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    if host.get("Privileged"):
        yield "any limit (privileged)"
    if not host.get("ReadonlyRootfs"):
        yield "a read-only root"
    # Podman has the word ALL as a list of all there are.
    if "ALL" not in (dropped := host.get("CapDrop") or []) and len(dropped) < 10:
        yield "its capabilities dropped"
    if not any("no-new-privileges" in one for one in host.get("SecurityOpt") or []):
        yield "no-new-privileges"
    if not host.get("PidsLimit"):
        yield "a limit of processes"
    check = (config.get("Healthcheck") or {}).get("Test") or []
    if HEALTH_CHECK not in check:
        yield "its health check"


def _list(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else list(value or [])
