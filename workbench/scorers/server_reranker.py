"""A reranker behind HTTP; the address, the key and the errors are those of the encoders' servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np

from workbench.encoders.fast.endpoint import Endpoint, RefusedError
from workbench.errors import EncoderError, InputError
from workbench.i18n import gettext as _
from workbench.scorers.base import FloatArray
from workbench.scorers.rerankers import Reranked, Reranker

__all__ = ["ServerReranker"]


class ServerReranker(Reranker):
    """A reranker behind ``/v1/rerank`` or ``/rerank``: vLLM, Jina, Infinity and others.

    The JD is the query. Texts are sent to this address only; a redirect is an error.

    Parameters
    ----------
    url : str
        ``http(s)://host:port/v1#model``, or the address up to ``/rerank``. Without ``#model`` the server is
        asked; it must serve one.
    logits : bool
        Whether the server gives raw numbers, of which the sigmoid is the probability.
    batch_size : int
        Résumés of one request; where the server refuses so many, they are sent in halves.
    concurrency, max_retries, timeout, revision
        As of :class:`~workbench.encoders.server.ServerEncoder`.

    Raises
    ------
    InputError
        If the address or an option cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        logits: bool = False,
        batch_size: int = 16,
        concurrency: int = 4,
        max_retries: int = 3,
        timeout: float = 60.0,
        revision: str | None = None,
    ) -> None:
        counts = {"batch_size": batch_size, "concurrency": concurrency, "timeout": timeout}
        for option, value in counts.items():
            if value <= 0:
                raise InputError(_("{name} is {value}; it must be above 0.").format(name=option, value=value))
        if max_retries < 0:
            raise InputError(_("max_retries is {value}; it must be 0 or more.").format(value=max_retries))
        self._endpoint = Endpoint(url, max_retries=max_retries, timeout=timeout)
        self._url = f"{self._endpoint.url.removesuffix('/rerank')}/rerank"
        self._logits, self._revision = logits, revision
        self.batch_size, self.concurrency = batch_size, concurrency

    @cached_property
    def name(self) -> str:  # type: ignore[override]
        """The model's name on the server."""
        return self._endpoint.only_model()

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        return {
            "reranker": "server",
            "model": self.name,
            "revision": self._revision,
            "logits": self._logits,
        }

    def score_batches(self, jd: str, resumes: Sequence[str]) -> Iterator[Reranked]:
        size = self.batch_size
        batches = [np.arange(at, min(at + size, len(resumes))) for at in range(0, len(resumes), size)]
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="rerank")
        try:
            answers = pool.map(lambda batch: self._scores_of(jd, [resumes[at] for at in batch]), batches)
            for positions, scores in zip(batches, answers, strict=True):
                yield Reranked(positions, 1 / (1 + np.exp(-scores)) if self._logits else scores)
        finally:
            # Requests on the way are left to end by themselves: whoever interrupts does not wait for them.
            pool.shutdown(wait=False, cancel_futures=True)

    def _scores_of(self, jd: str, resumes: list[str]) -> FloatArray:
        try:
            return self._ask(jd, resumes)
        except RefusedError as error:
            if len(resumes) == 1:
                raise EncoderError(
                    _("{error} It was the text {text}.").format(error=error, text=f"{resumes[0]!r:.60}")
                ) from error
            middle = len(resumes) // 2
            self.batch_size = min(self.batch_size, middle)
            halves = resumes[:middle], resumes[middle:]
            return np.concatenate([self._scores_of(jd, half) for half in halves])

    def _ask(self, jd: str, resumes: list[str]) -> FloatArray:
        """One request; the answer in the order of `resumes`, with its shape checked."""
        import openai

        scores = np.full(len(resumes), np.nan)
        try:
            answer: Any = self._endpoint.client.post(
                self._url,
                cast_to=object,
                body={"model": self.name, "query": jd, "documents": resumes, "top_n": len(resumes)},
                options={"follow_redirects": False},
            )
            found = {int(each["index"]): float(each["relevance_score"]) for each in answer["results"]}
        except openai.OpenAIError as error:
            raise self._endpoint.in_words(error) from error
        except (TypeError, ValueError, LookupError) as error:
            raise EncoderError(
                _("{url} gave no list of results with index and relevance_score ({reason}).").format(
                    url=self._url, reason=f"{type(error).__name__}: {error}"
                )
            ) from error
        if sorted(found) != list(range(len(resumes))):
            raise EncoderError(
                _("{url} gave {n} score(s) for {asked} text(s), or not one for each.").format(
                    url=self._url, n=len(found), asked=len(resumes)
                )
            )
        scores[list(found)] = list(found.values())
        return scores
