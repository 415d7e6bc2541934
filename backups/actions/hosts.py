"""Hosts: added with a one-time token, known by a key from then on."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django_tasks import task

from backups.actions.events import Actor, record_event
from backups.actions.jobs import refresh_job
from backups.engines.curl_lines import trusting
from backups.engines.errors import EngineError
from backups.models import Host, Job

TOKEN_LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it was made, to be shown once."""

    host: Host
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What an agent says of its machine; empty where it cannot know."""

    hostname: str = ""
    os: str = ""
    kernel: str = ""
    systemd: str = ""
    restic: str = ""
    python: str = ""
    agent: str = ""


def add_host(name: str, *, by: Actor, note: str = "") -> NewToken:
    """Add a machine; ValidationError when the name is taken or not a name."""
    host = Host(name=name, note=note)
    host.full_clean()
    with transaction.atomic():
        host.save()
        record_event(by, "added", host)
        return NewToken(host, _give_token(host))


def renew_token(host: Host, *, by: Actor) -> NewToken:
    """A new token for the next enrolment; the key in use stays until it is used."""
    with transaction.atomic():
        record_event(by, "renewed the token of", host)
        return NewToken(host, _give_token(host))


def revoke_key(host: Host, *, by: Actor) -> None:
    """Refuse its agent from now on; what it reported stays."""
    host.key_hash = host.token_hash = ""
    host.enrolled = None
    host.save(update_fields=["key_hash", "token_hash", "enrolled"])
    record_event(by, "revoked the key of", host)


def edit_host(
    host: Host, *, note: str, group: str, tags: list[str], may_sleep: timedelta | None, by: Actor
) -> None:
    """What people say of it; ValidationError when it does not fit."""
    host.note, host.group, host.may_sleep = note.strip(), group.strip(), may_sleep
    host.tags = f" {' '.join(sorted(set(tags)))} " if tags else ""
    host.full_clean()
    with transaction.atomic():
        host.save(update_fields=["note", "group", "tags", "may_sleep"])
        record_event(by, "changed", host)
        _refresh_jobs(host)


def retire_host(host: Host, *, by: Actor) -> None:
    """Its history stays, apart from the fleet; nothing is expected, its agent is refused."""
    with transaction.atomic():
        host.retired, host.enrolled = timezone.now(), None
        host.key_hash = host.token_hash = ""
        host.save(update_fields=["retired", "enrolled", "key_hash", "token_hash"])
        record_event(by, "retired", host)
        _refresh_jobs(host)


def return_host(host: Host, *, by: Actor) -> None:
    """Back into the fleet; a new command lets its agent report again."""
    with transaction.atomic():
        host.retired = None
        host.save(update_fields=["retired"])
        record_event(by, "took back", host)
        _refresh_jobs(host)


def _refresh_jobs(host: Host) -> None:
    for job in Job.objects.select_for_update().filter(host=host):
        job.host = host
        refresh_job(job)


def enrol_host(token: str, facts: HostFacts) -> tuple[Host, str]:
    """Trade a token, once, for a key; EngineError when it is unknown, used or too old."""
    with transaction.atomic():
        host = Host.objects.select_for_update().filter(token_hash=_hash(token)).first()
        if host is None or host.token_expires is None or host.token_expires < timezone.now():
            raise EngineError(
                "This token is unknown, used or too old. The host's page gives a new one."
            )
        key = secrets.token_urlsafe(32)
        host.key_hash, host.token_hash, host.token_expires = _hash(key), "", None
        host.enrolled = host.reported = timezone.now()
        learn_facts(host, facts)
        host.save()
        record_event(f"host {host.name}", "enrolled", host)
    return host, key


def host_of_key(key: str) -> Host | None:
    return Host.objects.filter(key_hash=_hash(key)).first()


def learn_facts(host: Host, facts: HostFacts) -> None:
    for name in HostFacts.__slots__:
        setattr(host, name, fitting(Host, name, getattr(facts, name)))


def fitting(model: type[Model], field: str, text: str) -> str:
    """As much of it as the column holds: a long name must not cost the whole report."""
    limit = model._meta.get_field(field).max_length  # type: ignore[union-attr]
    return text[:limit]


def enrol_command(url: str, token: str, *, pin: str = "") -> str:
    """The one command that is run on the machine, as root; with a pin it trusts that key alone."""
    file, pinned = "/usr/local/sbin/resthouse-agent", f" --pin {pin}" if pin else ""
    fetch = f"curl -fsS{trusting(pin)} {url}/agent -o {file}"
    return f"{fetch} && python3 {file} enrol --url {url} --token {token}{pinned}"


def enrol_command_without_curl(url: str, token: str) -> str:
    """The same for a machine that has Python alone."""
    file = "/usr/local/sbin/resthouse-agent"
    fetch = f"import urllib.request as u; u.urlretrieve('{url}/agent', '{file}')"
    return f'python3 -c "{fetch}" && python3 {file} enrol --url {url} --token {token}'


def delete_host(host: Host, *, by: Actor) -> None:
    """Forget the machine with all its runs; its snapshots stay on the server's disk."""
    with transaction.atomic():
        record_event(by, "deleted", host)
        host.delete()


@task(queue_name="checks")
def forget_expired_tokens() -> int:
    return Host.objects.filter(token_expires__lt=timezone.now()).update(
        token_hash="", token_expires=None
    )


def _give_token(host: Host) -> str:
    if host.is_retired:
        raise EngineError(f"{host} is retired. Take it back into the fleet first.")
    address = urlsplit(settings.RESTHOUSE_URL)
    if address.scheme != "https" and not _is_this_machine(address.hostname or ""):
        raise EngineError(
            "Over plain HTTP anybody on the way could swap the agent, which root runs. Put an "
            "https:// address into RESTHOUSE_URL and start again."
        )
    # Without a dash at its head, which the agent's command line would take for an option.
    token = secrets.token_hex(24)
    host.token_hash, host.token_expires = _hash(token), timezone.now() + TOKEN_LASTS
    host.save(update_fields=["token_hash", "token_expires"])
    return token


def _is_this_machine(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
