"""A container that is wanted: safe by default, and equal to a `docker run` that anybody can do."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from backups.engines.container_state import DATA_DIRECTORY, Mount
from backups.engines.errors import EngineError
from backups.engines.restserver_options import Options

LABEL = "resthouse.server"
PORT = 8000
SECOND = 1_000_000_000
# docker's own 10 s would cut uploads; rest-server waits for those under way.
STOP_TIMEOUT = 60
MAX_PROCESSES = 512
TEMPORARY = "rw,noexec,nosuid,nodev,size=16m"

# rest-server has no health address: it refuses strangers with 401, plain HTTP under TLS with 400,
# and where it asks nobody "/" with 405. Only who is alive can refuse; wget would call it a failure.
HEALTH_CHECK = (
    f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 {PORT} | head -n 1 | grep -Eq ' 40[015] '"
)
HEALTH_INTERVAL, HEALTH_TIMEOUT, HEALTH_RETRIES, HEALTH_START = 30, 5, 3, 10

# Only a bind written SOURCE:TARGET:z relabels for SELinux, and such a bind makes a folder that is
# missing, owned by root. The same folder mounted here as well has the engine refuse that.
WITNESS = "/mnt/must-exist"


@dataclass(frozen=True, slots=True)
class Spec:
    """One rest-server container and where its data lies; a name without '/' is a volume."""

    name: str
    image: str
    address: str
    # 0: not published; then only containers of its network reach it.
    port: int
    data_directory: str
    options: Options
    uid: int = 1000
    gid: int = 1000
    memory_limit: int | None = None
    # As `docker run --restart` takes it, also on-failure:5.
    restart_policy: str = "unless-stopped"
    labels: dict[str, str] = field(default_factory=dict)
    selinux_label: Literal["", "z", "Z"] = ""
    # Where the data lies inside; the users file lies in it.
    data_target: str = DATA_DIRECTORY
    # Words of OPTIONS that Resthouse has no switch for.
    extra_options: tuple[str, ...] = ()
    # May hold secrets; goes before what Resthouse sets itself.
    extra_environment: dict[str, str] = field(default_factory=dict, repr=False)
    extra_mounts: tuple[Mount, ...] = ()
    # A network of the engine, or "host"; empty: the engine's usual one.
    network: str = ""

    @property
    def user(self) -> str:
        return f"{self.uid}:{self.gid}"

    @property
    def password_file(self) -> str:
        return f"{self.data_target.rstrip('/')}/.htpasswd"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATA_DIRECTORY": self.data_target,
            "PASSWORD_FILE": self.password_file,
            "OPTIONS": " ".join(filter(None, [self.options.render(), *self.extra_options])),
            **self.extra_environment,
        }

    @property
    def all_labels(self) -> dict[str, str]:
        return {**self.labels, LABEL: self.name}

    @property
    def mount_kind(self) -> Literal["bind", "volume"]:
        return "bind" if self.data_directory.startswith("/") else "volume"

    @property
    def is_published(self) -> bool:
        """On the network of the host, or of another container, there is nothing to publish."""
        return bool(self.port) and self.network != "host" and ":" not in self.network

    @property
    def relabelled(self) -> str:
        """The bind that relabels the data for SELinux; volumes the engine labels by itself."""
        if not self.selinux_label or self.mount_kind == "volume":
            return ""
        if ":" in self.data_directory + self.data_target:
            raise EngineError("A path with a colon cannot be relabelled for SELinux.")
        # With rw, because compose writes it so, and equal is equal.
        return f"{self.data_directory}:{self.data_target}:rw,{self.selinux_label}"

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """All that are written without a label, of which none is made when it is missing."""
        if not self.data_directory:
            raise EngineError(f"Say where the data of {self.name} lies, outside of the container.")
        if self.relabelled:
            data = Mount("bind", self.data_directory, WITNESS, is_writable=False)
        else:
            data = Mount(self.mount_kind, self.data_directory, self.data_target, is_writable=True)
        return data, *self.extra_mounts


def host_config(spec: Spec) -> dict[str, Any]:
    """What the SDK's create_host_config takes."""
    # Here, because every command loads the models, which know this module, and few need the SDK.
    from docker.types import Mount as DockerMount

    policy, _, retries = spec.restart_policy.partition(":")
    arguments = {
        # mounts=, because volumes= would make a missing directory, owned by root.
        "mounts": [
            DockerMount(
                mount.target,
                mount.source or None,
                cast(Literal["bind", "volume", "tmpfs"], mount.kind),
                not mount.is_writable,
            )
            for mount in spec.mounts
        ],
        "restart_policy": {"Name": policy, "MaximumRetryCount": int(retries or 0)},
        "read_only": True,
        "tmpfs": {"/tmp": TEMPORARY},  # noqa: S108
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": MAX_PROCESSES,
    }
    optional = {
        "port_bindings": {PORT: (spec.address, spec.port)} if spec.is_published else None,
        "binds": [spec.relabelled] if spec.relabelled else None,
        "mem_limit": spec.memory_limit,
        "network_mode": spec.network,
    }
    return arguments | {name: value for name, value in optional.items() if value}


