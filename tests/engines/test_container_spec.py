"""One container, made in three ways: by Resthouse, by a command line and by compose."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from backups.engines.container_compose import compose, quoted
from backups.engines.container_spec import WITNESS, Spec, docker_run, host_config
from backups.engines.container_state import Mount
from backups.engines.containers import Containers
from backups.engines.errors import EngineError
from backups.engines.restserver import Options
from tests.engines.conftest import Served, wait_until_live
from tests.rig import compose as rig_compose
from tests.rig import missing
from tests.rig.containers import PREFIX

Prepare = Callable[[Options], Served]
Make = Callable[[Spec], None]
# What the image's VOLUME /data becomes where the data lies elsewhere.
NAMELESS = re.compile(r"[0-9a-f]{64}")
NASTY = [
    "a b",
    "$HOME ${PATH} $$ $1",
    'it\'s "quoted" \\n \\',
    "yes",
    ": # & * ! | > % @ `",
    "- x",
    "",
    "Zoë ☃ 😀",
    "tab\tand\nline\x85\u2028\x7f",
]


@pytest.fixture(scope="session")
def compose_works(docker_client: docker.DockerClient) -> None:
    if not shutil.which("docker"):
        missing("Install the command docker: apt-get install docker.io.")
    try:
        rig_compose.Project("resthouse-test", {}).run("version")
    except RuntimeError as error:
        missing(f"Install docker compose: {error}")


@pytest.fixture
def ways(containers: Containers, tmp_path: Path, compose_works: None) -> dict[str, Make]:
    def by_shell(spec: Spec) -> None:
        line = docker_run(spec).replace("docker run --detach", "docker create", 1)
        assert line.startswith("docker create ")
        _checked(["sh", "-c", line])

    def by_compose(spec: Spec) -> None:
        file = tmp_path / f"{spec.name}.yaml"
        file.write_text(compose(spec))
        project = rig_compose.Project(f"{spec.name}", {})
        try:
            project.run("--file", str(file), "create", "--no-build", "--pull=never")
        except RuntimeError as error:
            raise EngineError(str(error)) from error

    return {"us": lambda spec: _drop(containers.create(spec)), "a": by_shell, "b": by_compose}


@pytest.fixture
def volume(docker_client: docker.DockerClient) -> Iterator[str]:
    made = docker_client.volumes.create(f"{PREFIX}volume-{os.getpid()}")
    yield str(made.name)
    made.remove(force=True)


@pytest.fixture
def network(docker_client: docker.DockerClient) -> Iterator[str]:
    name = f"{PREFIX}network-{os.getpid()}"
    made = docker_client.networks.create(name)
    yield name
    made.remove()


def _drop(_: object) -> None:
    pass


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(done.stderr)


def essence(found: dict[str, Any]) -> dict[str, Any]:
    """All that decides what a container does; what only its maker left on it is taken out."""
    config, host = found["Config"], found["HostConfig"]
    names = ["Image", "User", "Healthcheck", "StopTimeout", "Cmd", "Entrypoint", "ExposedPorts"]
    kept = {name: config.get(name) for name in names}
    kept["Env"] = sorted(config["Env"])
    kept["Labels"] = {
        name: value
        for name, value in config["Labels"].items()
        if not name.startswith("com.docker.compose.")
    }
    names = ["PortBindings", "ReadonlyRootfs", "CapDrop", "CapAdd", "SecurityOpt", "PidsLimit"]
    names += ["Memory", "RestartPolicy", "Tmpfs", "Binds", "Privileged", "LogConfig", "IpcMode"]
    names += ["Ulimits", "Dns", "ExtraHosts", "PidMode", "Devices", "NanoCpus", "GroupAdd"]
    # None, [] and {} mean the same to the engine.
    kept |= {name: host.get(name) or None for name in names}
    # Some releases of compose write the network's id; the name stands here in any case.
    kept["Networks"] = sorted(found["NetworkSettings"]["Networks"])
    names = ["Type", "Source", "Destination", "Mode", "RW", "Propagation"]
    kept["Mounts"] = sorted(
        [NAMELESS.sub("", str(mount.get(name))) for name in names] for mount in found["Mounts"]
    )
    return kept


def variant(name: str, spec: Spec, volume: str, network: str, folder: Path) -> Spec:
    folder.mkdir()
    more = (
        Mount("bind", str(folder), "/certs", is_writable=False),
        Mount("volume", volume, "/more, still", is_writable=True),
        Mount("tmpfs", "", "/scratch", is_writable=True),
    )
    nasty = {f"N{number}": value for number, value in enumerate(NASTY) if "\n" not in value}
    return {
        "plain": lambda: spec,
        "volume": lambda: replace(spec, data_directory=volume, selinux_label="z"),
        "ipv6": lambda: replace(spec, address="::1", memory_limit=64 * 2**20),
        "limits": lambda: replace(spec, memory_limit=2**28, restart_policy="on-failure:5"),
        "label z": lambda: replace(spec, selinux_label="z"),
        "label Z": lambda: replace(spec, selinux_label="Z"),
        "mounts": lambda: replace(spec, extra_mounts=more, data_target="/backup"),
        "environment": lambda: replace(
            spec, extra_environment=nasty, labels={"note": NASTY[1] + NASTY[2]}
        ),
        "network": lambda: replace(spec, network=network, port=0),
        "host": lambda: replace(spec, network="host", restart_policy="no"),
        "options": lambda: replace(spec, extra_options=("--no-verify-upload", "--debug")),
    }[name]()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain", Options(has_tls=True, tls_min_version="1.3", has_prometheus=True)),
        ("volume", Options(max_size=10**9)),
        ("ipv6", Options(is_append_only=False)),
        ("limits", Options(has_access_log=True, max_size=5 * 10**12)),
        ("label z", Options()),
        ("label Z", Options(has_private_repositories=False)),
        ("mounts", Options()),
        ("environment", Options()),
        ("network", Options(proxy_header="X-Forwarded-User")),
        ("host", Options(proxy_header="X~`'|$&#!%^.+_-")),
        ("options", Options()),
    ],
)
def test_a_container_made_by_hand_or_by_compose_equals_ours(
    name: str,
    options: Options,
    ways: dict[str, Make],
    prepare: Prepare,
    docker_client: docker.DockerClient,
    volume: str,
    network: str,
    tmp_path: Path,
) -> None:
    spec = variant(name, prepare(options).spec, volume, network, tmp_path / "more")
    made = {}

    for way, make in ways.items():
        make(spec)
        found = docker_client.api.inspect_container(spec.name)
        made[way] = essence(found)
        docker_client.containers.get(spec.name).remove(v=True)

    for key in made["us"]:
        assert made["a"][key] == made["us"][key]
        assert made["b"][key] == made["us"][key]
    assert made["us"]["ReadonlyRootfs"]
    if name.startswith("label"):
        mode = f"rw,{spec.selinux_label}"
        data = ["bind", spec.data_directory, spec.data_target, mode, "True", "rprivate"]
        assert data in made["us"]["Mounts"]


@pytest.mark.parametrize("label", ["", "z"])
@pytest.mark.parametrize("way", ["us", "a", "b"])
def test_a_folder_that_is_missing_is_refused_and_never_made(
    way: str, label: Any, ways: dict[str, Make], prepare: Prepare, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    spec = replace(prepare(Options()).spec, data_directory=str(gone), selinux_label=label)

    with pytest.raises(EngineError, match=str(gone)):
        ways[way](spec)

    assert not gone.exists()


def test_a_relabelled_server_starts_and_writes_where_the_command_line_says(
    containers: Containers, prepare: Prepare
) -> None:
    served = prepare(Options())
    spec = replace(served.spec, selinux_label="Z", data_target="/backup")

    _checked(["sh", "-c", docker_run(spec)])

    wait_until_live(served)
    found = containers.find(spec.name)
    assert found is not None
    assert found.data_directory == "/backup"
    assert {mount.target for mount in found.mounts} >= {"/backup", WITNESS}
    assert (served.directory / ".htpasswd").exists()


def test_every_text_reaches_compose_as_it_is(compose_works: None, prepare: Prepare) -> None:
    environment = {f"N{number}": value for number, value in enumerate(NASTY)}
    spec = replace(prepare(Options()).spec, extra_environment=environment)
    file = Path(f"{spec.data_directory}.yaml")
    file.write_text(compose(spec))

    read = json.loads(
        rig_compose.Project("x", {}).run("--file", str(file), "config", "--format=json")
    )

    # `config` writes a file for compose again, so it doubles each $.
    found = read["services"]["rest-server"]["environment"]
    assert {n: v.replace("$$", "$") for n, v in found.items() if n in environment} == environment
    assert quoted("a\0") == '"a\\U00000000"'


def test_what_no_container_could_keep_is_refused() -> None:
    spec = Spec("x", "x", "127.0.0.1", 8000, "", Options())

    with pytest.raises(EngineError, match="outside of the container"):
        host_config(spec)
    with pytest.raises(EngineError, match="colon"):
        host_config(replace(spec, data_directory="/srv/a:b", selinux_label="z"))


def test_secrets_of_the_environment_are_not_in_what_is_printed_by_chance() -> None:
    spec = Spec("x", "x", "::1", 1, "/x/y", Options(), extra_environment={"KEY": "hunter2"})

    assert "hunter2" not in repr(spec)
    assert spec.environment["PASSWORD_FILE"] == "/data/.htpasswd"
    assert os.path.isabs(replace(spec, data_target="/").password_file)
