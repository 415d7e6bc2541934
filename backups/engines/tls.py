"""What a port shows of TLS: its certificate, the versions it speaks, and whether it is trusted."""

import hashlib
import socket
import ssl
from dataclasses import dataclass

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class Shown:
    """One look at a port; `problem` says in a sentence why nothing was shown."""

    fingerprint: str = ""
    leaf: str = ""
    version: str = ""
    problem: str = ""


def look(address: str, port: int, *, timeout: float = 3.0) -> Shown:
    """The certificate that is served, whoever trusts it or not; never raises."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with _connected(context, address, port, "", timeout) as line:
            der, version = line.getpeercert(binary_form=True) or b"", line.version() or ""
    except ssl.SSLError as error:
        return Shown(problem=f"{address}:{port} does not speak TLS ({reason_of(error)}).")
    except OSError as error:
        return Shown(problem=f"Nothing answers at {address}:{port} ({error.strerror or error}).")
    return Shown(
        hashlib.sha256(der).hexdigest(),
        ssl.DER_cert_to_PEM_cert(der),
        version.removeprefix("TLSv"),
    )


def speaks(address: str, port: int, version: str, *, timeout: float = 3.0) -> bool:
    """Whether it takes a client that knows this version alone; OSError when nobody is there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = VERSIONS[version]
    try:
        with _connected(context, address, port, "", timeout):
            return True
    except (ssl.SSLError, ConnectionResetError):
        return False


def distrust(address: str, port: int, name: str, anchors: str, *, timeout: float = 3.0) -> str:
    """Why a client that trusts these certificates (PEM) refuses the line; empty when it does not.

    `name` is the name under which the client reaches the port.
    """
    context = ssl.create_default_context(cadata=anchors)
    # As restic does: what it was told to trust it trusts, also where that is no root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        with _connected(context, address, port, name, timeout):
            return ""
    except ssl.SSLError as error:
        return reason_of(error)
    except OSError as error:
        return error.strerror or str(error)


def reason_of(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or "broken off").replace("_", " ").lower()


def _connected(
    context: ssl.SSLContext, address: str, port: int, name: str, timeout: float
) -> ssl.SSLSocket:
    plain = socket.create_connection((address, port), timeout=timeout)
    try:
        return context.wrap_socket(plain, server_hostname=name or None)
    except BaseException:
        plain.close()
        raise
