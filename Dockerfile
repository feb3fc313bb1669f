# Parity as a container: nothing but Python, what is locked, and Parity; no shell tool is needed, no root, no
# writable root file system. Everything it keeps is under /data.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
COPY requirements-build.lock requirements.lock ./
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --quiet --no-cache-dir --require-hashes -r requirements-build.lock \
 && python -m venv --without-pip /opt/parity \
 && /opt/build/bin/uv pip install --no-cache --python /opt/parity/bin/python \
      --require-hashes --compile-bytecode -r requirements.lock
# What changes often comes last: an edit of the code leaves the layer of its dependencies as it is.
COPY pyproject.toml README.md ./
COPY detector detector
COPY collectors collectors
COPY dashboards dashboards
RUN /opt/build/bin/uv build --quiet --wheel --no-build-isolation --python /opt/build/bin/python --out-dir /dist \
 && /opt/build/bin/uv pip install --no-cache --python /opt/parity/bin/python --no-deps --compile-bytecode /dist/*.whl

FROM python:${PYTHON}
RUN groupadd --system --gid 10001 parity \
 && useradd --system --uid 10001 --gid parity --no-create-home --home-dir /data parity \
 && install --directory --owner parity --group parity --mode 0700 /data
COPY --from=build /opt/parity /opt/parity
ENV PATH=/opt/parity/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["parity"]
CMD ["serve"]
