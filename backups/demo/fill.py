"""Fills an empty database with the made-up house."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from operator import itemgetter
from pathlib import Path
from random import Random

from django.db import transaction
from django.utils import timezone

from backups.actions.day_sums import FIELDS, sums_of
from backups.actions.jobs import refresh_job
from backups.actions.run_texts import text_of
from backups.demo import book, house, machines
from backups.demo.certificates import make_authority, make_certificates, make_handshakes
from backups.demo.fleet import Member, Wish, make_fleet
from backups.demo.history import Teller
from backups.demo.rhythm import Rhythm, rhythms_of, weekly
from backups.demo.rows import write
from backups.demo.units import score_ladder
from backups.models import (
    Assessment,
    Authority,
    Certificate,
    DaySum,
    Event,
    Handshake,
    Host,
    Job,
    Operation,
    Receipt,
    Repository,
    Run,
    RunText,
    Sample,
    Server,
    Unit,
    User,
)


def fill(wish: Wish, servers_folder: Path, now: datetime) -> None:
    """Write the fleet as it stands at `now`, the same for the same wish and moment."""
    filling = Filling(wish, now)
    with transaction.atomic():
        filling.write_house(servers_folder)
        filling.write_machines()
        filling.write_history()
        filling.write_sums()
    for job in Job.objects.select_related("host"):
        refresh_job(job, now=now)


@dataclass(slots=True)
class Filling:
    """One filling, step by step; rows refer to each other by the numbers given here."""

    wish: Wish
    now: datetime
    fleet: list[Member] = field(init=False)
    servers: dict[str, Server] = field(init=False)
    users: list[User] = field(init=False)
    repositories: dict[str, Repository] = field(init=False)
    rhythms: dict[str, Rhythm] = field(init=False)
    hosts: dict[str, Host] = field(default_factory=dict)
    jobs: list[tuple[Member, Job, Rhythm]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fleet = make_fleet(self.wish)
        self.rhythms = rhythms_of(self.fleet, self.wish, self.now)

    def write_house(self, servers_folder: Path) -> None:
        random = Random(f"house {self.wish.seed}")  # noqa: S311
        self.servers = house.make_servers(servers_folder, self.now, self.wish.days)
        self.users = house.make_users(self.fleet, self.servers, self.now, random)
        self.repositories = house.make_repositories(self.fleet, self.servers, self.now)
        house.write_files(self.servers, self.users, random)
        write(Server, self.servers.values())
        write(Sample, house.make_samples(self.servers, self.now, random))
        certificates = make_certificates(self.servers, self.now, random)
        write(Authority, [make_authority(self.now, random)])
        write(Certificate, certificates)
        write(Handshake, make_handshakes(certificates, self.now))

    def write_machines(self) -> None:
        """Hosts, units with their assessments, and jobs without their newest run."""
        begun = self.servers["house-main"].created + timedelta(hours=3)
        workshop = machines.Workshop(score_ladder(self.fleet[0]), self.now, count(1), count(1))
        units: list[Unit] = []
        assessments: list[Assessment] = []
        for pk, member in enumerate(self.fleet, 1):
            host = self.hosts[member.name] = machines.make_host(pk, member, begun, self.now)
            for unit, steps in self._machine(member, host, workshop):
                units.append(unit)
                assessments += steps
        write(Host, self.hosts.values())
        write(Unit, units)
        write(Assessment, assessments)
        write(Repository, self.repositories.values())
        write(Job, (job for _, job, _ in self.jobs))

    def _machine(
        self, member: Member, host: Host, workshop: machines.Workshop
    ) -> Iterator[tuple[Unit, list[Assessment]]]:
        if member.is_waiting:
            return
        unit = None
        if member.ladder:
            unit, steps = workshop.backup_unit(member, host)
            yield unit, steps
        rhythm = bend(self.rhythms[member.name], member, host, self.now)
        job = machines.make_job(len(self.jobs) + 1, member, host, unit, rhythm)
        job.repository = self.repositories.get(member.name)
        self.jobs.append((member, job, rhythm))
        if member.cleans:
            unit, steps = workshop.prune_unit(host)
            yield unit, steps
            rhythm = weekly(host.created, self.now)
            job = machines.make_prune_job(len(self.jobs) + 1, host, unit, rhythm)
            self.jobs.append((member, job, rhythm))

    def write_history(self) -> None:
        """Job by job, so that a million runs never lie in memory together."""
        run_ids, receipt_ids, sum_ids = count(1), count(1), count(1)
        for member, job, rhythm in self.jobs:
            random = Random(f"history {self.wish.seed} {job.pk}")  # noqa: S311
            repository = self.repositories.get(member.name)
            teller = Teller(member, job, repository, self.now, random, run_ids, receipt_ids)
            if job.is_backup:
                runs = list(teller.tell(rhythm.starts))
            else:
                runs = list(teller.tell_cleaning(rhythm.starts))
            if member.story == "running" and job.is_backup:
                runs.append(teller.tell_running(self.now - timedelta(minutes=23)))
            write(Receipt, teller.receipts)
            write(Run, runs)
            write(RunText, filter(None, (text_of(run, RunText) for run in runs if run.finished)))
            write(DaySum, self._sums(job, runs, sum_ids))

    def _sums(self, job: Job, runs: list[Run], ids: Iterator[int]) -> Iterator[DaySum]:
        """The days of one job, and those on which it was missing; what goes on is in none yet."""
        ended = [run for run in runs if run.finished]
        rows = [tuple(getattr(run, name) for name in FIELDS) for run in ended]
        for found in sums_of(job.pk, sorted(rows, key=itemgetter(0))):
            found.pk = next(ids)
            yield found
        came, turn = {timezone.localdate(run.started) for run in ended}, job.due
        while turn is not None and turn + job.grace < self.now:
            if (day := timezone.localdate(turn)) not in came:
                yield DaySum(pk=next(ids), job_id=job.pk, day=day, state="missed", missed=1)
            turn += timedelta(days=1)

    def write_sums(self) -> None:
        """What the history told of repositories, users and jobs; then the book."""
        Repository.objects.bulk_update(
            self.repositories.values(), ["bytes", "snapshot_count", "last_arrived"], batch_size=200
        )
        Job.objects.bulk_update((job for _, job, _ in self.jobs), ["last_arrived"], batch_size=200)
        seen = {
            (repository.server_id, repository.user_name): repository.last_arrived
            for repository in self.repositories.values()
        }
        for user in self.users:
            user.last_seen = seen.get((user.server_id, user.name), user.last_seen)
        write(User, self.users)
        operations = book.make_operations(self.servers, self.now)
        write(Operation, operations)
        hosts = list(self.hosts.values())
        write(Event, book.make_events(self.servers, self.users, hosts, operations, self.now))


def bend(rhythm: Rhythm, member: Member, host: Host, now: datetime) -> Rhythm:
    """What did not come, by the member's story."""
    if member.story == "missed":
        since = now - timedelta(days=3)
        return Rhythm(
            [start for start in rhythm.starts if start < since],
            rhythm.schedule,
            next((start for start in rhythm.starts if start >= since), rhythm.due),
        )
    if member.story == "silent":
        last = rhythm.starts[-1]
        host.reported = min(
            now - timedelta(minutes=40),
            max(last + timedelta(minutes=20), now - timedelta(hours=7)),
        )
        heard = [start for start in rhythm.starts if start < host.reported]
        return Rhythm(heard, rhythm.schedule, rhythm.due)
    if member.story == "running":
        recent = now - timedelta(hours=2)
        return Rhythm([s for s in rhythm.starts if s < recent], rhythm.schedule, rhythm.due)
    return rhythm
