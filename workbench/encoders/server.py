"""Vectors from a server that speaks OpenAI's ``/v1/embeddings``: vLLM, TEI, Infinity, DashScope, OpenAI.

Batches and the checks of a server's answers are here; the address, the key and HTTP are in
:mod:`workbench.encoders.fast.endpoint`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np

from workbench.encoders.base import BaseEncoder, Batch, Role, Vectors
from workbench.encoders.fast.endpoint import Endpoint, RefusedError, reason_of
from workbench.encoders.fast.options import instructed
from workbench.errors import EncoderError, InputError
from workbench.i18n import gettext as _
from workbench.masking import MASKING_RECIPE, mask
from workbench.settings import get_settings


class ServerEncoder(BaseEncoder):
    r"""Vectors of a model that runs behind an OpenAI-compatible server.

    The server is first asked when something about its vectors is needed: its model (where the
    address names none), then one text, for the dimension.

    What the fingerprint holds is the model's name, prompts, extra fields and dimension, not the
    address: a move to another machine or port, or from TEI to vLLM (vectors of the same model
    differ by about 1e-4), keeps cutoffs and stored vectors valid. A name is no proof of the weights
    behind it. If a server changes these under the same name, say so with `revision`.

    A key is read from ``WORKBENCH_API_KEY``; else, for addresses of Alibaba Cloud and of OpenAI alone,
    from ``DASHSCOPE_API_KEY`` and ``OPENAI_API_KEY``. It is never stored or shown.

    Parameters
    ----------
    url : str
        ``http(s)://host:port/v1#model``. Without ``#model`` the server is asked; it must serve one.
    dimension : int, optional
        Asked for as ``dimensions``, for models that can shorten their vectors (Matryoshka).
    instruction : str, optional
        Task text that queries carry as Qwen3-Embedding expects it: ``Instruct: {task}\nQuery:{text}``.
    query_prompt, document_prompt : str
        What is put before each query and each document; the e5 models need ``"query: "`` and
        ``"passage: "``.
    query_extra, document_extra : mapping, optional
        More fields of the request for queries and for documents, such as ``{"input_type": "query"}``.
    batch_size : int
        Texts of one request. Where the server refuses so many, they are sent in halves.
    concurrency : int
        Requests on the way at the same time.
    max_retries : int
        Times that a request is sent again, with growing pauses, after a time-out, a lost connection,
        "too many requests" or a failure of the server.
    timeout : float
        Seconds until an answer must be there, to its last byte.
    mask : bool, optional
        Mask phone numbers, e-mail addresses and ID numbers before texts are sent; by default as the settings
        say. Part of the fingerprint, since a masked text has another vector.
    revision : str, optional
        Your own word for the weights behind the model's name; part of the fingerprint.

    Raises
    ------
    InputError
        If the address or an option cannot be used.

    Examples
    --------
    >>> encoder = ServerEncoder("http://localhost:8000/v1#Qwen/Qwen3-Embedding-4B", dimension=1024)
    >>> encoder.name, encoder.device
    ('Qwen/Qwen3-Embedding-4B', 'http://localhost:8000/v1')
    """

    def __init__(
        self,
        url: str,
        *,
        dimension: int | None = None,
        instruction: str | None = None,
        query_prompt: str = "",
        document_prompt: str = "",
        query_extra: Mapping[str, Any] | None = None,
        document_extra: Mapping[str, Any] | None = None,
        batch_size: int = 64,
        concurrency: int = 4,
        max_retries: int = 3,
        timeout: float = 60.0,
        mask: bool | None = None,
        revision: str | None = None,
    ) -> None:
        self._endpoint = Endpoint(url, max_retries=max_retries, timeout=timeout)
        self.device = self._endpoint.url
        counts = {"batch_size": batch_size, "concurrency": concurrency, "timeout": timeout}
        if dimension is not None:
            counts["dimension"] = dimension
        for option, value in counts.items():
            if value <= 0:
                raise InputError(_("{name} is {value}; it must be above 0.").format(name=option, value=value))
        if max_retries < 0:
            raise InputError(_("max_retries is {value}; it must be 0 or more.").format(value=max_retries))
        if instruction is not None and query_prompt:
            raise InputError(
                _("Give either instruction or query_prompt: both say what stands before a query.")
            )
        self.instruction = instruction
        self._asked_dimension = dimension
        self._prompts: dict[Role, str] = {
            "query": instructed(instruction) or query_prompt,
            "document": document_prompt,
        }
        self._extras: dict[Role, dict[str, Any]] = {
            "query": dict(query_extra or {}),
            "document": dict(document_extra or {}),
        }
        self.batch_size = batch_size
        self.concurrency = concurrency
        self._revision = revision
        self._masks = get_settings().mask if mask is None else mask

    @cached_property
    def name(self) -> str:
        """The model's name on the server."""
        return self._endpoint.only_model()

    @cached_property
    def dimension(self) -> int:
        """Length of a vector, found by encoding one text."""
        found: int = self._ask(["dimension"], "document").shape[1]
        if self._asked_dimension not in (None, found):
            raise self._failed(
                _(
                    "{model} was asked for {asked} dimensions and gave {found}: this model cannot shorten "
                    "its vectors. Leave dimension out."
                ),
                asked=self._asked_dimension,
                found=found,
            )
        return found

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        return {
            "encoder": "server",
            "model": self.name,
            "revision": self._revision,
            "dimension": self.dimension,
            "precision": "the server's",
            "instruction": self.instruction,
            "prompts": dict(self._prompts),
            "extra": {role: dict(extra) for role, extra in self._extras.items()},
            **({"masking": MASKING_RECIPE} if self._masks else {}),
        }

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        size = self.batch_size
        batches = [np.arange(start, min(start + size, len(texts))) for start in range(0, len(texts), size)]
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="server")
        try:
            answers = pool.map(lambda at: self._vectors_of([texts[i] for i in at], role), batches)
            yield from zip(batches, answers, strict=True)
        finally:
            # Requests on the way are left to end by themselves: whoever interrupts does not wait for them.
            pool.shutdown(wait=False, cancel_futures=True)

    def _vectors_of(self, texts: list[str], role: Role) -> Vectors:
        size = min(self.batch_size, len(texts))
        try:
            # What is smaller by now has been found out by a batch before this one.
            parts = [self._ask(texts[at : at + size], role) for at in range(0, len(texts), size)]
            vectors = np.concatenate(parts)
        except RefusedError as error:
            if len(texts) == 1:
                raise EncoderError(
                    _("{error} It was a text of {n} characters.").format(error=error, n=f"{len(texts[0]):,}")
                ) from error
            # DashScope takes 10 texts a request, TEI 32, vLLM any number; each says so in other words.
            middle = (len(texts) + 1) // 2
            halves = [self._vectors_of(half, role) for half in (texts[:middle], texts[middle:])]
            # Not before: where a text is too long, their number was no reason.
            self.batch_size = min(self.batch_size, middle)
            return np.concatenate(halves)
        if vectors.shape[1] != self.dimension:
            raise self._failed(
                _(
                    "{model} gave vectors of {found} dimensions, after {before}: another model seems to "
                    "answer now. Check the server, then load the encoder again."
                ),
                found=vectors.shape[1],
                before=self.dimension,
            )
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise self._failed(
                _(
                    "{model} gave {n} of {total} vectors with NaN or infinite values. Half precision can "
                    "overflow: start the server with bfloat16 or float32."
                ),
                n=len(bad),
                total=len(texts),
            )
        return vectors

    def _ask(self, texts: list[str], role: Role) -> Vectors:
        """One request; the answer in the order of `texts`, with its shape checked."""
        prompt = self._prompts[role]
        body = {
            "model": self.name,
            "input": [prompt + (mask(text) if self._masks else text) for text in texts],
            "encoding_format": "float",
            **({"dimensions": self._asked_dimension} if self._asked_dimension else {}),
            **self._extras[role],
        }
        answer = self._endpoint.post("/embeddings", body)
        try:
            entries = answer["data"]
            indexes = self._endpoint.indexes_of(entries)
            vectors = np.array([entry["embedding"] for entry in entries], dtype=np.float32)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise self._failed(
                _(
                    "{model} gave an answer that OpenAI's /v1/embeddings does not give ({reason}). Is it an "
                    "embedding server?"
                ),
                reason=reason_of(error),
            ) from None
        if len(entries) != len(texts):
            raise self._failed(
                _("{model} gave {n} vector(s) for {asked} text(s)."), n=len(entries), asked=len(texts)
            )
        if sorted(indexes) != list(range(len(texts))) or vectors.ndim != 2:
            raise self._failed(
                _("{model} gave {n} vector(s) for {n} text(s), but not one for each of them."), n=len(texts)
            )
        return vectors[np.argsort(indexes)]

    def _failed(self, sentence: str, **values: object) -> EncoderError:
        model = _("The model {name} at {url}").format(name=repr(self.name), url=self.device)
        return EncoderError(sentence.format(model=model, **values))

    def __repr__(self) -> str:
        # Not asked yet, so not asked for the sake of a repr either.
        if "dimension" not in self.__dict__:
            return _("<{name} at {url}, not asked yet>").format(
                name=self._endpoint.model or _("a model"), url=self.device
            )
        return super().__repr__()
