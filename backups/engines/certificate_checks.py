"""The verdict on what was brought: what rest-server and its hosts would say, before they do."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from backups.engines.certificate_chain import best_path, path_findings
from backups.engines.certificate_facts import facts, render
from backups.engines.certificate_keys import identity, identity_of, load_key, render_key
from backups.engines.certificate_leaf import leaf_findings, now_or
from backups.engines.certificate_material import Material
from backups.engines.certificate_paths import Path, loaded
from backups.engines.certificate_reading import read
from backups.engines.certificate_remarks import (
    anchor_findings,
    is_authority,
    left_out,
    order_findings,
)
from backups.engines.certificate_signatures import is_signed_by
from backups.engines.certificate_values import Checked, Finding, Pair, in_order

# What restic takes, and stricter clients do not.
_MINDED_BY_OTHERS = frozenset(
    {"key-weak", "key-usage", "purpose-any", "issuer-key-weak", "limits-elsewhere"}
)


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
    names, moment = list(names), now_or(now)
    leaf = _leaf_of(material, known, names, moment)
    if leaf is None:
        return Checked(in_order([*material.findings, *_nothing(material)]), None, None)
    trusted = [anchor for text in anchors for anchor in loaded(text)]
    path = best_path(leaf, material.certificates, trusted, moment)
    key = _key_of(leaf, [*material.keys, *known])
    found = [
        *(material.findings if key is None else left_out(material.findings)),
        *_key_findings(material, key),
        *leaf_findings(leaf, names, moment),
        *path_findings(path, moment),
        *anchor_findings(path, material),
        *order_findings(path, material),
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


def _leaf_of(
    material: Material, known: list[PrivateKeyTypes], names: Sequence[str], now: datetime
) -> x509.Certificate | None:
    """The one that a key belongs to; else the first that is no authority."""
    keys = {identity_of(key) for key in (*material.keys, *known)} - {b""}
    fitting = [one for one in material.certificates if identity(one) in keys]
    if fitting:
        return max(fitting, key=lambda one: _fitness(one, names, now))
    if material.has_broken_certificate:
        return None
    ordinary = (one for one in material.certificates if not is_authority(one))
    return next(ordinary, next(iter(material.certificates), None))


def _fitness(leaf: x509.Certificate, names: Sequence[str], now: datetime) -> tuple[int, datetime]:
    """Of several certificates of a key the one with the least errors, which lasts longest."""
    errors = sum(finding.level == "error" for finding in leaf_findings(leaf, names, now))
    return -errors, leaf.not_valid_after_utc


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


def _pair(path: Path, key: PrivateKeyTypes) -> Pair:
    root = render(path.anchor) if path.anchor is not None else ""
    chain = "".join(render(one) for one in path.served)
    return Pair(facts(path.served[0]), chain, render_key(key), root)


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
