"""Certificates on a server that runs: proven by its port, or taken back; also in mid-backup."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backups import engines
from backups.actions import certificates as actions
from backups.actions import certificates_apply as apply
from backups.actions.operations import finish
from backups.actions.pairs import CHAIN, KEY, FilePair
from backups.engines import tls
from backups.engines.errors import EngineError
from backups.models import Certificate, Event, Operation, Server
from tests.actions.conftest import add_person
from tests.rig.backups import Backup
from tests.rig.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


def shown_by(server: Server) -> str:
    return tls.look("127.0.0.1", server.port).fingerprint


def applied(certificate: Certificate) -> Operation:
    """The server of the certificate is the very object that the test holds."""
    operation = finish(apply.apply_certificate(certificate, by="test"))
    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    certificate.server.refresh_from_db()
    Certificate.refresh_from_db(certificate, fields=["live_since", "live_until"])
    return operation


def is_trusted_by_restic(server: Server, root: str, folder: Path) -> bool:
    """By the real client, with no password of the server: it gets as far as the 401."""
    ca = folder / "ca.pem"
    ca.write_text(root)
    url = f"rest:https://127.0.0.1:{server.port}/alice/"
    command = ["restic", "-r", url, "--cacert", ca, "--no-cache", "cat", "config"]
    environment = os.environ | {"RESTIC_PASSWORD": "x"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return "401" in done.stderr


def test_a_certificate_made_here_turns_tls_on_and_real_restic_trusts_it(
    server: Server, tmp_path: Path
) -> None:
    certificate = actions.make_certificate(server, by="test")

    operation = applied(certificate)

    server.refresh_from_db()
    assert shown_by(server) == certificate.fingerprint == server.pin
    assert (server.has_tls, server.status, certificate.is_live) == (True, "live", True)
    assert is_trusted_by_restic(server, certificate.root, tmp_path)
    assert "a client that comes to 127.0.0.1 trusts it" in operation.step
    assert "did not answer for" in operation.step
    event = Event.objects.get(verb="applied")
    assert (event.noun, event.sentence) == ("certificate", operation.step)


def test_files_belong_to_the_user_of_the_container_and_the_key_to_it_alone(
    server: Server,
) -> None:
    applied(actions.make_certificate(server, by="test"))

    folder = Path(server.data_directory)
    found = {name: (folder / name).stat() for name in (CHAIN, KEY)}
    modes = {name: status.st_mode & 0o777 for name, status in found.items()}
    assert modes == {CHAIN: 0o644, KEY: 0o600}
    assert {status.st_uid for status in found.values()} == {server.uid}


def test_the_former_one_comes_back_with_one_step(server: Server) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    applied(second)
    assert shown_by(server) == second.fingerprint

    operation = finish(apply.roll_back(server, by="test"))

    first.refresh_from_db()
    second.refresh_from_db()
    assert operation.state == Operation.State.SUCCEEDED
    assert shown_by(server) == first.fingerprint
    assert (first.is_live, second.is_live) == (True, False)


def test_tls_is_turned_off_and_on_again_with_the_same_certificate(server: Server) -> None:
    certificate = actions.make_certificate(server, by="test")
    applied(certificate)

    finish(apply.change_line(server, has_tls=False, by="test"))

    server.refresh_from_db()
    certificate.refresh_from_db()
    assert (server.has_tls, server.status, certificate.is_live) == (False, "live", False)
    assert engines.probe(server).is_live
    assert shown_by(server) == ""
    finish(apply.change_line(server, has_tls=True, by="test"))
    server.refresh_from_db()
    assert (server.has_tls, shown_by(server)) == (True, certificate.fingerprint)


def test_the_lowest_version_is_proven_by_a_refused_client(
    serve: Callable[..., Server], newer_image: str
) -> None:
    server = serve(image=newer_image)
    applied(actions.make_certificate(server, by="test"))
    assert tls.speaks("127.0.0.1", server.port, "1.2")

    operation = finish(apply.change_line(server, has_tls=True, tls_min_version="1.3", by="test"))

    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    assert "it speaks TLS 1.3 alone" in operation.step
    assert not tls.speaks("127.0.0.1", server.port, "1.2")
    assert tls.speaks("127.0.0.1", server.port, "1.3")


def test_what_rest_server_does_not_know_is_taken_back_with_its_own_words(server: Server) -> None:
    """The 0.13 of this image has no --tls-min-ver: it would end at every start."""
    certificate = actions.make_certificate(server, by="test")
    applied(certificate)
    before = engines.containers_of(server).find(server.name)

    operation = finish(apply.change_line(server, has_tls=True, tls_min_version="1.3", by="test"))

    server.refresh_from_db()
    assert operation.state == Operation.State.FAILED
    assert "unknown flag: --tls-min-ver" in operation.problem
    assert f"{server} is as it was before, proven" in operation.problem
    assert (server.tls_min_version, server.status) == ("", "live")
    assert shown_by(server) == certificate.fingerprint
    after = engines.containers_of(server).find(server.name)
    assert before
    assert after
    assert (after.id, after.is_running) == (before.id, True)
    assert engines.containers_of(server).find(f"{server}.former") is None


def test_a_pair_that_does_not_come_up_is_taken_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    files = FilePair.on(server)
    write = FilePair.write_to

    def write_badly(pair: FilePair, server: Server) -> None:
        if pair == files:
            write(pair, server)
        else:
            write(FilePair(pair.chain, b"no key"), server)

    monkeypatch.setattr(FilePair, "write_to", write_badly)

    operation = finish(apply.apply_certificate(second, by="test"))

    assert operation.state == Operation.State.FAILED
    assert "failed to find any PEM data" in operation.problem
    assert FilePair.on(server) == files
    assert shown_by(server) == first.fingerprint
    second.refresh_from_db()
    assert second.live_since is None


def test_a_plain_server_has_no_key_in_its_folder_after_a_failure(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = actions.make_certificate(server, by="test")
    monkeypatch.setattr(tls, "distrust", lambda *_, **__: "it does not like it")

    operation = finish(apply.apply_certificate(certificate, by="test"))

    assert "refuses the certificate: it does not like it" in operation.problem
    assert {path.name for path in Path(server.data_directory).iterdir()} == {".htpasswd"}
    server.refresh_from_db()
    assert (server.has_tls, engines.probe(server).is_live) == (False, True)


def test_users_are_changed_and_proven_over_tls(server: Server) -> None:
    applied(actions.make_certificate(server, by="test"))

    password = add_person(server, "alice")

    assert engines.is_let_in(server, "alice", password)
    assert not engines.is_let_in(server, "alice", "another one entirely")


def test_nobody_gets_a_password_who_shows_another_certificate(server: Server) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    FilePair.of(second).write_to(server)
    engines.containers_of(server).restart(server.name)
    wait_until(lambda: shown_by(server) == second.fingerprint, 10)

    with pytest.raises(EngineError, match="another certificate than the one that was applied"):
        engines.is_let_in(server, "alice", "a password that must not leave")


def test_a_stopped_server_is_left_alone_with_a_sentence(server: Server) -> None:
    certificate = actions.make_certificate(server, by="test")
    server.status = Server.Status.STOPPED
    server.save()

    with pytest.raises(EngineError, match="Start it first"):
        apply.apply_certificate(certificate, by="test")

    assert not Operation.objects.exists()


def test_a_swap_in_the_middle_of_a_real_backup_lets_it_end_with_exit_0(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], restic_binary: Path
) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    backup = Backup(server, add_person(server, "alice"), tmp_path, root=first.root, size=18)
    backup.start()
    wait_until(lambda: engines.uploads_of(server) > 1, 20)
    began = time.monotonic()

    operation = finish(apply.apply_certificate(second, by="test", wait=0))
    is_running = backup.process is not None and backup.process.poll() is None
    swapped = time.monotonic() - began

    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    assert is_running, "the backup ended before the swap"
    code, said = backup.wait()
    assert code == 0, said
    assert shown_by(server) == second.fingerprint
    backup.run("check", "--read-data")
    with capsys.disabled():
        sys.stdout.write(f"\nswap in {swapped:.1f} s: {operation.step.rpartition('. ')[2]}\n")


def test_uploads_under_way_are_waited_for_with_their_count(
    server: Server,
    tmp_path: Path,
    restic_binary: Path,
    steps: list[tuple[str, int | None]],
) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    backup = Backup(server, add_person(server, "alice"), tmp_path, root=first.root, size=3)
    backup.start()
    wait_until(lambda: engines.uploads_of(server) > 1, 20)

    operation = finish(apply.apply_certificate(second, by="test", wait=30))

    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    assert backup.wait()[0] == 0
    told = [sentence for sentence, _ in steps]
    assert any("upload" in each and "to end, at most" in each for each in told), told
    assert engines.uploads_of(server) == 0
