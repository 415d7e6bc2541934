"""rest-server itself: the options it is started with, and the answers on its port."""

import base64
import hashlib
import http.client
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from backups.engines.errors import EngineError
from backups.engines.restserver_options import Options

__all__ = ["Answer", "Options", "is_let_in", "probe", "repository_url"]

State = Literal["live", "other", "closed", "timeout", "tls"]

# Taken for parts of a repository at the root, whatever user asks.
_PARTS = frozenset({"data", "index", "keys", "locks", "snapshots", "config"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a port that should be rest-server's."""

    state: State
    sentence: str
    milliseconds: float

    @property
    def is_live(self) -> bool:
        return self.state == "live"


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _OtherCertificateError(ssl.SSLError):
    """The port shows another certificate than the one that it should."""


def probe(
    url: str, *, timeout: float = 3.0, ca: Path | None = None, pin: str = "", mark: str = ""
) -> Answer:
    """Whether rest-server answers here; asks without a password, so nothing can happen.

    With `pin`, the SHA-256 of a certificate in hexadecimal, that one is trusted and no other.
    `mark` is the User-Agent, by which the log tells who asked.
    """
    started = time.monotonic()
    headers = {"User-Agent": mark} if mark else {}
    try:
        reply = _ask(url, "GET", "/", headers, timeout=timeout, ca=ca, pin=pin)
        state, sentence = _recognise(url, reply)
    except TimeoutError:
        state, sentence = "timeout", f"Nothing answered at {url} within {timeout:g} s."
    except ssl.SSLError as error:
        state, sentence = "tls", _tls_sentence(url, error)
    except OSError as error:
        state, sentence = "closed", f"Nothing listens at {url} ({error.strerror or error})."
    except http.client.HTTPException:
        state, sentence = "other", f"Something that does not speak HTTP answers at {url}."
    return Answer(state, sentence, (time.monotonic() - started) * 1000)


def is_let_in(
    url: str,
    user: str,
    password: str,
    *,
    timeout: float = 3.0,
    ca: Path | None = None,
    pin: str = "",
    mark: str = "",
) -> bool:
    """Sign in for real; EngineError when neither yes nor no comes back."""
    path = "/config" if user in _PARTS else f"/{quote(user, safe='')}/config"
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"} | ({"User-Agent": mark} if mark else {})
    try:
        status = _ask(url, "HEAD", path, headers, timeout=timeout, ca=ca, pin=pin).status
    except (OSError, http.client.HTTPException):
        answer = probe(url, timeout=timeout, ca=ca, pin=pin, mark=mark)
        raise EngineError(f"The sign-in of {user} could not be tried. {answer.sentence}") from None
    if status in {200, 404}:
        return True
    if status == 401:
        return False
    raise EngineError(f"{url} answered the sign-in of {user} with status {status}.")


def repository_url(url: str, user: str, password: str, path: str) -> str:
    """As restic takes it; user and password percent-encoded, and left out when empty."""
    parts = urlsplit(url)
    sign_in = quote(user, safe="")
    if password:
        sign_in += f":{quote(password, safe='')}"
    at = f"{sign_in}@" if sign_in else ""
    way = "".join(f"{quote(segment, safe='')}/" for segment in path.split("/") if segment)
    return f"rest:{parts.scheme}://{at}{parts.netloc.rpartition('@')[2]}/{way}"


def _ask(
    url: str,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    timeout: float,
    ca: Path | None,
    pin: str,
) -> _Reply:
    """One request and its reply, with no redirect followed and no proxy in between."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca)
        if pin:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.connect()
        if pin and isinstance(connection.sock, ssl.SSLSocket):
            # Before anything is said, which may be a password.
            _insist(connection.sock, pin)
        connection.request(method, path, headers={"Connection": "close"} | (headers or {}))
        response = connection.getresponse()
        return _Reply(response.status, response.headers, response.read(1024))
    finally:
        connection.close()


def _insist(line: ssl.SSLSocket, pin: str) -> None:
    shown = hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()
    if shown != pin:
        raise _OtherCertificateError


def _recognise(url: str, reply: _Reply) -> tuple[State, str]:
    """By its refusal: Go's plain text, and without the WWW-Authenticate that others send."""
    if (
        reply.status == 401
        and reply.headers.get_content_type() == "text/plain"
        and "WWW-Authenticate" not in reply.headers
        and reply.body == b"Unauthorized\n"
    ):
        return "live", f"rest-server answers at {url}."
    if reply.status == 400 and reply.body.startswith(b"Client sent an HTTP request to an HTTPS"):
        return "other", f"{url} speaks TLS; ask it with https."
    if reply.status == 405 and reply.headers.get_content_type() == "text/plain":
        return "other", f"{url} lets anybody in: it may be a rest-server without authentication."
    server = reply.headers.get("Server", "")
    named = f" from {server[:60]}" if server.isprintable() and server else ""
    return "other", (
        f"Something else than rest-server answers at {url}: status {reply.status}{named}."
    )


def _tls_sentence(url: str, error: ssl.SSLError) -> str:
    if isinstance(error, _OtherCertificateError):
        return f"{url} shows another certificate than the one that was applied."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate at {url} is not to be trusted: {error.verify_message}."
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return f"What answers at {url} does not speak TLS."
    return f"No TLS connection to {url} ({error.reason or 'broken off'})."
