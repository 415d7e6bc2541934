"""What the rest of Resthouse relies on of an engine: the same on the fake, Docker and Podman."""

import inspect
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import Literal

import pytest

from backups.engines.container_drift import Difference, differences
from backups.engines.container_state import Mount
from backups.engines.containers import Containers, Spec
from backups.engines.errors import EngineError
from tests.engines.contract import Engine, look, refusal, run, wait_until_ready
from tests.rig.fake_engine import FakeEngine
from tests.rig.waiting import wait_until


def test_the_fake_has_the_interface_of_the_real_engine() -> None:
    verbs = {name for name, _ in inspect.getmembers(FakeEngine, inspect.isfunction)}

    for name in verbs:
        if not name.startswith("_"):
            real = inspect.signature(getattr(Containers, name))
            mine = inspect.signature(getattr(FakeEngine, name))
            assert mine.parameters == real.parameters, name


def test_an_engine_that_is_there_says_its_version(engine: Engine) -> None:
    status = engine.status()

    assert (status.is_up, status.problem) == (True, "")
    assert status.version


def test_what_is_made_is_found_as_it_was_wanted(engine: Engine, spec: Spec) -> None:
    assert engine.find(spec.name) is None

    made = engine.create(spec)

    assert (made.name, made.state, made.is_running) == (spec.name, "created", False)
    assert (made.started, made.exit_code, made.restart_count) == (None, 0, 0)
    assert made.ports == (("127.0.0.1", spec.port),)
    assert made.mounts == (Mount("bind", spec.data_directory, "/data", is_writable=True),)
    assert made.environment.items() >= spec.environment.items()
    assert made.labels.items() >= spec.all_labels.items()
    assert made.user == spec.user
    assert [engine.find(spec.name) for _ in range(5)] == [made] * 5
    assert made.image.endswith(spec.image)
    assert made.image_id == engine.image_id(spec.image)
    assert spec.name in {server.name for server in engine.rest_servers()}


@pytest.mark.parametrize("label", ["", "z"])
def test_what_was_made_is_read_as_it_was_wanted(
    engine: Engine, spec: Spec, label: Literal["", "z"]
) -> None:
    volumes = (Mount("volume", f"{spec.name}-{n}", f"/{n}", is_writable=n > 1) for n in range(4))
    wanted = replace(
        spec, selinux_label=label, memory_limit=64 * 1024**2, extra_mounts=tuple(volumes)
    )

    def drift() -> list[Difference]:
        sight = engine.look(spec.name)
        assert sight is not None
        assert sight.container == look(engine, spec.name)
        assert sight.reading is not None, sight.unreadable
        return differences(wanted, sight.reading, is_ours=True)

    assert engine.look(spec.name) is None
    engine.create(wanted)
    assert drift() == []
    engine.start(spec.name)
    wait_until_ready(engine, spec.name)
    assert drift() == []
    engine.stop(spec.name)
    assert drift() == []


@pytest.mark.parametrize("engine", ["docker", "podman"], indirect=True)
def test_who_listens_hears_of_changes(engine: Containers, spec: Spec) -> None:
    heard: set[str] = set()

    def listen() -> None:
        with suppress(EngineError):
            for name in engine.changes():
                heard.add(name)

    def is_heard() -> bool:
        engine.rename(spec.name, f"{spec.name}-new")
        engine.rename(f"{spec.name}-new", spec.name)
        return spec.name in heard

    # Listening has no end of its own, but that of the process.
    Thread(target=listen, daemon=True).start()
    engine.create(spec)
    # Again and again, since nothing tells when it has begun to listen.
    wait_until(is_heard, 20)


def test_a_container_is_started_and_stopped_as_often_as_asked(engine: Engine, spec: Spec) -> None:
    running = run(engine, spec)
    engine.start(spec.name)
    assert look(engine, spec.name).started == running.started
    assert (running.state, running.is_running) == ("running", True)

    engine.restart(spec.name)
    again = look(engine, spec.name)
    assert again.is_running
    assert running.started is not None
    assert again.started is not None
    assert again.started > running.started
    wait_until_ready(engine, spec.name, starts=2)

    for _ in range(2):
        engine.stop(spec.name)
        stopped = look(engine, spec.name)
        assert (stopped.state, stopped.exit_code) == ("exited", 0)
        assert stopped.exit_reason == "It was stopped."
        assert stopped.ports == running.ports

    engine.start(spec.name)
    assert look(engine, spec.name).is_running


