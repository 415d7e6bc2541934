"""The house itself: its database, made and brought up to date by whoever comes first."""

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from backups import engines


def prepare_database() -> None:
    """Make or migrate the database; of several processes at once, one does it."""
    with engines.lock_file("database").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _keep_private()
        connection = connections[DEFAULT_DB_ALIAS]
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)


def _keep_private() -> None:
    """SQLite would make its file readable for everybody; what it adds later follows its mode."""
    database = connections[DEFAULT_DB_ALIAS].settings_dict
    if not database["ENGINE"].endswith("sqlite3") or not Path(database["NAME"]).is_absolute():
        return
    with suppress(PermissionError):
        descriptor = os.open(database["NAME"], os.O_RDONLY | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)


def prepare_static() -> None:
    """Collect and compress the static files, unless they are those collected last."""
    root = Path(settings.STATIC_ROOT)
    stamp, state = root / ".collected", _static_state()
    if stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=root.exists())
    stamp.write_text(state)


def _static_state() -> str:
    """What the files look like from outside; reading them all would take longer than a start."""
    files = sorted(
        (path, storage.path(path))
        for finder in get_finders()
        for path, storage in finder.list(ignore_patterns=[])
    )
    digest = hashlib.sha256()
    for path, file in files:
        status = os.stat(file)  # noqa: PTH116 (thousands of Path objects cost more than the calls)
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
