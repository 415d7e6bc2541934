"""`manage.py jobs`: what each host backs up, and how it stands."""

from datetime import timedelta

from django.utils import timezone

from backups.actions import expectations, holds
from backups.engines.errors import EngineError
from backups.management.noun import NounCommand, Option, Verb, named
from backups.models import Host, Job

_WHICH: list[Option] = [("host", {}), ("job", {})]
_WHY: Option = ("--why", {"default": ""})


class Command(NounCommand):
    """Jobs: one backup that a host makes again and again."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        hours: Option = ("--hours", {"type": int, "help": "for so long; else until resumed"})
        must: Option = ("--hours", {"type": int, "required": True})
        state: Option = ("--state", {"default": "", "choices": ["", *Job.State.values]})
        grace: Option = ("--grace", {"type": int, "help": "minutes that a run may be late"})
        rhythm: Option = ("rhythm", {"choices": ["timer", *filter(None, Job.Rhythm.values)]})
        stated: Option = ("stated", {"nargs": "?", "default": ""})
        return {
            "list": (self.list, [("--host", {"default": ""}), state]),
            "pause": (self.pause, [*_WHICH, _WHY, hours]),
            "snooze": (self.snooze, [*_WHICH, _WHY, must]),
            "acknowledge": (self.acknowledge, [*_WHICH, _WHY]),
            "resume": (self.resume, _WHICH),
            "expect": (self.expect, [*_WHICH, rhythm, stated, grace]),
        }

    def list(self, host: str, state: str) -> None:
        """Every job with its state, the worst first."""
        jobs = Job.objects.select_related("host").worst_first()
        if host:
            jobs = jobs.filter(host=named(Host, host))
        rows = [_facts(job) for job in (jobs.filter(state=state) if state else jobs)]
        lines = [f"{r['host']:20} {r['job']:20} {r['state']:9} {r['reason']}" for r in rows]
        self.answer(rows, "\n".join(lines) or "No job is known.")

    def pause(self, host: str, job: str, why: str, hours: int | None) -> None:
        """Expect nothing of it, for some hours or until it is resumed."""
        until = timezone.now() + timedelta(hours=hours) if hours else None
        self._say(holds.pause_job(_named(host, job), why=why, until=until, by="terminal"))

    def snooze(self, host: str, job: str, why: str, hours: int) -> None:
        """Ask nobody to look at it for some hours."""
        until = timezone.now() + timedelta(hours=hours)
        self._say(holds.snooze_job(_named(host, job), why=why, until=until, by="terminal"))

    def acknowledge(self, host: str, job: str, why: str) -> None:
        """Somebody knows of what it has now."""
        self._say(holds.acknowledge_job(_named(host, job), why=why, by="terminal"))

    def resume(self, host: str, job: str) -> None:
        """Watch it as before."""
        self._say(holds.resume_job(_named(host, job), by="terminal"))

    def expect(self, host: str, job: str, rhythm: str, stated: str, grace: int | None) -> None:
        """Say when it runs: cron "15 2 * * *", calendar "Mon 02:15", hours 6, or timer."""
        span = None if grace is None else timedelta(minutes=grace)
        kind = "" if rhythm == "timer" else rhythm
        which = _named(host, job)
        self._say(expectations.expect_runs(which, kind, stated, grace=span, by="terminal"))

    def _say(self, job: Job) -> None:
        self.answer(_facts(job), f"{job}: {job.get_state_display().lower()}. {job.reason}")


def _named(host: str, job: str) -> Job:
    found = Job.objects.select_related("host").filter(host=named(Host, host), name=job).first()
    if found is None:
        raise EngineError(f"{host} has no job called {job}.")
    return found


def _facts(job: Job) -> dict[str, object]:
    return {
        "host": job.host.name,
        "job": job.name,
        "state": job.state,
        "reason": job.reason,
        "expected": job.expected,
        "due": job.due,
        "last_arrived": job.last_arrived,
        "hold": job.hold,
        "held_by": job.held_by,
        "held_until": job.held_until,
        "held_why": job.held_why,
    }
