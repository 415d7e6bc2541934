import django.db.models.deletion
from django.db import migrations, models

from backups.actions.run_texts import text_of

# The trigger's way is SQLite's own: an index over a table that stays an ordinary one.
_SQLITE = (
    """CREATE VIRTUAL TABLE backups_runtext_index
    USING fts5(words, content='backups_runtext', content_rowid='place')""",
    """CREATE TRIGGER backups_runtext_added AFTER INSERT ON backups_runtext BEGIN
    INSERT INTO backups_runtext_index(rowid, words) VALUES (new.place, new.words); END""",
    """CREATE TRIGGER backups_runtext_removed AFTER DELETE ON backups_runtext BEGIN
    INSERT INTO backups_runtext_index(backups_runtext_index, rowid, words)
    VALUES ('delete', old.place, old.words); END""",
    """CREATE TRIGGER backups_runtext_changed AFTER UPDATE ON backups_runtext BEGIN
    INSERT INTO backups_runtext_index(backups_runtext_index, rowid, words)
    VALUES ('delete', old.place, old.words);
    INSERT INTO backups_runtext_index(rowid, words) VALUES (new.place, new.words); END""",
)
_POSTGRESQL = (
    """CREATE INDEX backups_runtext_words ON backups_runtext
    USING gin (to_tsvector('simple', words))""",
)


def index(apps, schema_editor):
    statements = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
    for statement in statements[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def unindex(apps, schema_editor):
    """The triggers and the index of PostgreSQL go with their table."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE backups_runtext_index")


def fill(apps, schema_editor):
    Run, RunText = apps.get_model("backups", "Run"), apps.get_model("backups", "RunText")
    said = Run.objects.exclude(status="running").exclude(log="", errors=[], status="succeeded")
    texts = []
    for run in said.order_by("pk").iterator(chunk_size=500):
        if text := text_of(run, RunText):
            texts.append(text)
        if len(texts) >= 500:
            RunText.objects.bulk_create(texts, ignore_conflicts=True)
            texts = []
    RunText.objects.bulk_create(texts, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ('backups', '0012_units_keep_their_news'),
    ]

    operations = [
        migrations.CreateModel(
            name='RunText',
            fields=[
                ('place', models.BigIntegerField(primary_key=True, serialize=False)),
                ('words', models.TextField()),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='text', to='backups.run')),
            ],
            options={
                'ordering': ['-place'],
            },
        ),
        migrations.RunPython(index, unindex),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['snapshot_id'], name='run_by_snapshot'),
        ),
    ]
