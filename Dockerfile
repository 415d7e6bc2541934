# Resthouse in a container: web, worker and scheduler under one process.
ARG BASE=python:3.13-slim
FROM ${BASE}

# Of systemd only systemd-analyze is used, which computes exposure scores.
RUN apt-get update -q \
 && apt-get install -yq --no-install-recommends systemd \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

WORKDIR /app
COPY requirements.lock .
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --python /opt/venv/bin/python --disable-pip-version-check \
      install --no-cache-dir --quiet --no-deps --require-hashes -r requirements.lock

COPY . .
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_ROOT=/app/staticfiles
RUN RESTHOUSE_DATA=/tmp/build DJANGO_SETTINGS_MODULE=dashboard.settings python -c \
      "import django; django.setup(); from backups.actions import house; house.prepare_static()" \
 && python -m compileall -q . \
 && rm -rf /tmp/build

# 1000 as in the server containers, so that both may write the same data directories.
RUN install --directory --owner 1000 --group 1000 /data
USER 1000:1000
ENV RESTHOUSE_DATA=/data RESTHOUSE_BIND=127.0.0.1:8080
VOLUME /data
EXPOSE 8080
# As localhost, which the house always answers to, whatever address it listens on.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD python -c "import os; \
from urllib.request import Request, urlopen; \
address = 'http://' + os.environ['RESTHOUSE_BIND'] + '/health/'; \
urlopen(Request(address, headers={'Host': 'localhost'}))"
CMD ["python", "manage.py", "run"]
