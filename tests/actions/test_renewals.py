"""Certificates that come by themselves, and ports that show something else than they should."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups import engines
from backups.actions import certificates as actions
from backups.actions import renewals
from backups.actions.certificates import write_live
from backups.actions.certificates_apply import apply_certificate
from backups.actions.handshakes import adopt_shown, check_handshake, put_files_back
from backups.actions.operations import finish
from backups.actions.pairs import CHAIN, KEY, FilePair
from backups.engines import certificates, tls
from backups.engines.errors import EngineError
from backups.models import Certificate, Event, Operation, Server
from tests.factories import make_server
from tests.rig.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


def applied(certificate: Certificate) -> None:
    operation = finish(apply_certificate(certificate, by="test"))
    assert operation.state == Operation.State.SUCCEEDED, operation.problem
    certificate.server.refresh_from_db()


def work_on_what_waits(server: Server) -> None:
    for operation in server.operations.open():
        ended = finish(operation)
        assert ended.state == Operation.State.SUCCEEDED, ended.problem
    server.refresh_from_db()


def shown_by(server: Server) -> str:
    return tls.look("127.0.0.1", server.port).fingerprint


def write_pair(folder: Path, pair: certificates.Pair) -> None:
    (folder / "fullchain.pem").write_text(pair.chain + pair.root)
    (folder / "privkey.pem").write_text(pair.key)


def test_a_new_pair_in_a_watched_folder_is_applied_by_itself_and_only_once(
    server: Server, tmp_path: Path
) -> None:
    folder, ca = tmp_path / "live", certificates.make_authority("Watched CA")
    folder.mkdir()
    watch = renewals.watch_directory(server, str(folder), by="test")
    renewals.look_at_watch(watch)
    assert "There is nothing in it." in watch.problem
    first, second = (certificates.make_certificate(ca, ["127.0.0.1"]) for _ in range(2))

    write_pair(folder, first)
    renewals.look_at_watch(watch)
    work_on_what_waits(server)
    assert (shown_by(server), watch.problem) == (first.facts.fingerprint, "")
    renewals.look_at_watch(watch)
    assert not server.operations.open().exists()

    # As certbot does: new files elsewhere, and links to them.
    (tmp_path / "archive").mkdir()
    write_pair(tmp_path / "archive", second)
    for name in ("fullchain.pem", "privkey.pem"):
        (folder / name).unlink()
        (folder / name).symlink_to(tmp_path / "archive" / name)
    renewals.look_at_watch(watch)
    work_on_what_waits(server)
    assert shown_by(server) == second.facts.fingerprint


def test_what_is_wrong_in_a_watched_folder_is_said_and_nothing_changes(
    db: None, tmp_path: Path
) -> None:
    server = make_server()
    watch = renewals.watch_directory(server, str(tmp_path), by="test")
    ca = certificates.make_authority("Watched CA")
    write_pair(tmp_path, certificates.make_certificate(ca, ["other.example.org"]))

    renewals.look_at_watch(watch)
    assert "Hosts use 127.0.0.1, but it is for other.example.org." in watch.problem

    shutil.rmtree(tmp_path)
    renewals.look_at_watch(watch)
    assert "cannot be read" in watch.problem
    assert not Certificate.objects.exists()
    assert not Operation.objects.exists()


def test_what_was_made_here_is_renewed_in_time_and_once(server: Server, settings: Any) -> None:
    certificate = actions.make_certificate(server, by="test")
    applied(certificate)
    renewals.renew_certificates.call()
    assert not server.operations.open().exists()
    Certificate.objects.update(not_after=timezone.now() + timedelta(days=29))
    server.operations.update(created=timezone.now() - timedelta(days=300))

    renewals.renew_certificates.call()
    renewals.renew_certificates.call()

    assert server.operations.open().count() == 1
    work_on_what_waits(server)
    newest = server.certificates.order_by("-created").first()
    assert newest is not None
    assert (shown_by(server), newest.is_live) == (newest.fingerprint, True)
    assert newest.names == certificate.names


def test_the_port_is_looked_at_and_not_only_the_file(server: Server) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    assert check_handshake(server).problem == ""

    FilePair.of(second).write_to(server)
    assert "The files hold another certificate" in check_handshake(server).problem

    engines.containers_of(server).restart(server.name)
    wait_until(lambda: shown_by(server) == second.fingerprint, 10)
    assert "The port shows another certificate" in check_handshake(server).problem

    with pytest.raises(EngineError, match="shows another certificate"):
        engines.is_let_in(server, "alice", "a password that must not leave")
    applied(first)
    assert shown_by(server) == first.fingerprint

    FilePair.of(second).write_to(server)
    engines.containers_of(server).restart(server.name)
    wait_until(lambda: shown_by(server) == second.fingerprint, 10)
    adopted = adopt_shown(server, by="test")
    assert adopted == second
    assert check_handshake(server).problem == ""
    assert (server.pin, engines.probe(server).is_live) == (second.fingerprint, True)


def test_files_that_are_gone_or_do_not_fit_are_said_before_the_next_start(server: Server) -> None:
    first, second = (actions.make_certificate(server, by="test") for _ in range(2))
    applied(first)
    files, other = FilePair.on(server), FilePair.of(second)

    FilePair(files.chain, other.key).write_to(server)
    assert "do not fit each other" in check_handshake(server).problem
    (Path(server.data_directory) / KEY).unlink()
    assert "Its files are gone" in check_handshake(server).problem
    (Path(server.data_directory) / CHAIN).unlink()
    assert "Its files are gone" in check_handshake(server).problem

    assert put_files_back(server, by="test").problem == ""
    assert FilePair.on(server) == files


@pytest.mark.parametrize(
    ("days", "stage"), [(40, ""), (29, "30"), (13, "14"), (6, "7"), (0.5, "1"), (-1, "over")]
)
def test_each_threshold_is_one_event(
    db: None, monkeypatch: pytest.MonkeyPatch, days: float, stage: str
) -> None:
    server = make_server(has_tls=True)
    pair = certificates.make_self_signed(["127.0.0.1"], days=60)
    now = timezone.now() + timedelta(days=60 - days)
    write_live(
        actions.keep_pair(server, pair, origin=Certificate.Origin.MADE, by="test"), timezone.now()
    )
    shown = tls.Shown(pair.facts.fingerprint, pair.chain, "1.3")
    monkeypatch.setattr(tls, "look", lambda *_: shown)
    monkeypatch.setattr(
        FilePair, "on", classmethod(lambda *_: FilePair(pair.chain.encode(), pair.key.encode()))
    )
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)

    for _ in range(3):
        handshake = check_handshake(server)

    assert handshake.stage == stage
    assert Event.objects.filter(noun="certificate", verb="found").count() == bool(stage)


def test_a_folder_without_an_absolute_path_is_refused(db: None) -> None:
    with pytest.raises(EngineError, match="absolute path"):
        renewals.watch_directory(make_server(), "certs", by="test")
