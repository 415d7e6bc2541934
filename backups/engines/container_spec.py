"""A container that is wanted: safe by default, and equal to a `docker run` that anybody can do."""

import shlex
from dataclasses import dataclass, field
from typing import Any, Literal

from backups.engines.container_state import DATA_DIRECTORY, PASSWORD_FILE
from backups.engines.restserver_options import Options

LABEL = "resthouse.server"
PORT = 8000
SECOND = 1_000_000_000
# docker's own 10 s would cut uploads; rest-server waits for those under way.
STOP_TIMEOUT = 60
MAX_PROCESSES = 512
TEMPORARY = "rw,noexec,nosuid,nodev,size=16m"

# rest-server has no health address: it refuses strangers with 401, and under TLS plain HTTP with
# 400. Only who is alive can refuse; wget would take the refusal for a failure.
HEALTH_CHECK = (
    f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 {PORT} | head -n 1 | grep -Eq ' 40[01] '"
)
HEALTH_INTERVAL, HEALTH_TIMEOUT, HEALTH_RETRIES, HEALTH_START = 30, 5, 3, 10


@dataclass(frozen=True, slots=True)
class Spec:
    """One rest-server container and where its data lies; a name without '/' is a volume."""

    name: str
    image: str
    address: str
    port: int
    data_directory: str
    options: Options
    uid: int = 1000
    gid: int = 1000
    memory_limit: int | None = None
    restart_policy: str = "unless-stopped"
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def user(self) -> str:
        return f"{self.uid}:{self.gid}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATA_DIRECTORY": DATA_DIRECTORY,
            "PASSWORD_FILE": PASSWORD_FILE,
            "OPTIONS": self.options.render(),
        }

    @property
    def all_labels(self) -> dict[str, str]:
        return {**self.labels, LABEL: self.name}

    @property
    def mount_kind(self) -> Literal["bind", "volume"]:
        return "bind" if self.data_directory.startswith("/") else "volume"


def host_config(spec: Spec) -> dict[str, Any]:
    """What the SDK's create_host_config takes."""
    # Here, because every command loads the models, which know this module, and few need the SDK.
    from docker.types import Mount

    # mounts=, because volumes= would make a missing directory, owned by root.
    mount = Mount(target=DATA_DIRECTORY, source=spec.data_directory, type=spec.mount_kind)
    arguments = {
        "mounts": [mount],
        "port_bindings": {PORT: (spec.address, spec.port)},
        "restart_policy": {"Name": spec.restart_policy},
        "read_only": True,
        "tmpfs": {"/tmp": TEMPORARY},  # noqa: S108
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": MAX_PROCESSES,
    }
    return arguments | ({"mem_limit": spec.memory_limit} if spec.memory_limit else {})


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


def docker_run(spec: Spec) -> str:
    """The command that makes an equal container without Resthouse."""
    address = f"[{spec.address}]" if ":" in spec.address else spec.address
    mount = f"type={spec.mount_kind},source={spec.data_directory},target={DATA_DIRECTORY}"
    words = ["docker", "run", "--detach", "--name", spec.name]
    words += ["--publish", f"{address}:{spec.port}:{PORT}", "--mount", mount]
    words += ["--user", spec.user, "--restart", spec.restart_policy]
    words += ["--read-only", "--tmpfs", f"/tmp:{TEMPORARY}", "--cap-drop", "ALL"]  # noqa: S108
    words += ["--security-opt", "no-new-privileges", "--pids-limit", str(MAX_PROCESSES)]
    words += ["--stop-timeout", str(STOP_TIMEOUT)]
    if spec.memory_limit:
        words += ["--memory", str(spec.memory_limit)]
    for name, value in spec.environment.items():
        words += ["--env", f"{name}={value}"]
    for name, value in spec.all_labels.items():
        words += ["--label", f"{name}={value}"]
    words += ["--health-cmd", HEALTH_CHECK, "--health-interval", f"{HEALTH_INTERVAL}s"]
    words += ["--health-timeout", f"{HEALTH_TIMEOUT}s", "--health-retries", str(HEALTH_RETRIES)]
    words += ["--health-start-period", f"{HEALTH_START}s", spec.image]
    return shlex.join(words)
