"""What helps where a run failed or did not come: one command, for the very host."""

from dataclasses import replace

from backups.engines import restic
from backups.engines.restic_remedies import Place, command_for
from backups.models import Job, Run

_BY_STATE = {
    Job.State.OFF: "off",
    Job.State.MASKED: "masked",
    Job.State.GONE: "gone",
    Job.State.SKIPPED: "skipped",
    Job.State.MISSED: "missed",
    Job.State.NEVER: "missed",
}


def remedy_of_run(run: Run) -> str:
    """Empty for what went well, and where no command would help."""
    if run.status in {Run.Status.RUNNING, Run.Status.SUCCEEDED}:
        return ""
    lines = run.log.splitlines()
    code = restic.code_of(exit_code=run.exit_code, result=run.result, lines=lines, kind=run.kind)
    is_systemd = bool(run.result) and run.job.unit is not None
    place = _place(run.job, run.key if is_systemd else "")
    text = run.job.unit.text if run.job.unit else ""
    return command_for(code, replace(place, text=text, full=restic.full_file(lines)))


def remedy_of_job(job: Job) -> str:
    """For what its timer did; what its runs came to, their own pages say."""
    code = _BY_STATE.get(Job.State(job.state), "")
    return command_for(code, _place(job, "")) if code else ""


def _place(job: Job, key: str) -> Place:
    return Place(
        repository=job.repository_url,
        unit=job.unit.name if job.unit else "",
        timer=job.timer,
        key=key,
    )
