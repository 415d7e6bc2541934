"""What a container has used, from what the engine counts of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums since its start, but for the memory, which is that of now; all else in bytes."""

    cpu_seconds: float
    memory: int
    received: int
    sent: int
    read: int
    written: int


def read(stats: dict[str, Any]) -> Usage | None:
    """None where the engine had nothing to say, as of a container that just ended."""
    memory = stats.get("memory_stats") or {}
    if not memory.get("usage"):
        return None
    networks = (stats.get("networks") or {}).values()
    disk = (stats.get("blkio_stats") or {}).get("io_service_bytes_recursive") or []
    return Usage(
        cpu_seconds=stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        memory=memory["usage"] - _cached(memory.get("stats") or {}),
        received=sum(network["rx_bytes"] for network in networks),
        sent=sum(network["tx_bytes"] for network in networks),
        read=_sum(disk, "read"),
        written=_sum(disk, "write"),
    )


def _cached(details: dict[str, int]) -> int:
    """Pages that the kernel takes back at will, as `docker stats` leaves them out; cgroup 2, 1."""
    return details.get("inactive_file", details.get("total_inactive_file", 0))


def _sum(entries: Iterable[dict[str, Any]], kind: str) -> int:
    return sum(entry["value"] for entry in entries if entry["op"].lower() == kind)
