"""Certificates of servers: read in any form, judged as restic would, and made.

What reads and judges is loaded with its first use: most processes have no certificate to judge.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from backups.engines.certificate_pem import bundle
from backups.engines.certificate_values import (
    KINDS,
    Checked,
    Facts,
    Finding,
    Level,
    Pair,
    Request,
)

if TYPE_CHECKING:
    from backups.engines.certificate_checks import check, refusal
    from backups.engines.certificate_facts import facts_of, fits
    from backups.engines.certificate_making import (
        make_authority,
        make_certificate,
        make_request,
        make_self_signed,
    )
    from backups.engines.certificate_names import general_name

__all__ = [
    "KINDS",
    "Checked",
    "Facts",
    "Finding",
    "Level",
    "Pair",
    "Request",
    "bundle",
    "check",
    "facts_of",
    "fits",
    "general_name",
    "make_authority",
    "make_certificate",
    "make_request",
    "make_self_signed",
    "refusal",
]
_MAKING = ("make_authority", "make_certificate", "make_request", "make_self_signed")
_HOMES = {
    **dict.fromkeys(("check", "refusal"), "certificate_checks"),
    **dict.fromkeys(("facts_of", "fits"), "certificate_facts"),
    **dict.fromkeys(_MAKING, "certificate_making"),
    "general_name": "certificate_names",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"backups.engines.{_HOMES[name]}"), name)
