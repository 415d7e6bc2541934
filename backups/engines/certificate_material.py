"""What was found in the files that were brought, and how much may be found in them."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from backups.engines.certificate_opening import TooMuchError
from backups.engines.certificate_rounds import MOST_ROUNDS, rounds_of
from backups.engines.certificate_values import Finding

MOST_CERTIFICATES, MOST_KEYS = 20, 10


@dataclass(slots=True)
class Material:
    """Certificates and keys in the order in which they came, and what else was found."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    keys: list[PrivateKeyTypes] = field(default_factory=list, repr=False)
    findings: list[Finding] = field(default_factory=list)
    # An encrypted key was there, but could not be opened.
    has_closed_key: bool = False
    has_broken_certificate: bool = False
    seen: set[bytes] = field(default_factory=set, repr=False)
    tries: int = 0
    rounds: int = 0

    def error(self, code: str, sentence: str, advice: str = "") -> None:
        self.findings.append(Finding(code, "error", sentence, advice))

    def stranger(self, code: str, what: str, advice: str) -> None:
        self.error(code, f"This is {what}, no certificate.", advice)

    def may_try(self, weight: int) -> bool:
        """Whether one more key is opened: each may cost some time."""
        self.tries += weight
        if self.tries > MOST_KEYS:
            self.too_many()
        return self.tries <= MOST_KEYS

    def count_rounds(self, der: bytes) -> None:
        self.rounds += rounds_of(der)
        if self.rounds > MOST_ROUNDS:
            raise TooMuchError

    def too_many(self) -> None:
        self.error(
            "too-many",
            f"There are more than {MOST_CERTIFICATES} certificates or {MOST_KEYS} keys in it.",
            "Bring the one for the server with its key, and those that it was signed by.",
        )

    def too_much(self, what: str) -> None:
        self.error(
            "too-much-work",
            f"To open the {what} would take too long.",
            "Bring the key without a password, or encrypted anew, as by openssl pkcs8 -topk8.",
        )
