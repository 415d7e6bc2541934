"""What is said besides the errors of a way up: its end, its order, and what nobody needs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cryptography import x509

from backups.engines.certificate_facts import facts
from backups.engines.certificate_form import form_of
from backups.engines.certificate_keys import identity
from backups.engines.certificate_material import Material
from backups.engines.certificate_paths import Path, wrongly_signed
from backups.engines.certificate_values import Finding

# What may have been meant for the pair, so that a person has to look at it.
_MATTERS = {"cut-off", "broken-certificate", "broken-pkcs7", "too-many", "too-large"}


def left_out(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What was brought besides a pair that is complete is no error."""
    for finding in findings:
        if finding.code in _MATTERS:
            yield finding
        else:
            sentence = f"{finding.sentence} It is left out."
            yield replace(finding, level="note", sentence=sentence, advice="")


def is_authority(certificate: x509.Certificate) -> bool:
    return bool(form_of(certificate).extensions.is_authority)


def anchor_findings(path: Path, material: Material) -> Iterator[Finding]:
    top = path.served[-1]
    if path.anchor == path.served[0]:
        yield Finding(
            "self-signed",
            "note",
            "It signs itself, so each host has to be given it: --cacert.",
        )
    elif path.anchor is None and (impostor := wrongly_signed(path, material.certificates)):
        yield _error(
            "signature-wrong",
            f"{facts(impostor).subject} has the right name, but did not sign it.",
            "Bring the certificate of the authority that did.",
        )
    elif path.anchor is None and _has_stray_authority(path, material):
        yield _error(
            "chain-incomplete",
            f"The certificate of {facts(top).issuer} is missing in between.",
            "Bring the whole chain; authorities call it fullchain or bundle.",
        )
    elif path.anchor is None:
        yield Finding(
            "issuer-unknown",
            "warning",
            f"{facts(top).issuer}, which signed it, is not known here.",
            "Bring its certificate as well: without it hosts refuse, unless they have it already.",
        )


def _has_stray_authority(path: Path, material: Material) -> bool:
    """One that was brought along, surely because the way leads there."""
    return any(is_authority(one) for one in material.certificates if one not in path.served)


def order_findings(path: Path, material: Material) -> Iterator[Finding]:
    brought = [one for one in material.certificates if one in path.served]
    if brought != [one for one in path.served if one in brought]:
        yield Finding("order-mended", "note", "The chain is put in order, the server's own first.")
    others = [one for one in material.certificates if one not in path.all]
    former = [one for one in others if identity(one) == identity(path.served[0])]
    for one in former:
        ends = f"{one.not_valid_before_utc:%d %b %Y} to {one.not_valid_after_utc:%d %b %Y}"
        sentence = f"Another certificate of the same key is left out: it lasts from {ends}."
        yield Finding("former-left-out", "note", sentence)
    count = len(others) - len(former)
    if count and path.anchor is not None:
        sentence = f"{count} other certificate{'s are' if count > 1 else ' is'} left out."
        yield Finding("others-left-out", "note", sentence)


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
