"""Container engines, as they last answered: no page has to ask one."""

from django.db import models


class ContainerEngineQuerySet(models.QuerySet["ContainerEngine"]):
    """Engines, by where they are."""

    def here(self) -> "ContainerEngine | None":
        """This machine's; None before the first look, some seconds after the start."""
        return self.filter(address="").first()

    def elsewhere(self) -> "ContainerEngineQuerySet":
        return self.exclude(address="")


class ContainerEngine(models.Model):
    """One engine by its address; the empty one is this machine's."""

    address = models.CharField(max_length=200, unique=True, blank=True)
    version = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=12, blank=True, help_text="Empty while it answers")
    sentence = models.TextField(blank=True)
    since = models.DateTimeField(help_text="When this problem, or the answering, began")
    checked = models.DateTimeField()

    objects = ContainerEngineQuerySet.as_manager()

    class Meta:
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address or "this machine"

    @property
    def is_up(self) -> bool:
        return not self.problem
