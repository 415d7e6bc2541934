"""What the rest of Resthouse relies on of an engine: the same on the fake, Docker and Podman."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from backups.engines import uploads
from backups.engines.container_state import Container, Mount
from backups.engines.containers import Containers, Spec
from backups.engines.errors import EngineError
from backups.engines.restserver import Options
from tests.rig.containers import PREFIX
from tests.rig.fake_engine import FakeEngine
from tests.rig.waiting import wait_until

Engine = Containers | FakeEngine
IMAGE = "resthouse/rest-server:test"


@pytest.fixture(params=["fake", "docker", "podman"])
def containers(request: pytest.FixtureRequest, spec: Spec) -> Iterator[Engine]:
    if request.param == "fake":
        yield FakeEngine({IMAGE: "sha256:1"})
    elif request.param == "docker":
        request.getfixturevalue("server_image")
        with cleared_away(request.getfixturevalue("docker_client"), spec.name):
            yield Containers()
    else:
        address = request.getfixturevalue("podman")
        # Asked for its version, as a client is wont to do, Podman takes half a second.
        with (
            closing(docker.DockerClient(address, version="1.41")) as client,
            cleared_away(client, spec.name),
        ):
            yield Containers(address)


@contextmanager
def cleared_away(client: docker.DockerClient, name: str) -> Iterator[None]:
    """Containers of this name, with or without a suffix, and their volumes."""
    yield
    volumes = set()
    for container in client.containers.list(all=True, filters={"name": f"^/?{name}(-|$)"}):
        volumes |= {mount.get("Name") for mount in container.attrs["Mounts"]}
        container.remove(force=True, v=True)
    for volume in client.volumes.list():
        if volume.name in volumes:
            volume.remove()


@pytest.fixture
def spec(free_port: Callable[[], int], tmp_path: Path) -> Spec:
    """A server that could be made, with a directory that its user owns."""
    port = free_port()
    directory = tmp_path / "data"
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, 1000, 1000)
    owner = directory.stat()
    return Spec(
        name=f"{PREFIX}{port}",
        image=IMAGE,
        address="127.0.0.1",
        port=port,
        data_directory=str(directory),
        options=Options(),
        uid=owner.st_uid,
        gid=owner.st_gid,
        labels={"test": "contract"},
    )


def look(containers: Engine, name: str) -> Container:
    found = containers.find(name)
    assert found is not None
    return found


def run(containers: Engine, spec: Spec) -> Container:
    """Make and start it, and wait until rest-server is ready for signals."""
    containers.create(spec)
    containers.start(spec.name)

    def is_ready() -> bool:
        return any("start server on" in line for line in containers.logs(spec.name))

    wait_until(is_ready, 30)
    return look(containers, spec.name)


def wait_until_ended(containers: Engine, name: str) -> Container:
    """As it was when it had ended; by now it may run again, and end again."""
    seen: list[Container] = []

    def has_ended() -> bool:
        seen.append(look(containers, name))
        return seen[-1].exit_code != 0

    wait_until(has_ended, 20)
    return seen[-1]


def refusal(verb: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(EngineError) as error:
        verb(*arguments)
    return str(error.value)


def test_the_fake_has_the_interface_of_the_real_engine() -> None:
    verbs = {name for name, _ in inspect.getmembers(FakeEngine, inspect.isfunction)}

    for name in verbs:
        if not name.startswith("_"):
            real = inspect.signature(getattr(Containers, name))
            mine = inspect.signature(getattr(FakeEngine, name))
            assert mine.parameters == real.parameters, name


def test_an_engine_that_is_there_says_its_version(containers: Engine) -> None:
    status = containers.status()

    assert (status.is_up, status.problem) == (True, "")
    assert status.version


def test_what_is_made_is_found_as_it_was_wanted(containers: Engine, spec: Spec) -> None:
    assert containers.find(spec.name) is None

    made = containers.create(spec)

    assert look(containers, spec.name) == made
    assert (made.name, made.state, made.is_running) == (spec.name, "created", False)
    assert (made.started, made.exit_code, made.restart_count) == (None, 0, 0)
    assert made.ports == (("127.0.0.1", spec.port),)
    assert made.mounts == (Mount("bind", spec.data_directory, "/data", is_writable=True),)
    assert made.environment.items() >= spec.environment.items()
    assert made.labels.items() >= spec.all_labels.items()
    assert made.user == spec.user
    assert made.image.endswith(spec.image)
    assert made.image_id == containers.image_id(spec.image)
    assert spec.name in {server.name for server in containers.rest_servers()}


def test_a_container_is_started_and_stopped_as_often_as_asked(
    containers: Engine, spec: Spec
) -> None:
    running = run(containers, spec)
    containers.start(spec.name)
    assert look(containers, spec.name).started == running.started
    assert (running.state, running.is_running) == ("running", True)

    containers.restart(spec.name)
    again = look(containers, spec.name)
    assert again.is_running
    assert running.started is not None
    assert again.started is not None
    assert again.started > running.started

    for _ in range(2):
        containers.stop(spec.name)
        stopped = look(containers, spec.name)
        assert (stopped.state, stopped.exit_code) == ("exited", 0)
        assert stopped.exit_reason == "It was stopped."
        assert stopped.ports == running.ports

    containers.start(spec.name)
    assert look(containers, spec.name).is_running


def test_a_container_is_known_by_its_whole_id_as_well(containers: Engine, spec: Spec) -> None:
    made = containers.create(spec)

    assert containers.find(made.id) == made
    assert containers.find(made.id[:12]) is None
    assert "There is no container" in refusal(containers.stop, made.id[:12])
    containers.start(made.id)
    assert look(containers, spec.name).is_running


def test_data_stays_when_its_container_is_removed(containers: Engine, spec: Spec) -> None:
    run(containers, spec)
    containers.files(spec.name, spec.uid, spec.gid).write("kept", b"data")

    containers.remove(spec.name)

    assert containers.find(spec.name) is None
    containers.create(spec)
    assert containers.files(spec.name, spec.uid, spec.gid).read("kept") == b"data"


def test_a_volume_holds_users_before_the_first_start(containers: Engine, spec: Spec) -> None:
    volume = f"{spec.name}-data"
    made = containers.create(replace(spec, data_directory=volume))
    users = containers.files(spec.name, spec.uid, spec.gid)

    users.write(".htpasswd", b"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")

    assert made.mounts == (Mount("volume", volume, "/data", is_writable=True),)
    assert users.read(".htpasswd") == b"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"


def test_a_nameless_volume_stays_when_its_container_is_removed(
    containers: Engine, spec: Spec
) -> None:
    nameless = Mount("volume", "", "/kept", is_writable=True)
    first = replace(
        spec,
        extra_mounts=(nameless,),
        extra_environment={"PASSWORD_FILE": "/kept/.htpasswd"},
    )
    made = containers.create(first)
    volume = next(mount.source for mount in made.mounts if mount.target == "/kept")
    containers.files(spec.name, spec.uid, spec.gid).write("kept", b"data")

    containers.remove(spec.name)

    containers.create(replace(spec, data_directory=volume))
    assert containers.files(spec.name, spec.uid, spec.gid).read("kept") == b"data"


def test_who_is_not_there_is_said_to_be_not_there(containers: Engine, spec: Spec) -> None:
    one_argument = (
        *(containers.start, containers.stop, containers.restart, containers.remove),
        *(containers.reload_users, containers.logs, containers.uploads),
    )

    said = [refusal(verb, spec.name) for verb in one_argument]
    said.append(refusal(containers.rename, spec.name, f"{spec.name}-new"))
    said.append(refusal(containers.files, spec.name, 1000, 1000))

    assert set(said) == {f"There is no container called {spec.name}."}


def test_a_name_that_is_taken_is_refused(containers: Engine, spec: Spec) -> None:
    other = replace(spec, name=f"{spec.name}-other")
    made = containers.create(spec)
    containers.create(other)

    assert f"{spec.name} exists already" in refusal(containers.create, spec)
    assert "in use" in refusal(containers.rename, other.name, spec.name)

    assert look(containers, spec.name).id == made.id
    assert containers.find(other.name) is not None


def test_what_is_not_there_makes_no_container(containers: Engine, spec: Spec) -> None:
    gone = f"{spec.data_directory}/gone"

    no_image = refusal(containers.create, replace(spec, image="resthouse/none:never"))
    no_folder = refusal(containers.create, replace(spec, data_directory=gone))

    assert "resthouse/none:never" in no_image
    assert "Pull or build it" in no_image
    assert gone in no_folder
    assert containers.find(spec.name) is None


def test_a_folder_that_is_relabelled_must_be_there_as_well(containers: Engine, spec: Spec) -> None:
    gone = f"{spec.data_directory}/gone"
    relabelled = replace(spec, selinux_label="z")

    assert gone in refusal(containers.create, replace(relabelled, data_directory=gone))

    assert run(containers, relabelled).is_running


def test_a_port_that_is_taken_is_named(containers: Engine, spec: Spec) -> None:
    other = replace(spec, name=f"{spec.name}-other")
    run(containers, spec)
    containers.create(other)

    said = refusal(containers.start, other.name)

    assert f"Another program listens at 127.0.0.1:{spec.port}" in said
    assert not look(containers, other.name).is_running
    containers.remove(other.name)


def test_the_former_container_comes_back_after_one_that_failed(
    containers: Engine, spec: Spec
) -> None:
    former = run(containers, spec)
    aside = f"{spec.name}-former"

    containers.rename(spec.name, aside)
    new = containers.create(replace(spec, labels={"test": "new"}))
    assert look(containers, aside).is_running
    containers.stop(aside)
    containers.start(new.id)
    assert look(containers, spec.name).labels["test"] == "new"
    containers.remove(new.id)
    containers.rename(former.id, spec.name)
    containers.start(spec.name)

    back = look(containers, spec.name)
    assert (back.id, back.is_running, back.labels["test"]) == (former.id, True, "contract")
    assert containers.find(aside) is None


def test_users_are_read_again_by_a_server_that_asks_for_them(
    containers: Engine, spec: Spec
) -> None:
    run(containers, spec)
    users = containers.files(spec.name, spec.uid, spec.gid)

    assert containers.reload_users(spec.name)
    assert containers.reload_users(spec.name)
    users.write(".htpasswd", b"alice:x\nbo\n")
    assert f"{spec.name} refused the users file" in refusal(containers.reload_users, spec.name)
    users.write(".htpasswd", b"")
    assert containers.reload_users(spec.name)
    containers.stop(spec.name)
    assert not containers.reload_users(spec.name)


def test_a_server_that_asks_nobody_survives_a_reload(containers: Engine, spec: Spec) -> None:
    run(containers, replace(spec, extra_environment={"DISABLE_AUTHENTICATION": "1"}))

    assert not containers.reload_users(spec.name)

    assert look(containers, spec.name).is_running


def test_the_log_is_given_from_its_end(containers: Engine, spec: Spec) -> None:
    run(containers, spec)
    containers.reload_users(spec.name)
    lines = containers.logs(spec.name)

    assert lines[-1] == "Reloaded htpasswd file"
    assert containers.logs(spec.name, tail=1) == lines[-1:]
    at, _, text = containers.logs(spec.name, has_times=True)[-1].partition(" ")
    assert text == lines[-1]
    assert at[:4].isdecimal()


def test_uploads_under_way_are_counted_while_it_runs(containers: Engine, spec: Spec) -> None:
    run(containers, spec)
    assert containers.uploads(spec.name) == 0

    containers.files(spec.name, spec.uid, spec.gid).write(f"upload{uploads.MARK}1", b"half")

    assert containers.uploads(spec.name) == 1
    containers.stop(spec.name)
    assert containers.uploads(spec.name) == 0


def test_images_are_looked_up_by_their_names(containers: Engine, spec: Spec) -> None:
    assert containers.has_image(spec.image)
    assert containers.image_id(spec.image).startswith("sha256:")
    assert not containers.has_image("resthouse/none:never")
    assert containers.image_id("resthouse/none:never") == ""


def test_an_image_that_cannot_be_pulled_says_why(
    containers: Engine, free_port: Callable[[], int]
) -> None:
    image = f"127.0.0.1:{free_port()}/resthouse/none:latest"

    said = refusal(lambda: list(containers.pull(image)))

    assert f"{image} could not be pulled" in said


def test_files_are_read_and_written_through_the_container(containers: Engine, spec: Spec) -> None:
    containers.create(spec)
    files = containers.files(spec.name, spec.uid, spec.gid)
    assert files.read("note") is None

    files.write("note", b"before the first start")
    assert files.read("note") == b"before the first start"
    assert "only be removed while" in refusal(files.remove, "note")
    containers.start(spec.name)
    files.write("note", b"while it runs")
    assert files.read("note") == b"while it runs"
    for _ in range(2):
        files.remove("note")
        assert files.read("note") is None
    containers.remove(spec.name)
    assert "is gone" in refusal(files.read, "note")


def test_options_that_the_server_refuses_end_it_with_a_reason(
    containers: Engine, spec: Spec
) -> None:
    containers.create(replace(spec, options=Options(has_tls=True)))
    files = containers.files(spec.name, spec.uid, spec.gid)
    for name in ("private_key", "public_key"):
        files.write(name, b"no key")

    containers.start(spec.name)

    ended = wait_until_ended(containers, spec.name)
    assert (ended.exit_code, ended.is_running) == (1, False)
    assert "rest-server refused" in ended.exit_reason
    assert any("tls: failed" in line for line in containers.logs(spec.name))
    wait_until(lambda: look(containers, spec.name).restart_count, 20)
    containers.remove(spec.name)
    assert containers.find(spec.name) is None
