"""Every noun of the house, one module each."""

from backups.models.api_keys import ApiKey
from backups.models.certificates import (
    Authority,
    Certificate,
    Handshake,
    SigningRequest,
    Watch,
)
from backups.models.day_sums import DaySum
from backups.models.engines import ContainerEngine
from backups.models.events import Event
from backups.models.hosts import Host
from backups.models.jobs import Job
from backups.models.operations import Operation
from backups.models.operators import Operator
from backups.models.repositories import Receipt, Repository
from backups.models.risks import AcceptedRisk
from backups.models.run_texts import RunText
from backups.models.runs import Run
from backups.models.samples import Sample
from backups.models.servers import Server
from backups.models.slots import Slot
from backups.models.units import Assessment, Unit
from backups.models.users import Rotation, User, UsersFile

__all__ = [
    "AcceptedRisk",
    "ApiKey",
    "Assessment",
    "Authority",
    "Certificate",
    "ContainerEngine",
    "DaySum",
    "Event",
    "Handshake",
    "Host",
    "Job",
    "Operation",
    "Operator",
    "Receipt",
    "Repository",
    "Rotation",
    "Run",
    "RunText",
    "Sample",
    "Server",
    "SigningRequest",
    "Slot",
    "Unit",
    "User",
    "UsersFile",
    "Watch",
]
