"""A compose file that makes an equal container without Resthouse."""

from collections.abc import Iterator

from backups.engines.container_spec import (
    HEALTH_CHECK,
    HEALTH_INTERVAL,
    HEALTH_RETRIES,
    HEALTH_START,
    HEALTH_TIMEOUT,
    MAX_PROCESSES,
    PORT,
    STOP_TIMEOUT,
    TEMPORARY,
    Spec,
)
from backups.engines.container_state import Mount

SERVICE = "rest-server"
# What the engine has itself; every other network exists already and has a name.
_BUILT_IN = frozenset({"bridge", "host", "none", "default"})
# YAML's own escapes; every other character that is not printable goes by its number.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def compose(spec: Spec, *, is_public: bool = False) -> str:
    """The text of compose.yaml; volumes and networks that it names exist before.

    `is_public` as in docker_run.
    """
    lines = ["services:", f"  {SERVICE}:"]
    lines += [f"    {line}" for line in _service(spec, is_public=is_public)]
    lines += _outside(spec)
    return "".join(f"{line}\n" for line in lines)


def quoted(text: str) -> str:
    """As a YAML scalar in quotation marks; compose would replace a single $ by a variable."""
    return f'"{"".join(map(_escaped, text.replace("$", "$$")))}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _service(spec: Spec, *, is_public: bool) -> Iterator[str]:
    yield f"image: {quoted(spec.image)}"
    yield f"container_name: {quoted(spec.name)}"
    yield f"user: {quoted(spec.user)}"
    yield f"restart: {quoted(spec.restart_policy)}"
    yield f"stop_grace_period: {STOP_TIMEOUT}s"
    yield "read_only: true"
    yield from _list("tmpfs", f"/tmp:{TEMPORARY}")  # noqa: S108
    yield from _list("cap_drop", "ALL")
    yield from _list("security_opt", "no-new-privileges")
    yield f"pids_limit: {MAX_PROCESSES}"
    if spec.memory_limit:
        yield f"mem_limit: {spec.memory_limit}"
    hidden = set(spec.extra_environment) if is_public else set()
    variables = (n if n in hidden else f"{n}={v}" for n, v in spec.environment.items())
    yield from _list("environment", *variables)
    yield from _list("labels", *(f"{n}={v}" for n, v in spec.all_labels.items()))
    yield from _reached(spec)
    yield "volumes:"
    if spec.relabelled:
        yield f"  - {quoted(spec.relabelled)}"
    for mount in spec.mounts:
        yield from _mounted(mount)
    yield "healthcheck:"
    yield f'  test: ["CMD-SHELL", {quoted(HEALTH_CHECK)}]'
    yield f"  interval: {HEALTH_INTERVAL}s"
    yield f"  timeout: {HEALTH_TIMEOUT}s"
    yield f"  retries: {HEALTH_RETRIES}"
    yield f"  start_period: {HEALTH_START}s"


def _list(name: str, *values: str) -> Iterator[str]:
    yield f"{name}:"
    yield from (f"  - {quoted(value)}" for value in values)


def _reached(spec: Spec) -> Iterator[str]:
    if spec.is_published:
        yield "ports:"
        yield f"  - target: {PORT}"
        yield f"    host_ip: {quoted(spec.address)}"
        yield f"    published: {quoted(str(spec.port))}"
    else:
        yield from _list("expose", f"{PORT}/tcp")
    # Left out, compose would make a network of its own.
    if _names_network(spec):
        yield from _list("networks", "outside")
    else:
        yield f"network_mode: {quoted(spec.network or 'bridge')}"


def _mounted(mount: Mount) -> Iterator[str]:
    yield f"  - type: {mount.kind}"
    if mount.source:
        yield f"    source: {quoted(mount.source)}"
    yield f"    target: {quoted(mount.target)}"
    if not mount.is_writable:
        yield "    read_only: true"
    if mount.kind == "bind":
        # Else compose has a folder made that is missing, owned by root.
        yield "    bind:"
        yield "      create_host_path: false"


def _outside(spec: Spec) -> Iterator[str]:
    """What is there before, so that an empty volume never stands in for that with the backups."""
    volumes = [mount.source for mount in spec.mounts if mount.kind == "volume" and mount.source]
    if volumes:
        yield "volumes:"
        for name in dict.fromkeys(volumes):
            yield f"  {quoted(name)}:"
            yield f"    name: {quoted(name)}"
            yield "    external: true"
    if _names_network(spec):
        yield "networks:"
        yield "  outside:"
        yield f"    name: {quoted(spec.network)}"
        yield "    external: true"


def _names_network(spec: Spec) -> bool:
    return bool(spec.network) and spec.network not in _BUILT_IN and ":" not in spec.network
