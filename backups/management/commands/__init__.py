"""`manage.py NOUN VERB`."""
