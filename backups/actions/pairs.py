"""The pair of files that rest-server serves: written, kept aside, and put back as it was."""

from contextlib import suppress
from dataclasses import dataclass, field

from backups import engines
from backups.engines.errors import EngineError
from backups.models import Certificate, Server

# As rest-server looks for them where --tls names no others.
CHAIN, KEY = "public_key", "private_key"


@dataclass(frozen=True, slots=True)
class FilePair:
    """Both files as they are, whether they fit or not; None where there is none."""

    chain: bytes | None
    key: bytes | None = field(repr=False)

    @classmethod
    def of(cls, certificate: Certificate) -> "FilePair":
        key = engines.vault().open(certificate.encrypted_key)
        return cls(certificate.chain.encode(), key.encode())

    @classmethod
    def on(cls, server: Server) -> "FilePair":
        files = engines.files_of(server)
        return cls(files.read(CHAIN), files.read(KEY))

    def write_to(self, server: Server) -> None:
        """The key first; in between the two do not fit, so whoever is killed there does it again.

        A running server is not disturbed: it reads them at its start alone.
        """
        files = engines.files_of(server)
        for name, content, mode in ((KEY, self.key, 0o600), (CHAIN, self.chain, 0o644)):
            if content is not None:
                files.write(name, content, mode=mode)
            else:
                # A server that is seen by its engine alone may be unable to; nobody reads it then.
                with suppress(EngineError):
                    files.remove(name)

    def closed(self) -> dict[str, str]:
        """For the database, encrypted."""
        vault = engines.vault()
        both = ((CHAIN, self.chain), (KEY, self.key))
        return {
            name: vault.close(content.decode("latin-1")).decode()
            for name, content in both
            if content is not None
        }

    @classmethod
    def opened(cls, closed: dict[str, str]) -> "FilePair":
        vault = engines.vault()
        chain, key = (
            vault.open(closed[name].encode()).encode("latin-1") if name in closed else None
            for name in (CHAIN, KEY)
        )
        return cls(chain, key)
