"""The key that an address shows, where no authority of the system vouches for it."""

import base64
import hashlib
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backups.engines import tls


def pin_shown_at(url: str, *, timeout: float = 1.0) -> str:
    """As `curl --pinnedpubkey` names it; empty where a client trusts the line without, at plain
    HTTP, and where nothing answers."""
    address = urlsplit(url)
    name, port = address.hostname or "", address.port or 443
    if address.scheme != "https" or not tls.distrust(name, port, name, "", timeout=timeout):
        return ""
    leaf = tls.look(name, port, timeout=timeout).leaf
    return pin_of(leaf) if leaf else ""


def pin_of(leaf: str) -> str:
    key = x509.load_pem_x509_certificate(leaf.encode()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return f"sha256//{base64.b64encode(digest.digest()).decode()}"
