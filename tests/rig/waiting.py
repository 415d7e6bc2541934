"""Waiting for what happens by itself."""

import time
from collections.abc import Callable


def wait_until(
    is_so: Callable[[], object], seconds: float, explain: Callable[[], str] = lambda: ""
) -> None:
    """Ask ten times a second; after `seconds` fail with what `explain` says."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:g} s. {explain()}"
        time.sleep(0.1)
