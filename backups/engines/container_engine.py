"""The way to a container engine, Docker or Podman, and in words when there is none."""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypedDict
from urllib.parse import SplitResult, urlsplit

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound, TLSParameterError
from docker.utils import kwargs_from_env
from paramiko.ssh_exception import NoValidConnectionsError, SSHException
from requests import RequestException, Response
from requests.exceptions import SSLError
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError

from backups.engines.errors import EngineError, EngineUnavailable

# With a version given the SDK does not call by itself, before it can be told not to use a proxy.
FIRST_VERSION = "1.24"
DEFAULT = "unix:///var/run/docker.sock"
CONNECT_TIMEOUT = 2
CALL_TIMEOUT = 10
_PING = "/_ping"

Problem = Literal["", "missing", "refused", "permission", "timeout", "tls", "ssh", "other"]


class _NobodyThereError(Exception):
    """No engine at this address; its cause says why."""


class _TLSWantedError(_NobodyThereError):
    """There is an engine, but it wants to be asked by TLS."""


# The first of these that is among the causes tells the story: urllib3 counts any failed
# connection as a timeout.
_PROBLEMS: tuple[tuple[type[BaseException], Problem], ...] = (
    (ssl.SSLError, "tls"),
    # urllib3 does not always say what it came from.
    (SSLError, "tls"),
    (TLSParameterError, "tls"),
    (_TLSWantedError, "tls"),
    (SSHException, "ssh"),
    (NoValidConnectionsError, "refused"),
    (FileNotFoundError, "missing"),
    (PermissionError, "permission"),
    (ConnectionRefusedError, "refused"),
    (TimeoutError, "timeout"),
    (ConnectTimeoutError, "timeout"),
    (ReadTimeoutError, "timeout"),
)
_SENTENCES: dict[Problem, str] = {
    "missing": (
        "There is no container engine at {where}: install one (on Debian: apt install docker.io) "
        "or give the address of yours."
    ),
    "permission": (
        "This user may not use the container engine at {where}: add it to the group of the "
        "socket, usually 'docker', and start Resthouse again."
    ),
    "refused": (
        "The container engine at {where} is not running: start it, usually with "
        "'systemctl start docker'."
    ),
    "timeout": "The container engine at {where} does not answer in time: look at its load.",
    "tls": (
        "No TLS connection to the container engine at {where}: check the certificates in "
        "DOCKER_CERT_PATH."
    ),
    "ssh": (
        "No SSH connection to the machine of the container engine at {where} ({error}). Its key "
        "has to stand in ~/.ssh/known_hosts of the user of Resthouse, whose own key has to be "
        "let in there."
    ),
    "other": "The container engine at {where} cannot be used: {error}",
}


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether the engine answers; the sentence says in one line what is missing."""

    is_up: bool
    version: str
    problem: Problem
    sentence: str


class _ClientArguments(TypedDict, total=False):
    base_url: str
    tls: docker.tls.TLSConfig


def status(base_url: str) -> EngineStatus:
    try:
        with connect(base_url) as client:
            version = str(client.version()["Version"])
    except EngineError as error:
        return EngineStatus(
            is_up=False, version="", problem=_problem_of(error), sentence=str(error)
        )
    sentence = f"The container engine {version} answers."
    return EngineStatus(is_up=True, version=version, problem="", sentence=sentence)


@contextmanager
def connect(base_url: str, *, timeout: int = CALL_TIMEOUT) -> Iterator[docker.DockerClient]:
    """A client for a few calls; whatever goes wrong comes out as a sentence."""
    where = base_url or os.environ.get("DOCKER_HOST") or DEFAULT
    with in_words(where):
        _knock(where)
        version = _newest_version(base_url)
        with _client(base_url, version=version, timeout=timeout) as client:
            yield client


def _newest_version(base_url: str) -> str:
    with _client(base_url, version=FIRST_VERSION, timeout=CONNECT_TIMEOUT) as client:
        # Not /version, for which Podman asks all its helpers, half a second each time.
        answer = _ping(client)
        if answer.status_code == HTTPStatus.BAD_REQUEST and "HTTPS server" in answer.text:
            raise _TLSWantedError("it wants to be asked by TLS.")
        try:
            return answer.headers["Api-Version"]
        except KeyError as error:
            raise _NobodyThereError("something else answers at this address.") from error


def is_podman(client: docker.DockerClient) -> bool:
    """Docker's interface, spoken by Podman, differs where Docker refuses and Podman helps."""
    return "Libpod-API-Version" in _ping(client).headers


