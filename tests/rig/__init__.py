"""The real parts that the tests use: made once, kept in .rig/, and named where they are missing."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIG = ROOT / ".rig"


def missing(how_to_get_it: str) -> NoReturn:
    """Skip the test with a sentence that helps; in CI nothing may be skipped."""
    if os.environ.get("CI"):
        pytest.fail(how_to_get_it, pytrace=False)
    pytest.skip(how_to_get_it)


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Let one process at a time make the part, also where several test runs share .rig/."""
    RIG.mkdir(exist_ok=True)
    with (RIG / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def recipe_of(*ingredients: str | Path) -> str:
    """A short digest of texts and files: a part is made again when its recipe changed."""
    digest = hashlib.sha256()
    for ingredient in ingredients:
        content = ingredient.read_text() if isinstance(ingredient, Path) else ingredient
        digest.update(content.encode() + b"\0")
    return digest.hexdigest()[:16]
