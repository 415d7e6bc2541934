"""Every noun of the house, one module each."""

from backups.models.certificates import Certificate
from backups.models.events import Event
from backups.models.hosts import Host
from backups.models.jobs import Job
from backups.models.operations import Operation
from backups.models.operators import Operator
from backups.models.repositories import Receipt, Repository
from backups.models.runs import Run
from backups.models.servers import Server
from backups.models.slots import Slot
from backups.models.units import Assessment, Unit
from backups.models.users import User

__all__ = [
    "Assessment",
    "Certificate",
    "Event",
    "Host",
    "Job",
    "Operation",
    "Operator",
    "Receipt",
    "Repository",
    "Run",
    "Server",
    "Slot",
    "Unit",
    "User",
]
