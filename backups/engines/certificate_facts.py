"""What a certificate says of itself, and whether a key belongs to it."""

import warnings
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from backups.engines.certificate_form import common_name, form_of, in_full
from backups.engines.certificate_keys import TROUBLE, identity, identity_of, key_kind, load_key
from backups.engines.certificate_names import Address
from backups.engines.certificate_pem import certificate_ders, pem
from backups.engines.certificate_signatures import is_signed_by
from backups.engines.certificate_values import Facts
from backups.engines.errors import EngineError


def facts_of(chain: str) -> Facts:
    """Of the first certificate of a PEM text; EngineError when there is none."""
    certificate = next(iter(load_all(chain)), None)
    if certificate is None:
        raise EngineError("This is no certificate. It begins with -----BEGIN CERTIFICATE-----.")
    return facts(certificate)


def fits(chain: str, key: str) -> bool:
    """Whether a PEM key, unencrypted, belongs to the first certificate of a chain."""
    certificate = next(iter(load_all(chain)), None)
    private = load_key(key)
    if certificate is None or private is None:
        return False
    return identity_of(private) == identity(certificate) != b""


def load_all(text: str) -> list[x509.Certificate]:
    """The certificates of a PEM text that can be read, in its order."""
    found = (load(der) for der in certificate_ders(text))
    return [certificate for certificate in found if certificate is not None]


def load(der: bytes) -> x509.Certificate | None:
    """One certificate, all parts of which can be read."""
    try:
        # In the store of every system there is one with a serial number that no rule allows.
        with warnings.catch_warnings(action="ignore", category=CryptographyDeprecationWarning):
            certificate = x509.load_der_x509_certificate(der)
            facts(certificate)
    except TROUBLE:
        return None
    return certificate


def render(certificate: x509.Certificate) -> str:
    return pem("CERTIFICATE", certificate.public_bytes(Encoding.DER))


def facts(certificate: x509.Certificate) -> Facts:
    """May raise one of TROUBLE, where load() has not tried before."""
    dns, addresses = names_in(certificate)
    names = (*dns, *map(str, addresses))
    return Facts(
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        subject=_called(form_of(certificate).subject, names),
        issuer=_called(form_of(certificate).issuer, ()),
        names=names,
        key_kind=key_kind(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_self_signed=is_signed_by(certificate, certificate),
    )


def names_in(certificate: x509.Certificate) -> tuple[list[str], list[Address]]:
    """The DNS names and the IP addresses that it is good for."""
    found = form_of(certificate).extensions
    return found.dns, found.addresses


def _called(name: bytes, others: Iterable[str]) -> str:
    texts = (common_name(name), *others, in_full(name))
    text = next((text for text in texts if text.strip()), "no name")
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:255]