def container_config(spec: Spec) -> dict[str, Any]:
    """What the SDK's create_container_config takes, without the host's part."""
    return {
        "image": spec.image,
        "command": None,
        "user": spec.user,
        "environment": spec.environment,
        "labels": spec.all_labels,
        "ports": [PORT],
        "healthcheck": {
            "test": ["CMD-SHELL", HEALTH_CHECK],
            "interval": HEALTH_INTERVAL * SECOND,
            "timeout": HEALTH_TIMEOUT * SECOND,
            "retries": HEALTH_RETRIES,
            "start_period": HEALTH_START * SECOND,
        },
    }


def docker_run(spec: Spec, *, is_public: bool = False) -> str:
    """The command that makes an equal container without Resthouse.

    Where it `is_public`, what others set in its environment is named only, since it may be secret:
    docker then takes it from the environment of whoever runs the command.
    """
    words = ["docker", "run", "--detach", "--name", spec.name, *_reached(spec), *_mounted(spec)]
    words += ["--user", spec.user, "--restart", spec.restart_policy]
    words += ["--read-only", "--tmpfs", f"/tmp:{TEMPORARY}", "--cap-drop", "ALL"]  # noqa: S108
    words += ["--security-opt", "no-new-privileges", "--pids-limit", str(MAX_PROCESSES)]
    words += ["--stop-timeout", str(STOP_TIMEOUT)]
    if spec.memory_limit:
        words += ["--memory", str(spec.memory_limit)]
    for name, value in spec.environment.items():
        is_hidden = is_public and name in spec.extra_environment
        words += ["--env", name if is_hidden else f"{name}={value}"]
    for name, value in spec.all_labels.items():
        words += ["--label", f"{name}={value}"]
    words += ["--health-cmd", HEALTH_CHECK, "--health-interval", f"{HEALTH_INTERVAL}s"]
    words += ["--health-timeout", f"{HEALTH_TIMEOUT}s", "--health-retries", str(HEALTH_RETRIES)]
    words += ["--health-start-period", f"{HEALTH_START}s", spec.image]
    return shlex.join(words)


def _reached(spec: Spec) -> Iterator[str]:
    if spec.is_published:
        address = f"[{spec.address}]" if ":" in spec.address else spec.address
        yield from ("--publish", f"{address}:{spec.port}:{PORT}")
    else:
        yield from ("--expose", str(PORT))
    if spec.network:
        yield from ("--network", spec.network)


def _mounted(spec: Spec) -> Iterator[str]:
    if spec.relabelled:
        yield from ("--volume", spec.relabelled)
    for mount in spec.mounts:
        fields = [f"type={mount.kind}", f"source={mount.source}", f"target={mount.target}"]
        if not mount.source:
            del fields[1]
        if not mount.is_writable:
            fields.append("readonly")
        yield from ("--mount", ",".join(map(_csv, fields)))


def _csv(text: str) -> str:
    """A field as docker's CSV reader takes it."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\n\r') else text
