"""Real rest-servers in real containers, for the tests of the engines."""

import datetime
import io
import ipaddress
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backups.engines import container_engine, htpasswd, restserver
from backups.engines.containers import Containers, Spec
from backups.engines.files import LocalFiles
from backups.engines.htpasswd import Entry, Htpasswd
from backups.engines.restserver import Options
from tests.engines.contract import Engine, cleared_away
from tests.rig import images, missing
from tests.rig import podman as podman_rig
from tests.rig.certificate_bench import Bench
from tests.rig.containers import PREFIX
from tests.rig.fake_engine import FakeEngine


@dataclass(frozen=True)
class Served:
    """A rest-server that answers, and its data directory."""

    spec: Spec
    users: Htpasswd

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def url(self) -> str:
        scheme = "https" if self.spec.options.has_tls else "http"
        return f"{scheme}://127.0.0.1:{self.spec.port}/"

    @property
    def ca(self) -> Path | None:
        return self.directory / "public_key" if self.spec.options.has_tls else None

    @property
    def directory(self) -> Path:
        return Path(self.spec.data_directory)

    def reload(self) -> None:
        assert Containers().reload_users(self.name)

    def add_user(self, name: str, password: str) -> None:
        with self.users.change() as entries:
            entries[name] = Entry(name, htpasswd.hash_password(password, cost=4))


@pytest.fixture(scope="session")
def docker_socket(docker_client: docker.DockerClient) -> str:
    """The path of the engine's own socket, for what stands before it."""
    address = os.environ.get("DOCKER_HOST", container_engine.DEFAULT)
    if not address.startswith("unix://"):
        missing("A proxy stands before the socket of an engine: run without DOCKER_HOST.")
    return address.removeprefix("unix://")


@pytest.fixture(scope="session")
def podman(docker_client: docker.DockerClient, server_image: str) -> Iterator[str]:
    """The address of a Podman that has the image of rest-server as well."""
    if obstacle := podman_rig.obstacle():
        missing(obstacle)
    with podman_rig.served(docker_client.api.get_image(server_image)) as address:
        yield address


@pytest.fixture(params=["fake", "docker", "podman"])
def engine(request: pytest.FixtureRequest, spec: Spec) -> Iterator[Engine]:
    """Each of those that must keep the contract."""
    if request.param == "fake":
        yield FakeEngine({images.SERVER: "sha256:1"})
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
        image=images.SERVER,
        address="127.0.0.1",
        port=port,
        data_directory=str(directory),
        options=Options(),
        uid=owner.st_uid,
        gid=owner.st_gid,
        labels={"test": "contract"},
    )


@pytest.fixture
def containers(docker_client: docker.DockerClient) -> Containers:
    return Containers()


@pytest.fixture
def prepare(
    docker_client: docker.DockerClient,
    server_image: str,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> Iterator[Callable[[Options], Served]]:
    """What a server needs, and its end; the container itself is the test's to make."""
    names: list[str] = []

    def make(options: Options) -> Served:
        port = free_port()
        directory = tmp_path / f"data-{port}"
        directory.mkdir()
        owner = directory.stat()
        if owner.st_uid == 0:
            os.chown(directory, 1000, 1000)
            owner = directory.stat()
        names.append(f"resthouse-test-{port}")
        spec = Spec(
            name=names[-1],
            image=server_image,
            address="127.0.0.1",
            port=port,
            data_directory=str(directory),
            options=options,
            uid=owner.st_uid,
            gid=owner.st_gid,
        )
        files = LocalFiles(directory, spec.uid, spec.gid)
        if options.has_tls:
            _write_key_pair(files)
        return Served(spec, Htpasswd(files, tmp_path / f"{port}.lock"))

    yield make
    for name in names:
        for container in docker_client.containers.list(all=True, filters={"name": f"^{name}$"}):
            container.remove(force=True, v=True)


@pytest.fixture
def serve(
    containers: Containers, prepare: Callable[[Options], Served]
) -> Callable[[Options], Served]:
    """Start a rest-server and wait until it answers."""

    def make(options: Options) -> Served:
        served = prepare(options)
        containers.create(served.spec)
        containers.start(served.name)
        wait_until_live(served)
        return served

    return make


def wait_until_live(served: Served) -> None:
    for _ in range(400):
        answer = restserver.probe(served.url, ca=served.ca)
        if answer.is_live:
            return
        time.sleep(0.05)
    raise AssertionError(answer.sentence)


def _write_key_pair(files: LocalFiles) -> None:
    """A certificate that signs itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    files.write("public_key", certificate.public_bytes(pem))
    files.write(
        "private_key",
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain),
        mode=0o600,
    )


@pytest.fixture(scope="module")
def bench(
    docker_client: docker.DockerClient,
    server_image: str,
    restic_binary: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bench:
    folder = tmp_path_factory.mktemp("certificates")
    container = docker_client.containers.create(server_image)
    try:
        chunks, _ = container.get_archive("/usr/bin/restic-rest-server")
        packed = io.BytesIO(b"".join(chunks))
    finally:
        container.remove(v=True)
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(folder, filter="data")
    binary = folder / "restic-rest-server"
    assert shutil.which(str(binary))
    return Bench(binary, folder, restic_binary)
