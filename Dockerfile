# Two stages: the first builds the wheel and installs it, with pinned and hashed dependencies, into /opt/mubiao;
# the second is the plain base with that folder and a user of its own. BASE may be any Debian-like image that has
# `python3` 3.11 or newer with the venv module; both stages need the same one.
#
#   docker build -t mubiao .
#   docker run -v mubiao:/data -p 127.0.0.1:8750:8750 --read-only --tmpfs /tmp mubiao
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv /opt/mubiao
ENV PATH=/opt/mubiao/bin:$PATH
WORKDIR /src
# the dependencies first: a change of the product does not install them again
COPY requirements.lock ./
RUN python -m pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY monitor monitor
COPY storage storage
COPY alerts alerts
# the build backend comes from the lock; neither it nor pip is needed afterwards (olefile2 is for Python 2)
RUN python -m pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheel . \
 && python -m pip install --no-deps --no-index /wheel/*.whl \
 && python -m pip uninstall -q -y uv-build \
 && python -m compileall -q -x olefile2 /opt/mubiao/lib \
 && python -m pip uninstall -q -y pip

FROM ${BASE}
LABEL org.opencontainers.image.title="mubiao" \
      org.opencontainers.image.description="Watches Chinese government and newspaper pages and reports which policy targets moved" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin mubiao \
 && install -d -o mubiao -g mubiao -m 0750 /data
COPY --from=build /opt/mubiao /opt/mubiao
ENV PATH=/opt/mubiao/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    MUBIAO_CONFIG=/data/sources.yaml \
    MUBIAO_DB=sqlite:////data/mubiao.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8750
# 503 while the tick stands still or a job is in trouble; a proxy of the environment is not asked. An upgrade of millions
# takes minutes, in which nothing answers
HEALTHCHECK --interval=30s --timeout=5s --start-period=5m --retries=3 \
  CMD ["python3", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8750, timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["mubiao"]
CMD ["run", "--host", "0.0.0.0", "--port", "8750", "--log", "json"]
