# The pages of `workbench app`, in an image that needs nothing from outside once it is built.
#   docker build -t workbench .                     a laptop's or server's CPU
#   docker build -t workbench:gpu --target gpu .    Qwen3-Embedding on an NVIDIA GPU
# Without root, on a read-only root: all that it writes lies in /data. compose.yaml runs it so.

FROM debian:bookworm-slim AS base
# Debian's own updates of these two are wanted, so no version is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home workbench
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    WORKBENCH_PROJECT=/data \
    WORKBENCH_CACHE=/data/cache \
    WORKBENCH_MODELS=/data/models
WORKDIR /src
COPY requirements/demo.lock requirements/
RUN python3 -m venv /venv && pip install --no-cache-dir --require-hashes -r requirements/demo.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY tools tools
COPY workbench workbench
COPY labeled_pairs /data/labeled_pairs
RUN pip install --no-cache-dir --no-deps . \
    && mkdir -p /data/cache /data/models /data/bases \
    && chown -R 10001:10001 /data \
    && chmod 700 /data
WORKDIR /data
EXPOSE 8501
VOLUME ["/data"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8501, timeout=4); c.request('GET', '/health'); exit(c.getresponse().status != 200)"]
USER 10001
CMD ["workbench", "app", "--host", "0.0.0.0", "--no-browser"]

# CUDA comes with torch, the driver with `docker run --gpus all`. Nothing is compiled, so no compiler is needed.
FROM base AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 0
COPY requirements/qwen.lock /src/requirements/
RUN pip install --no-cache-dir --require-hashes -r /src/requirements/qwen.lock
USER 10001

# Last, so that it is what is built where no target is named.
FROM base AS cpu
