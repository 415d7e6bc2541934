"""What a list shows of each unit stands in its own columns, as every report writes it."""

from django.db import migrations, models


def fill(apps, schema_editor):
    from backups.engines.systemd import Row
    from backups.queries.unit_news import change_of, worst_of

    Unit = apps.get_model("backups", "Unit")
    Assessment = apps.get_model("backups", "Assessment")
    for unit in Unit.objects.filter(exposure__isnull=False).only("pk").iterator(chunk_size=200):
        newest = list(Assessment.objects.filter(unit=unit.pk).order_by("-at", "-id")[:2])
        if newest:
            before = newest[1].exposure if len(newest) > 1 else None
            Unit.objects.filter(pk=unit.pk).update(
                change=change_of(newest[0].exposure, before),
                worst=worst_of(Row(name, name, *rest) for name, *rest in newest[0].rows),
            )


class Migration(migrations.Migration):

    dependencies = [
        ('backups', '0011_timers_may_be_gone'),
    ]

    operations = [
        migrations.AddField(
            model_name='unit',
            name='change',
            field=models.SmallIntegerField(blank=True, help_text='In tenths, since the score before', null=True),
        ),
        migrations.AddField(
            model_name='unit',
            name='worst',
            field=models.JSONField(blank=True, default=list, help_text='The lines that would close most'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
