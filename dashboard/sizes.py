"""Sizes as people write them: "500 GiB", "2 TB", and bytes alone."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from backups.engines.sizes import size_text

_UNITS: dict[str, int] = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgtp", 1)
    for suffix, base in (("", 1024), ("ib", 1024), ("b", 1000))
}
_SIZE = re.compile(r"(\d{1,19}(?:[.,]\d{1,6})?)\s*([a-z]{0,3})", re.ASCII)
_MOST = 2**63 - 1


def bytes_of(text: str) -> int:
    """ValueError for what is no size."""
    match = _SIZE.fullmatch(text.strip().lower().replace("bytes", "b").replace("byte", "b"))
    if match is None or match[2] not in _UNITS:
        raise ValueError(text)
    # A float would lose the last bytes of what is large.
    return round(Decimal(match[1].replace(",", ".")) * _UNITS[match[2]])


class SizeField(forms.CharField):
    """A size with its unit, as bytes; empty is None."""

    def __init__(self, *, least: int = 1, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(required=False, **kwargs)
        self.least = least

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            count = bytes_of(text)
        except ValueError:
            raise ValidationError("Write it as 500 GiB, 2 TB, or a number of bytes.") from None
        if not self.least <= count <= _MOST:
            raise ValidationError(f"It is at least {size_text(self.least)}.")
        return count

    def prepare_value(self, value: Any) -> Any:
        return size_text(value).replace(",", "") if isinstance(value, int) else value
