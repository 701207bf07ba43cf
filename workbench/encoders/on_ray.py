"""The parts of a bulk job on Ray Data: a pool of actors with a model each, here or on a cluster.

What passes through Ray are the numbers of parts only. A worker reads, encodes and writes a part by itself and
takes the next when it has done so: memory does not grow with the input, no text lies in Ray's store or logs,
and a part that a killed worker had begun is given to another one.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.atomic import WorkFolder
from workbench.encoders.bulk_parts import Job, PartEncoder
from workbench.errors import EncoderUnavailableError, MissingDependencyError, WorkbenchError
from workbench.i18n import gettext as _

# Nothing is told to anybody, and nobody else gives a Ray that we start work to do.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
# The name is Ray's; on Linux, too, it keeps every port on this machine.
LOCAL_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
# Bytes of Ray's store, through which numbers of parts pass.
STORE = 100 * 2**20
# Ray gives its own helpers 15 seconds to start, which a busy machine may not (ray-project/ray 65983).
STARTS = 4
# A task costs Ray some milliseconds and kilobytes; of more parts a task has several.
MOST_TASKS = 10_000


class Actor:
    """What an actor of the pool is: one core, one model."""

    def __init__(self, job: Job) -> None:
        self.parts = PartEncoder(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Encode parts of which the numbers are given."""
        encoder: Any = self.parts.encoder
        if hasattr(encoder, "workers"):
            encoder.workers = 1
        return {"rows": [self.parts.encode(int(place)) for place in batch["part"]]}


def encode_on_ray(
    job: Job, missing: Sequence[int], *, workers: int, address: str | None, gpus: float
) -> Iterator[int]:
    """Encode parts; yields how many rows each has, as they come to lie on disk."""
    with ray_running(workers, address) as ray:
        # What goes wrong is raised; what Ray would print of it beside that are its own insides.
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        context = ray.data.DataContext.get_current()
        before, context.enable_progress_bars = context.enable_progress_bars, False
        tasks = ray.data.from_items(
            [{"part": place} for place in missing], override_num_blocks=min(len(missing), MOST_TASKS)
        )
        encoded = tasks.map_batches(
            Actor,
            fn_constructor_args=(job,),
            batch_size=1,
            # One that finds room is enough to begin.
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            num_cpus=1,
            num_gpus=gpus or None,
        )
        try:
            for row in encoded.iter_rows():
                yield int(row["rows"])
        except ray.exceptions.RayError as error:
            raise _as_ours(error) from error
        finally:
            context.enable_progress_bars = before


@contextmanager
def ray_running(workers: int, address: str | None = None) -> Iterator[Any]:
    """Ray: the one at the address, the one that runs already in this process, or one that is ours alone."""
    if find_spec("ray") is None:
        said = _("Several workers need Ray, which is not installed; install the extra {extra}.")
        raise MissingDependencyError(said.format(extra="jd-resume-workbench[cluster]"))
    for name, value in (QUIET | ({} if address else LOCAL_ONLY)).items():
        os.environ.setdefault(name, value)
    if not address:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray
    import ray.data

    if ray.is_initialized():
        yield ray
        return
    # Ray lets everybody into the folder that it is given, so it gets one inside ours.
    folder = WorkFolder()
    own: dict[str, Any] = {
        "num_cpus": workers,
        "include_dashboard": False,
        "object_store_memory": STORE,
        "_temp_dir": str(Path(folder.name, "ray")),
    }
    try:
        _start(ray, {"address": address} if address else own, attempts=1 if address else STARTS)
        yield ray
    finally:
        ray.shutdown()
        with suppress(OSError):  # a process of Ray's that still writes
            folder.cleanup()


def _start(ray: Any, options: dict[str, Any], *, attempts: int) -> None:
    for attempt in range(1, attempts + 1):
        try:
            ray.init(**options, log_to_driver=False, logging_level=logging.CRITICAL)
            return
        except Exception as error:  # Ray raises that itself, where its helpers are too slow
            ray.shutdown()
            if attempt == attempts:
                said = _("Ray cannot be started or reached ({reason}); with one worker none is needed.")
                raise EncoderUnavailableError(said.format(reason=error)) from error


def _as_ours(error: BaseException) -> WorkbenchError:
    """The sentence of a worker, or that Ray itself failed."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, WorkbenchError):
            return found
        found = getattr(found, "cause", None) or found.__cause__
    said = _("A worker failed ({kind}); what is written is kept, and giving the command again goes on.")
    return EncoderUnavailableError(said.format(kind=type(error).__name__))
