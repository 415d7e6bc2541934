"""The same contract, of what is in a container: its users, files, log, data and image."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from backups.engines import uploads
from backups.engines.container_state import Mount
from backups.engines.containers import Spec
from backups.engines.restserver import Options
from tests.engines.contract import Engine, look, refusal, run, wait_until_ended
from tests.rig.waiting import wait_until


def test_users_are_read_again_by_a_server_that_asks_for_them(engine: Engine, spec: Spec) -> None:
    run(engine, spec)
    users = engine.files(spec.name, spec.uid, spec.gid)

    assert engine.reload_users(spec.name)
    assert engine.reload_users(spec.name)
    users.write(".htpasswd", b"alice:x\nbo\n")
    assert f"{spec.name} refused the users file" in refusal(engine.reload_users, spec.name)
    users.write(".htpasswd", b"")
    assert engine.reload_users(spec.name)
    engine.stop(spec.name)
    assert not engine.reload_users(spec.name)


def test_a_server_that_asks_nobody_survives_a_reload(engine: Engine, spec: Spec) -> None:
    run(engine, replace(spec, extra_environment={"DISABLE_AUTHENTICATION": "1"}))

    assert not engine.reload_users(spec.name)

    assert look(engine, spec.name).is_running


def test_the_log_is_given_from_its_end(engine: Engine, spec: Spec) -> None:
    run(engine, spec)
    engine.reload_users(spec.name)
    lines = engine.logs(spec.name)

    assert lines[-1] == "Reloaded htpasswd file"
    assert engine.logs(spec.name, tail=1) == lines[-1:]
    timed = engine.logs(spec.name, has_times=True)[-1]
    at, _, text = timed.partition(" ")
    assert text == lines[-1]
    moment = datetime.fromisoformat(at)
    recent = engine.recent_log(spec.name, tail=1, since=int(moment.timestamp()))
    assert recent is not None
    assert (recent.lines, recent.is_cut) == ((timed,), False)
    assert recent.container == look(engine, spec.name)
    later = engine.recent_log(spec.name, tail=1, since=int(moment.timestamp()) + 2)
    assert later is not None
    assert later.lines == ()
    assert engine.recent_log(f"{spec.name}-none", tail=1) is None


def test_uploads_under_way_are_counted_while_it_runs(engine: Engine, spec: Spec) -> None:
    run(engine, spec)
    assert engine.uploads(spec.name) == 0

    engine.files(spec.name, spec.uid, spec.gid).write(f"upload{uploads.MARK}1", b"half")

    assert engine.uploads(spec.name) == 1
    engine.stop(spec.name)
    assert engine.uploads(spec.name) == 0


def test_images_are_looked_up_by_their_names(engine: Engine, spec: Spec) -> None:
    assert engine.has_image(spec.image)
    assert engine.image_id(spec.image).startswith("sha256:")
    assert not engine.has_image("resthouse/none:never")
    assert engine.image_id("resthouse/none:never") == ""


def test_an_image_that_cannot_be_pulled_says_why(
    engine: Engine, free_port: Callable[[], int]
) -> None:
    image = f"127.0.0.1:{free_port()}/resthouse/none:latest"

    said = refusal(lambda: list(engine.pull(image)))

    assert f"{image} could not be pulled" in said
    assert refusal(engine.newest_digest, image)


def test_files_are_read_and_written_through_the_container(engine: Engine, spec: Spec) -> None:
    engine.create(spec)
    files = engine.files(spec.name, spec.uid, spec.gid)
    assert files.read("note") is None

    files.write("note", b"before the first start")
    assert files.read("note") == b"before the first start"
    assert "only be removed while" in refusal(files.remove, "note")
    engine.start(spec.name)
    files.write("note", b"while it runs")
    assert files.read("note") == b"while it runs"
    for _ in range(2):
        files.remove("note")
        assert files.read("note") is None
    engine.remove(spec.name)
    assert "is gone" in refusal(files.read, "note")


def test_options_that_the_server_refuses_end_it_with_a_reason(engine: Engine, spec: Spec) -> None:
    # It stays ended after two more tries, however quickly an engine makes them.
    tried = replace(spec, options=Options(has_tls=True), restart_policy="on-failure:2")
    engine.create(tried)
    files = engine.files(spec.name, spec.uid, spec.gid)
    for name in ("private_key", "public_key"):
        files.write(name, b"no key")

    engine.start(spec.name)

    ended = wait_until_ended(engine, spec.name)
    assert (ended.exit_code, ended.is_running) == (1, False)
    assert "rest-server refused" in ended.exit_reason
    assert any("tls: failed" in line for line in engine.logs(spec.name))
    wait_until(lambda: look(engine, spec.name).restart_count, 20)
    engine.remove(spec.name)
    assert engine.find(spec.name) is None


def test_data_stays_when_its_container_is_removed(engine: Engine, spec: Spec) -> None:
    run(engine, spec)
    engine.files(spec.name, spec.uid, spec.gid).write("kept", b"data")

    engine.remove(spec.name)

    assert engine.find(spec.name) is None
    engine.create(spec)
    assert engine.files(spec.name, spec.uid, spec.gid).read("kept") == b"data"


def test_a_volume_holds_users_before_the_first_start(engine: Engine, spec: Spec) -> None:
    volume = f"{spec.name}-data"
    made = engine.create(replace(spec, data_directory=volume))
    users = engine.files(spec.name, spec.uid, spec.gid)

    users.write(".htpasswd", b"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")

    assert made.mounts == (Mount("volume", volume, "/data", is_writable=True),)
    assert users.read(".htpasswd") == b"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"


def test_a_volume_is_removed_once_nobody_uses_it(engine: Engine, spec: Spec) -> None:
    volume = f"{spec.name}-data"
    with_volume = replace(spec, data_directory=volume)
    engine.create(with_volume)
    engine.files(spec.name, spec.uid, spec.gid).write("kept", b"data")

    assert volume in refusal(engine.remove_volume, volume)
    engine.remove(spec.name)
    for _ in range(2):
        engine.remove_volume(volume)

    engine.create(with_volume)
    assert engine.files(spec.name, spec.uid, spec.gid).read("kept") is None


def test_what_it_uses_is_known_while_it_runs(engine: Engine, spec: Spec) -> None:
    run(engine, spec)

    usage = engine.usage(spec.name)

    assert usage is not None
    assert usage.memory > 0
    assert usage.cpu_seconds > 0
    engine.stop(spec.name)
    assert engine.usage(spec.name) is None


def test_a_nameless_volume_stays_when_its_container_is_removed(engine: Engine, spec: Spec) -> None:
    nameless = Mount("volume", "", "/kept", is_writable=True)
    first = replace(
        spec,
        extra_mounts=(nameless,),
        extra_environment={"PASSWORD_FILE": "/kept/.htpasswd"},
    )
    made = engine.create(first)
    volume = next(mount.source for mount in made.mounts if mount.target == "/kept")
    engine.files(spec.name, spec.uid, spec.gid).write("kept", b"data")

    engine.remove(spec.name)

    engine.create(replace(spec, data_directory=volume))
    assert engine.files(spec.name, spec.uid, spec.gid).read("kept") == b"data"
