"""Certificates of servers: read in any form, judged as restic would, and made."""

from backups.engines.certificate_checks import check, refusal
from backups.engines.certificate_facts import facts_of, fits
from backups.engines.certificate_making import (
    KINDS,
    make_authority,
    make_certificate,
    make_request,
    make_self_signed,
)
from backups.engines.certificate_pem import bundle
from backups.engines.certificate_values import Checked, Facts, Finding, Level, Pair, Request

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
    "make_authority",
    "make_certificate",
    "make_request",
    "make_self_signed",
    "refusal",
]
