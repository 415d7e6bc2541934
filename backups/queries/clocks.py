"""Clocks: how far a host's is from ours, in words."""

from backups.models import Host

# A report on its way takes up to a few seconds, which look like a clock that is behind.
_NOTHING = 5
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def clock_of(host: Host) -> str:
    """As far as it matters."""
    if host.clock_offset is None:
        return "not compared yet"
    seconds = host.clock_offset.total_seconds()
    if abs(seconds) < _NOTHING:
        return "agrees with ours"
    return f"{_amount(abs(seconds))} {'ahead' if seconds > 0 else 'behind'}"


def clock_finding(host: Host) -> str:
    """What a wrong clock does, as sentences; empty where it is right."""
    if not host.has_wrong_clock:
        return ""
    return (
        f"It is {clock_of(host)}, as its last report shows. The times of its runs and snapshots "
        "are as wrong, its backups may seem late, and certificates expired or not yet valid."
    )


def _amount(seconds: float) -> str:
    for span, name, few in ((_DAY, "days", 2), (_HOUR, "h", 2), (_MINUTE, "min", 2)):
        if seconds >= few * span:
            return f"{seconds / span:.0f} {name}"
    return f"{seconds:.0f} s"