def test_a_container_is_known_by_its_whole_id_as_well(engine: Engine, spec: Spec) -> None:
    made = engine.create(spec)

    assert engine.find(made.id) == made
    assert engine.find(made.id[:12]) is None
    assert "There is no container" in refusal(engine.stop, made.id[:12])
    engine.start(made.id)
    assert look(engine, spec.name).is_running


def test_who_is_not_there_is_said_to_be_not_there(engine: Engine, spec: Spec) -> None:
    one_argument = (
        engine.usage,
        *(engine.start, engine.stop, engine.restart, engine.remove),
        *(engine.reload_users, engine.logs, engine.uploads),
    )

    said = [refusal(verb, spec.name) for verb in one_argument]
    said.append(refusal(engine.rename, spec.name, f"{spec.name}-new"))
    said.append(refusal(engine.files, spec.name, 1000, 1000))

    assert set(said) == {f"There is no container called {spec.name}."}


def test_a_name_that_is_taken_is_refused(engine: Engine, spec: Spec) -> None:
    other = replace(spec, name=f"{spec.name}-other")
    made = engine.create(spec)
    engine.create(other)

    assert f"{spec.name} exists already" in refusal(engine.create, spec)
    assert "in use" in refusal(engine.rename, other.name, spec.name)

    assert look(engine, spec.name).id == made.id
    assert engine.find(other.name) is not None


def test_what_is_not_there_makes_no_container(engine: Engine, spec: Spec) -> None:
    gone = f"{spec.data_directory}/gone"

    no_image = refusal(engine.create, replace(spec, image="resthouse/none:never"))
    no_folder = refusal(engine.create, replace(spec, data_directory=gone))

    assert "resthouse/none:never" in no_image
    assert "Pull or build it" in no_image
    assert gone in no_folder
    assert engine.find(spec.name) is None


def test_what_could_not_work_is_found_by_a_trial(engine: Engine, spec: Spec) -> None:
    gone = f"{spec.data_directory}/gone"

    assert engine.try_out(spec).free > 0
    assert gone in refusal(engine.try_out, replace(spec, data_directory=gone))
    assert "none:never" in refusal(engine.try_out, replace(spec, image="resthouse/none:never"))
    run(engine, spec)
    other = replace(spec, name=f"{spec.name}-other")
    assert f"listens at 127.0.0.1:{spec.port}" in refusal(engine.try_out, other)

    for name in (spec.name, other.name):
        assert engine.find(f"{name}.trial") is None


def test_a_folder_that_is_relabelled_must_be_there_as_well(engine: Engine, spec: Spec) -> None:
    gone = f"{spec.data_directory}/gone"
    relabelled = replace(spec, selinux_label="z")

    assert gone in refusal(engine.create, replace(relabelled, data_directory=gone))

    assert run(engine, relabelled).is_running


def test_a_port_that_is_taken_is_named(engine: Engine, spec: Spec) -> None:
    other = replace(spec, name=f"{spec.name}-other")
    run(engine, spec)
    engine.create(other)

    said = refusal(engine.start, other.name)

    assert f"Another program listens at 127.0.0.1:{spec.port}" in said
    assert not look(engine, other.name).is_running
    engine.remove(other.name)


def test_the_former_container_comes_back_after_one_that_failed(engine: Engine, spec: Spec) -> None:
    former = run(engine, spec)
    aside = f"{spec.name}-former"

    engine.rename(spec.name, aside)
    new = engine.create(replace(spec, labels={"test": "new"}))
    assert look(engine, aside).is_running
    engine.stop(aside)
    engine.start(new.id)
    wait_until_ready(engine, spec.name)
    assert look(engine, spec.name).labels["test"] == "new"
    engine.remove(new.id)
    engine.rename(former.id, spec.name)
    engine.start(spec.name)

    back = look(engine, spec.name)
    assert (back.id, back.is_running, back.labels["test"]) == (former.id, True, "contract")
    assert engine.find(aside) is None
