"""Lines of the long lists, each cell as it is shown: a template would take far longer over it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import NamedTuple

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from backups.models import Event, Host, Repository, Unit
from backups.models.addresses import address
from backups.queries.fleet import Row
from backups.queries.ledger import Line
from backups.queries.witnesses import Testimony
from dashboard import drawing
from dashboard.templatetags.ui import (
    NOTHING,
    ago,
    change,
    duration,
    from_to,
    moment,
    score,
    size,
    state,
)
from dashboard.templatetags.ui import with_code as _with_code

_EMPTY = SafeString("")
_NOTHING = SafeString(NOTHING)


class HostCells(NamedTuple):
    """One host of the fleet."""

    url: str
    name: str
    about: SafeString
    state: SafeString
    days: SafeString
    arrived: str
    due: str
    size: str
    restic: str
    exposure: str
    heard: str


class JobCells(NamedTuple):
    """One job of the overview; a plain one steps back where another needs somebody."""

    is_plain: bool
    url: str
    host: str
    job: str
    state: SafeString
    days: SafeString
    words: str
    arrived: str
    added: str
    exposure: str
    due: str


class RunCells(NamedTuple):
    """One run, as its host and the disk tell it."""

    url: str
    time: str
    host_url: str
    host: str
    job: str
    said: str
    disk: str
    together: SafeString
    took: str
    added: str


class UnitCells(NamedTuple):
    """One unit of the fleet."""

    url: str
    host: str
    name: str
    score: SafeString
    trend: SafeString
    change: str
    worst: SafeString
    changed: str
    scored: str


class RepositoryCells(NamedTuple):
    """One repository of a disk."""

    path: str
    server: str
    state: SafeString
    user: SafeString | str
    arrived: str
    snapshots: int
    size: str
    seen: str


class EventCells(NamedTuple):
    """One line of the book of events."""

    at: SafeString
    by: str
    what: str
    outcome: SafeString | str


def of_hosts(rows: Iterable[Row]) -> Iterator[HostCells]:
    for row in rows:
        host, worst = row.host, row.worst
        yield HostCells(
            url=_plain(host.get_absolute_url()),
            name=_plain(host.name),
            about=_small(host.note) + _small(host.group),
            state=state(*row.standing) + _one_of(row),
            days=drawing.days(worst.marks, str(worst.job)) if worst else _EMPTY,
            arrived=ago(row.last_arrived),
            due=moment(row.due) if row.due else _NOTHING,
            size=_plain(size(row.size)),
            restic=_plain(host.restic or NOTHING),
            exposure=_exposure_in_fleet(row),
            heard=ago(host.reported),
        )


def of_jobs(lines: Iterable[Line], *, is_calm: bool) -> Iterator[JobCells]:
    for line in lines:
        job, run = line.job, line.job.last_run
        yield JobCells(
            is_plain=line.is_plain and not is_calm,
            url=job.get_absolute_url(),
            host=job.host.name,
            job=job.name,
            state=state(line.state, line.words),
            days=drawing.days(line.marks, str(job)),
            words=drawing.in_words(line.marks),
            arrived=ago(job.last_arrived),
            added=size(run.bytes_added) if run else NOTHING,
            exposure=exposure(job.unit, job.host),
            due=_due(line),
        )


def of_runs(entries: Iterable[Testimony]) -> Iterator[RunCells]:
    for entry in entries:
        run = entry.run
        kind = "" if run.kind == run.Kind.BACKUP else f", {run.get_kind_display().lower()}"
        read = f", {size(run.bytes_processed)}" if run.bytes_processed else ""
        yield RunCells(
            url=_plain(run.get_absolute_url()),
            time=_plain(f"{timezone.localtime(run.started):%H:%M}"),
            host_url=_plain(run.job.get_absolute_url()),
            host=_plain(run.job.host.name),
            job=_plain(f"{run.job.name}{kind}"),
            said=_plain(f"{entry.host}{read}"),
            disk=_plain(entry.disk),
            together=state(entry.state, entry.together) + _progress(entry),
            took=_plain(_took(entry)),
            added=_plain(size(run.bytes_added)),
        )


def of_units(units: Iterable[Unit]) -> Iterator[UnitCells]:
    for unit in units:
        tenths = "" if unit.exposure is None else score(unit.exposure)
        yield UnitCells(
            url=_plain(unit.get_absolute_url()),
            host=_plain(unit.host.name),
            name=_plain(unit.name),
            score=state(unit.state, f"{tenths} {unit.verdict}".strip()),
            trend=drawing.spark(unit.trend, from_to(unit.trend), 100) if unit.trend else _EMPTY,
            change=_plain(change(unit.change)) if unit.change else _NOTHING,
            worst=_worst(unit),
            changed=ago(unit.text_changed),
            scored=ago(unit.assessed),
        )


def of_repositories(rows: Iterable[tuple[Repository, bool]]) -> Iterator[RepositoryCells]:
    """Each with whether there is a user of its name."""
    for repository, has_user in rows:
        yield RepositoryCells(
            path=_plain(repository.path or "the root"),
            server=repository.server.name,
            state=_state_of(repository, has_user=has_user),
            user=_user_of(repository, has_user=has_user),
            arrived=ago(repository.last_arrived),
            snapshots=repository.snapshot_count,
            size=_plain(size(repository.bytes)),
            seen=ago(repository.seen),
        )


def of_events(events: Iterable[Event]) -> Iterator[EventCells]:
    for event in events:
        yield EventCells(
            at=_clock(event.at),
            by=_plain(event.by_name),
            what=_plain(f"{event.verb} {event.noun} {event.name}"),
            outcome=_outcome(event),
        )


def exposure(unit: Unit | None, host: Host) -> SafeString | str:
    """The score of a unit within a line, with the way to its page."""
    if unit is None:
        return _NOTHING
    if unit.exposure is None:
        return unit.verdict or NOTHING
    tenths = score(unit.exposure)
    said = tenths if unit.state == "ok" else state(unit.state, tenths)
    url = address("units:show", host.name, unit.name)
    # Ours, but for names that an address has escaped.
    return mark_safe(f'<a href="{escape(url)}">{said}</a>')  # noqa: S308


def _plain(text: str) -> SafeString:
    """Escaped here, so that the template need not look again."""
    return SafeString(escape(text))


def _small(text: str) -> SafeString:
    return mark_safe(f"<small>{escape(text)}</small>") if text else _EMPTY  # noqa: S308


def _due(line: Line) -> str:
    if line.state == "running":
        return "now"
    if line.job.state == line.job.State.OFF:
        return "timer is off"
    return moment(line.job.due) if line.job.due else NOTHING


def _one_of(row: Row) -> SafeString:
    """Which of its jobs the state is of."""
    if row.worst is None or len(row.lines) < 2:
        return _EMPTY
    return format_html(" <small>{}, of {} jobs</small>", row.worst.job.name, len(row.lines))


def _exposure_in_fleet(row: Row) -> str:
    if row.unit is None and row.host.is_enrolled and not row.host.systemd:
        return SafeString("not applicable")
    return exposure(row.unit, row.host)


def _took(entry: Testimony) -> str:
    left = entry.run.seconds_left
    return f"{duration(left)} left" if left else duration(entry.run.duration)


def _progress(entry: Testimony) -> SafeString:
    run = entry.run
    if run.status != run.Status.RUNNING or run.percent is None:
        return _EMPTY
    return format_html(
        ' <progress data-state="running" max="100" value="{}" aria-label="{}"></progress>',
        run.percent,
        run.job,
    )


def _worst(unit: Unit) -> SafeString:
    if unit.finding:
        return _with_code(Truncator(unit.finding).words(9, truncate=" …"))
    if not unit.worst:
        return _NOTHING
    named = (format_html("<code>{}</code>", name) for name in unit.worst)
    return mark_safe(", ".join(named))  # noqa: S308 (each is escaped)


def _state_of(repository: Repository, *, has_user: bool) -> SafeString:
    if not has_user and repository.server.has_private_repositories:
        return state("warning", "No user reaches it")
    if repository.snapshot_count:
        return state("ok", "Fine")
    if repository.last_arrived:
        return state("off", "All forgotten")
    return state("running", "Waits for its first backup")


def _user_of(repository: Repository, *, has_user: bool) -> SafeString | str:
    if has_user:
        name = repository.user_name
        url = address("users:show", repository.server.name, name)
        return format_html('<a href="{}">{}</a>', url, name)
    return "none" if repository.server.has_private_repositories else "all"


def _clock(at: datetime) -> SafeString:
    """Within its day."""
    local = timezone.localtime(at)
    # Figures alone: nothing to escape.
    return mark_safe(  # noqa: S308
        f'<time datetime="{local.isoformat()}" title="{local:%Y-%m-%d %H:%M:%S}">'
        f"{local:%H:%M:%S}</time>"
    )


def _outcome(event: Event) -> SafeString | str:
    words = {"failed": ("failed", "Failed"), "refused": ("warning", "Refused")}.get(event.result)
    if words is None:
        return event.sentence
    return state(*words) + format_html(' <small class="block">{}</small>', event.sentence)