def _ping(client: docker.DockerClient) -> Response:
    return client.api.get(f"{client.api.base_url}{_PING}", timeout=CONNECT_TIMEOUT)


@contextmanager
def _client(base_url: str, *, version: str, timeout: int) -> Iterator[docker.DockerClient]:
    try:
        client = docker.DockerClient(version=version, timeout=timeout, **_arguments(base_url))
    except (SSHException, OSError, ValueError, TypeError) as error:
        # By SSH it connects at once; and an address may be no address at all.
        raise _NobodyThereError(str(error)) from error
    # A proxy or REQUESTS_CA_BUNDLE in the environment is meant for the web, not for the engine.
    client.api.trust_env = False
    try:
        yield client
    finally:
        client.close()


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """The engine's exceptions, some of which are not Docker's, as ours."""
    try:
        yield
    except ImageNotFound as error:
        raise EngineError(
            f"The image is not on the engine ({_explanation(error)}). Pull or build it first."
        ) from error
    except NotFound as error:
        raise EngineError(f"The engine does not have it: {_explanation(error)}.") from error
    except APIError as error:
        raise EngineError(f"The container engine refused: {_explanation(error)}.") from error
    # requests' errors are no DockerException, and urllib3's are neither.
    except (
        DockerException,
        RequestException,
        HTTPError,
        SSHException,
        OverflowError,
        _NobodyThereError,
    ) as error:
        sentence = _SENTENCES[_problem_of(error)].format(where=where, error=_short(error))
        raise EngineUnavailable(sentence) from error


def _knock(where: str) -> None:
    """Nobody there is found out here: the SDK forgets to close such a socket, or waits for ever."""
    if where.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(CONNECT_TIMEOUT)
            try:
                door.connect(where.removeprefix("unix:").replace("//", "", 1))
            except OSError as error:
                raise _NobodyThereError(f"{error.strerror}.") from error
    elif where.startswith("ssh:"):
        _knock_by_ssh(urlsplit(where))


def _knock_by_ssh(where: SplitResult) -> None:
    try:
        with socket.create_connection(
            (where.hostname or "", where.port or 22), CONNECT_TIMEOUT
        ) as door:
            door.settimeout(CONNECT_TIMEOUT)
            if not door.recv(4).startswith(b"SSH"):
                raise _NobodyThereError("no SSH server answers there.")
    except socket.gaierror:
        # It may be a name of ~/.ssh/config, which the SDK reads.
        return
    except OSError as error:
        raise _NobodyThereError(f"{error.strerror or error}.") from error


def _arguments(base_url: str) -> _ClientArguments:
    """As `docker` has them from DOCKER_HOST and its kin; a given address goes first."""
    arguments: _ClientArguments = kwargs_from_env()
    if base_url:
        arguments["base_url"] = base_url
        if not base_url.startswith(("tcp:", "https:")):
            arguments.pop("tls", None)
    return arguments


def _problem_of(error: BaseException) -> Problem:
    causes = list(_causes(error))
    for kind, problem in _PROBLEMS:
        if any(isinstance(cause, kind) for cause in causes):
            return problem
    return "tls" if any(map(_is_shown_the_door, causes)) else "other"


def _is_shown_the_door(error: BaseException) -> bool:
    """With TLS 1.3 a client that is refused has asked already, and may see no more than an end."""
    url = str(error.request.url) if isinstance(error, RequestException) and error.request else ""
    return url.startswith("https:") and url.endswith(_PING)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    step: BaseException | None = error
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        yield step
        step = step.__cause__ or step.__context__


def _short(error: Exception) -> str:
    """A stranger at that address may answer with a whole page."""
    line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return line if len(line) <= 200 else f"{line[:199]}…"


def _explanation(error: APIError) -> str:
    # Podman's and Docker's own words; the rest of the error names internal addresses.
    return str(error.explanation or "no reason given").strip().rstrip(".")[:500]
