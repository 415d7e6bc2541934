"""An engine on another machine, as far as that can be had here: by tcp, with TLS on both sides."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from backups.engines import uploads
from backups.engines.containers import Containers
from backups.engines.errors import EngineUnavailable
from backups.engines.restserver import Options
from tests.engines.conftest import Served, wait_until_live
from tests.rig import certificates, engine_tls
from tests.rig.certificates import Made

CLIENT_AUTH = certificates.x509.ExtendedKeyUsageOID.CLIENT_AUTH


def client_certificate(authority: Made) -> Made:
    return certificates.make("resthouse", by=authority, names=None, purposes=[CLIENT_AUTH])


@pytest.fixture(scope="module")
def authority() -> Made:
    return certificates.authority()


@pytest.fixture
def pocket(tmp_path: Path, authority: Made, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of DOCKER_CERT_PATH, with what lets in."""
    folder = tmp_path / "pocket"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(authority.pem)
    engine_tls.write_pair(folder, client_certificate(authority))
    monkeypatch.setenv("DOCKER_CERT_PATH", str(folder))
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    return folder


@pytest.fixture
def serve_engine(
    docker_socket: str, authority: Made, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """An engine by TLS that shows a certificate for these names; its address."""
    with ExitStack() as stack:

        def serve(*names: str) -> str:
            shown = certificates.make(by=authority, names=names or ("127.0.0.1",))
            port = stack.enter_context(
                engine_tls.serving(tmp_path, docker_socket, shown, authority)
            )
            return f"tcp://127.0.0.1:{port}"

        yield serve


def test_a_server_lives_on_an_engine_by_tls(
    serve_engine: Callable[..., str], pocket: Path, prepare: Callable[[Options], Served]
) -> None:
    containers, served = Containers(serve_engine()), prepare(Options())
    name, spec = served.name, served.spec

    assert containers.status().is_up
    containers.create(spec)
    containers.start(name)
    wait_until_live(served)
    containers.files(name, spec.uid, spec.gid).write(f"upload{uploads.MARK}", b"half")
    assert containers.uploads(name) == 1
    assert containers.reload_users(name)
    containers.stop(name)
    found = containers.find(name)
    assert found is not None
    assert (found.state, found.exit_code) == ("exited", 0)
    containers.remove(name)
    assert containers.find(name) is None


def test_the_address_may_come_from_the_environment(
    serve_engine: Callable[..., str], pocket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", serve_engine())

    assert Containers().status().is_up


@pytest.mark.parametrize("wrong", ["client", "authority", "name", "files", "nothing"])
def test_without_the_right_certificate_it_is_said_to_be_that(
    serve_engine: Callable[..., str], pocket: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = certificates.authority("A stranger")
    if wrong == "client":
        engine_tls.write_pair(pocket, client_certificate(stranger))
    elif wrong == "authority":
        (pocket / "ca.pem").write_bytes(stranger.pem)
    elif wrong == "files":
        (pocket / "key.pem").unlink()
    elif wrong == "nothing":
        monkeypatch.delenv("DOCKER_CERT_PATH")
        monkeypatch.delenv("DOCKER_TLS_VERIFY")
    address = serve_engine(*(["another.example"] if wrong == "name" else []))
    monkeypatch.setenv("DOCKER_HOST", address)

    for containers in (Containers(address), Containers()):
        status = containers.status()
        assert (status.is_up, status.problem) == (False, "tls")
        assert address in status.sentence
        assert "DOCKER_CERT_PATH" in status.sentence
        with pytest.raises(EngineUnavailable):
            containers.find("anything")
