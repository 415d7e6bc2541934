"""Ports of 127.0.0.1 for what tests start."""

import os
import random
from collections.abc import Iterator

from backups.management.supervisor import is_free

# Below those that the kernel gives to connections, any of which could take one away.
_RANGE = (20_000, 32_000)


def free_ports() -> Iterator[int]:
    """Those that nobody listens on, never one twice; test processes side by side share none."""
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    step = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = list(range(_RANGE[0] + own, _RANGE[1], step))
    random.Random().shuffle(ports)
    return (port for port in ports if is_free("127.0.0.1", port))
