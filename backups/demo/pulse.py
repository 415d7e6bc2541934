"""Keeps a demonstration awake: without it every host would be silent after a quarter of an hour."""

from datetime import datetime, timedelta
from itertools import count
from threading import Event

from django.db.models import F
from django.utils import timezone

from backups.models import Handshake, Host, Run, Sample, Server
from backups.models.hosts import SILENT_AFTER

_EVERY_SECONDS = 15


def keep_awake(filled: datetime, stop: Event) -> None:
    """Let the hosts report that did so when the folder was filled, and the running run go on."""
    for beat in count():
        now = timezone.now()
        Host.objects.filter(reported__gte=filled - SILENT_AFTER).update(reported=now)
        Server.objects.live().update(proven=now, scanned=now)
        Handshake.objects.update(looked=now)
        Sample.objects.update(at=F("at") + timedelta(seconds=_EVERY_SECONDS))
        _go_on(percent=35 + beat % 60, now=now)
        if stop.wait(_EVERY_SECONDS):
            return


def _go_on(*, percent: int, now: datetime) -> None:
    """From 35 to 95 in a quarter of an hour, and again."""
    Run.objects.running().update(
        percent=percent,
        bytes_done=F("bytes_total") * percent / 100,
        seconds_left=(100 - percent) * _EVERY_SECONDS,
        reported=now,
    )
