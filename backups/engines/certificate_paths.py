"""All ways from a certificate up to what hosts trust, as Go's crypto/x509 tries them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

from backups.engines.certificate_facts import load_all
from backups.engines.certificate_form import form_of
from backups.engines.certificate_signatures import is_named, is_signed_by

# Signatures that are looked at, as many as Go does; and ways that are compared.
_MOST_LOOKS, _MOST_PATHS = 100, 30


@dataclass(frozen=True, slots=True)
class Path:
    """What the server is to send, leaf first, and what that leads to, if it is known."""

    served: tuple[x509.Certificate, ...]
    anchor: x509.Certificate | None

    @property
    def all(self) -> tuple[x509.Certificate, ...]:
        is_apart = self.anchor is not None and self.anchor not in self.served
        return (*self.served, self.anchor) if self.anchor and is_apart else self.served


@lru_cache(maxsize=16)
def loaded(text: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM text; the store of a system has some hundred and fifty."""
    return tuple(load_all(text))


@dataclass(slots=True)
class _Search:
    pool: Sequence[x509.Certificate]
    trusted: Sequence[x509.Certificate]
    looks: int = 0

    def above(self, served: tuple[x509.Certificate, ...]) -> Iterator[Path]:
        here = served[-1]
        if here in self.trusted or self._has_signed(here, here):
            yield Path(served[:-1] or served, here)
            if here not in self.trusted or len(served) == 1:
                return
        anchors, issuers = (
            [one for one in self._issuers(here, pool) if not _is_in_circle(one, served)]
            for pool in (self.trusted, self.pool)
        )
        for anchor in anchors:
            yield Path(served, anchor)
        for issuer in issuers:
            if issuer not in anchors:
                yield from self.above((*served, issuer))
        if not (anchors or issuers or here in self.trusted):
            yield Path(served, None)

    def _issuers(
        self, certificate: x509.Certificate, candidates: Sequence[x509.Certificate]
    ) -> list[x509.Certificate]:
        """Those that last longest first: an authority may have renewed its own."""
        signers = [other for other in candidates if self._has_signed(other, certificate)]
        return sorted(signers, key=lambda signer: signer.not_valid_after_utc, reverse=True)

    def _has_signed(self, issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
        if not is_named(certificate, issuer):
            return False
        self.looks += 1
        return self.looks <= _MOST_LOOKS and is_signed_by(certificate, issuer)


def _is_in_circle(issuer: x509.Certificate, served: Iterable[x509.Certificate]) -> bool:
    """Whether one of the same name and key is on the way already."""
    own = form_of(issuer)
    below = ((form.subject, form.public_key) for form in map(form_of, served))
    return (own.subject, own.public_key) in below


def paths_from(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    anchors: Iterable[x509.Certificate],
) -> list[Path]:
    """All ways up, each to an anchor, to one that signs itself, or as far as the others lead."""
    trusted = list(dict.fromkeys(anchors))
    search = _Search([other for other in others if other != leaf], trusted)
    found = []
    for path in search.above((leaf,)):
        found.append(path)
        if len(found) == _MOST_PATHS:
            break
    return found or [Path((leaf,), None)]


def wrongly_signed(path: Path, others: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """One that has the name of the issuer that is missing, but did not sign."""
    top = path.served[-1]
    named = (other for other in others if other != top and is_named(top, other))
    return next((other for other in named if not is_signed_by(top, other)), None)
