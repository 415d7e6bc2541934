"""What people take for a certificate: by how it begins, what it is, and what to do."""

WANTED = "Bring the certificate itself: it begins with -----BEGIN CERTIFICATE-----."
Stranger = tuple[bytes, str, str, str]
BINARIES: tuple[Stranger, ...] = (
    (b"PK\x03\x04", "zip", "a zip archive", "Unpack it, and bring what is in it."),
    (b"\x1f\x8b", "gzip", "a gzip archive", "Unpack it, and bring what is in it."),
    (b"%PDF", "document", "a PDF document", WANTED),
    (b"\xff\xd8\xff", "image", "a picture", WANTED),
    (b"\x89PNG", "image", "a picture", WANTED),
    (b"\xfe\xed\xfe\xed", "java-keystore", "a Java keystore", "Export it as PKCS#12."),
)
TEXTS: tuple[Stranger, ...] = (
    (b"<", "web-page", "a web page or XML", WANTED),
    (b"ssh-", "ssh-key", "a public key of SSH", WANTED),
    (b"ecdsa-", "ssh-key", "a public key of SSH", WANTED),
    (b"PuTTY-", "ssh-key", "a key of PuTTY", WANTED),
)
# By the label of a PEM block.
LABELS: dict[str, tuple[str, str, str]] = {
    "OPENSSH PRIVATE KEY": ("ssh-key", "a private key of SSH", WANTED),
    "SSH2 PUBLIC KEY": ("ssh-key", "a public key of SSH", WANTED),
    "PUBLIC KEY": ("public-key", "a public key", WANTED),
    "RSA PUBLIC KEY": ("public-key", "a public key", WANTED),
    "CERTIFICATE REQUEST": (
        "request",
        "a signing request",
        "An authority has to sign it first; bring its answer.",
    ),
    "NEW CERTIFICATE REQUEST": (
        "request",
        "a signing request",
        "An authority has to sign it first; bring its answer.",
    ),
    "PGP MESSAGE": ("pgp", "a message of PGP", WANTED),
    "PGP PUBLIC KEY BLOCK": ("pgp", "a key of PGP", WANTED),
    "PGP PRIVATE KEY BLOCK": ("pgp", "a key of PGP", WANTED),
}


def stranger_in(content: bytes, known: tuple[Stranger, ...]) -> tuple[str, str, str] | None:
    """By how it begins: its code, what it is, and what to do."""
    return next((rest for start, *rest in known if content.startswith(start)), None)  # type: ignore[return-value]
