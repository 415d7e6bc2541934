"""Open what a password closes, within bounds: a file may ask for as much work as it likes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from backups.engines.certificate_der import first
from backups.engines.certificate_keys import TROUBLE

# An RSA key of 8192 bits has some 4,700 octets, and restic takes none that is longer.
MOST_OCTETS = 6000
_SECONDS = 1.2
# PKCS#12 can hide rounds behind rounds, and a key so long that to look at it takes hours: it is
# opened by a process of its own, whose time is limited.
_PROGRAM = f"""
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
signal.setitimer(signal.ITIMER_PROF, {_SECONDS})
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, pkcs12)
size = int.from_bytes(sys.stdin.buffer.read(4), "big")
secret = sys.stdin.buffer.read(size)
content = sys.stdin.buffer.read()
for password in dict.fromkeys([secret, None, b""] if secret else [None, b""]):
    try:
        found = pkcs12.load_pkcs12(content, password)
    except Exception:
        continue
    if found.key is not None:
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        sys.stdout.buffer.write(found.key.private_bytes(*form))
    for part in (found.cert, *found.additional_certs):
        if part is not None:
            sys.stdout.buffer.write(part.certificate.public_bytes(Encoding.PEM))
    sys.exit(0)
sys.exit(1)
"""


class PasswordWantedError(Exception):
    """It is encrypted, and no password was given."""


class PasswordWrongError(Exception):
    """It is encrypted with another password."""


class TooMuchError(Exception):
    """To open it would take too long."""


def open_pem(content: bytes, der: bytes, password: str) -> PrivateKeyTypes:
    return _opened(
        lambda secret: load_pem_private_key(content, secret, unsafe_skip_rsa_key_validation=True),
        der,
        password,
    )


def open_der(der: bytes, password: str) -> PrivateKeyTypes:
    return _opened(
        lambda secret: load_der_private_key(der, secret, unsafe_skip_rsa_key_validation=True),
        der,
        password,
    )


def _opened(
    open_with: Callable[[bytes | None], PrivateKeyTypes], der: bytes, password: str
) -> PrivateKeyTypes:
    if len(der) > MOST_OCTETS and first(der).whole == der:
        raise TooMuchError
    try:
        return _sound(open_with(None))
    except TypeError:
        # How the library says that there must be a password.
        if not password:
            raise PasswordWantedError from None
    try:
        return _sound(open_with(password.encode(errors="surrogatepass")))
    except UnsupportedAlgorithm:
        raise
    except TROUBLE:
        raise PasswordWrongError from None


def _sound(key: PrivateKeyTypes) -> PrivateKeyTypes:
    """The library would look for primes as well, which takes seconds and which Go does not do."""
    if isinstance(key, rsa.RSAPrivateKey):
        n = key.private_numbers()
        is_sound = (
            n.p * n.q == n.public_numbers.n
            and min(n.p, n.q) > 1
            and n.d * n.public_numbers.e % (n.p - 1) == n.d * n.public_numbers.e % (n.q - 1) == 1
            and (n.dmp1, n.dmq1) == (n.d % (n.p - 1), n.d % (n.q - 1))
            and n.iqmp * n.q % n.p == 1
        )
        if not is_sound:
            raise ValueError("The numbers of this key contradict each other.")
    return key


def open_pkcs12(content: bytes, password: str) -> str:
    """PEM of all that is in it."""
    secret = password.encode(errors="surrogatepass")
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-I", "-W", "ignore", "-c", _PROGRAM],
        input=len(secret).to_bytes(4, "big") + secret + content,
        capture_output=True,
        cwd=Path("/"),
        env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
    )
    if done.returncode < 0:
        raise TooMuchError
    if done.returncode:
        raise PasswordWrongError if password else PasswordWantedError
    return done.stdout.decode()
