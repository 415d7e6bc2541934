"""The verdict on what was brought: what rest-server and its hosts would say, before they do."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from backups.engines.certificate_chain import best_path, path_findings
from backups.engines.certificate_facts import facts, render
from backups.engines.certificate_form import form_of
from backups.engines.certificate_keys import identity, identity_of, load_key, render_key
from backups.engines.certificate_leaf import leaf_findings, now_or
from backups.engines.certificate_paths import Path, loaded, wrongly_signed
from backups.engines.certificate_reading import Material, read
from backups.engines.certificate_signatures import is_signed_by
from backups.engines.certificate_values import Checked, Finding, Pair, in_order

# What restic takes, and stricter clients do not.
_MINDED_BY_OTHERS = frozenset({"key-weak", "key-usage", "purpose-any", "issuer-key-weak"})


def check(
    files: Iterable[bytes],
    *,
    names: Iterable[str],
    password: str = "",
    keys: Iterable[str] = (),
    anchors: Iterable[str] = (),
    now: datetime | None = None,
) -> Checked:
    """Judge certificate, chain and key in any order and format; bad input is a finding.

    `names` are those that hosts use; `keys` (PEM) are known here and need not be brought;
    `anchors` (PEM) are what hosts may trust.
    """
    material = read(files, password)
    known = [key for text in keys if (key := load_key(text)) is not None]
    leaf = _leaf_of(material, known)
    if leaf is None:
        return Checked(in_order([*material.findings, *_nothing(material)]), None, None)
    trusted = [anchor for text in anchors for anchor in loaded(text)]
    path = best_path(leaf, material.certificates, trusted, now_or(now))
    key = _key_of(leaf, [*material.keys, *known])
    found = [
        *material.findings,
        *_key_findings(material, key),
        *leaf_findings(leaf, names, now_or(now)),
        *path_findings(path, now_or(now)),
        *_anchor_findings(path, material),
        *_order_findings(path, material),
    ]
    findings = in_order(found)
    has_errors = any(finding.level == "error" for finding in findings)
    pair = None if has_errors or key is None else _pair(path, key)
    return Checked(findings, pair, facts(leaf))


def refusal(chain: str, anchors: str, names: Iterable[str], now: datetime | None = None) -> str:
    """Why a client that trusts these certificates alone refuses the chain; "" if it does not."""
    served = loaded(chain)
    if not served:
        return "there is no certificate"
    moment, trusted = now_or(now), loaded(anchors)
    # One that signs itself is an end only where it is trusted.
    ends = {one for one in served[1:] if is_signed_by(one, one)} - set(trusted)
    path = best_path(served[0], [one for one in served if one not in ends], trusted, moment)
    if path.anchor is None or path.anchor not in trusted:
        return f"it does not trust {facts(path.served[-1]).issuer}"
    found = [*leaf_findings(served[0], names, moment), *path_findings(path, moment)]
    errors = (f for f in found if f.level == "error" and f.code not in _MINDED_BY_OTHERS)
    return next((finding.sentence.rstrip(".") for finding in errors), "")


def _leaf_of(material: Material, known: list[PrivateKeyTypes]) -> x509.Certificate | None:
    """The one that a key belongs to; else the first that is no authority."""
    keys = {identity_of(key) for key in (*material.keys, *known)} - {b""}
    fitting = [one for one in material.certificates if identity(one) in keys]
    if not fitting and material.has_broken_certificate:
        return None
    ordinary = (one for one in material.certificates if not _is_authority(one))
    return next(iter(fitting), next(ordinary, next(iter(material.certificates), None)))


def _is_authority(certificate: x509.Certificate) -> bool:
    return bool(form_of(certificate).extensions.is_authority)


def _key_of(leaf: x509.Certificate, keys: list[PrivateKeyTypes]) -> PrivateKeyTypes | None:
    return next((key for key in keys if identity_of(key) == identity(leaf) != b""), None)


def _nothing(material: Material) -> Iterator[Finding]:
    if any(finding.level == "error" for finding in material.findings) and not material.keys:
        return
    if material.has_broken_certificate:
        return
    if material.keys:
        yield _error(
            "no-certificate",
            "This is a private key, but its certificate is missing.",
            "Bring the certificate as well.",
        )
    else:
        yield _error("nothing", "There is nothing in it.", "Bring a certificate and its key.")


def _key_findings(material: Material, key: PrivateKeyTypes | None) -> Iterator[Finding]:
    if key is not None or material.has_closed_key:
        return
    if material.keys:
        yield _error(
            "key-mismatch",
            "The key does not belong to the certificate.",
            "Bring the key that the certificate was made for.",
        )
    else:
        yield _error("no-key", "Its private key is missing.", "Bring the key as well.")


def _anchor_findings(path: Path, material: Material) -> Iterator[Finding]:
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
    return any(_is_authority(one) for one in material.certificates if one not in path.served)


def _order_findings(path: Path, material: Material) -> Iterator[Finding]:
    brought = [one for one in material.certificates if one in path.served]
    if brought != [one for one in path.served if one in brought]:
        yield Finding("order-mended", "note", "The chain is put in order, the server's own first.")
    others = [one for one in material.certificates if one not in path.all]
    if others and path.anchor is not None:
        count = len(others)
        sentence = f"{count} other certificate{'s are' if count > 1 else ' is'} left out."
        yield Finding("others-left-out", "note", sentence)


def _pair(path: Path, key: PrivateKeyTypes) -> Pair:
    root = render(path.anchor) if path.anchor is not None else ""
    chain = "".join(render(one) for one in path.served)
    return Pair(facts(path.served[0]), chain, render_key(key), root)


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
