"""Private keys at rest: encrypted by a key that the database does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from backups.engines.errors import EngineError


def new_key() -> str:
    return Fernet.generate_key().decode()


@dataclass(frozen=True, slots=True)
class Vault:
    """Keys to encrypt with, newest first; the older ones still open what they closed."""

    keys: Sequence[str] = field(repr=False)

    def close(self, text: str) -> bytes:
        return self._fernet().encrypt(text.encode())

    def open(self, closed: "bytes | memoryview[int]") -> str:
        """EngineError when none of the keys has closed it."""
        try:
            return self._fernet().decrypt(bytes(closed)).decode()
        except InvalidToken:
            raise EngineError(
                "This private key was encrypted with another encryption key than the house has "
                "now. Put the former one behind the present one: ENCRYPTION_KEY=PRESENT,FORMER, "
                "or its line into the file encryption-key of the data folder."
            ) from None

    def close_anew(self, closed: "bytes | memoryview[int]") -> bytes:
        """With the newest key, whichever closed it before."""
        return self.close(self.open(closed))

    def _fernet(self) -> MultiFernet:
        try:
            return MultiFernet([Fernet(key) for key in self.keys])
        except ValueError:
            raise EngineError(
                "The encryption key of the house is none: it must be 32 bytes in URL-safe base64, "
                "such as `manage.py certificates new-key` prints."
            ) from None
