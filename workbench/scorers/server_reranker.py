"""A reranker behind HTTP; the address, the key and the errors are those of the encoders' servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.encoders.fast.endpoint import Endpoint, RefusedError, reason_of
from workbench.errors import EncoderError, EncoderUnavailableError, InputError
from workbench.i18n import gettext as _
from workbench.masking import MASKING_RECIPE, mask
from workbench.scorers.base import FloatArray
from workbench.scorers.rerankers import Reranked, Reranker
from workbench.settings import get_settings

# A path that is not there, or a body that is understood otherwise there.
_ANOTHER_WAY = (400, 404, 405, 422)
# A refused text is halved until it is shorter than this many characters.
SHORTEST_WINDOW = 200


class ServerReranker(Reranker):
    """A reranker behind ``/v1/rerank`` or ``/rerank``: vLLM, Jina, Cohere, Infinity, TEI and others.

    The JD is the query. Texts are sent to this address only; a redirect is an error. Where a server does not
    know what vLLM, Jina, Cohere and Infinity understand (``documents`` in, ``results`` out), it is asked as
    TEI (``texts`` in, a list out), and at ``/rerank`` beside ``/v1``. A text that is refused as too long is
    sent in windows.

    Parameters
    ----------
    url : str
        ``http(s)://host:port/v1#model``, or the address up to ``/rerank``. Without ``#model`` the server is
        asked; it must serve one. TEI lists none, so name its model.
    logits : bool
        Whether the server gives raw numbers, of which the sigmoid is the probability.
    batch_size : int
        Résumés of one request; where the server refuses so many, they are sent in halves.
    concurrency, max_retries, timeout, mask, revision
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
        mask: bool | None = None,
        revision: str | None = None,
    ) -> None:
        counts = {"batch_size": batch_size, "concurrency": concurrency, "timeout": timeout}
        for option, value in counts.items():
            if value <= 0:
                raise InputError(_("{name} is {value}; it must be above 0.").format(name=option, value=value))
        if max_retries < 0:
            raise InputError(_("max_retries is {value}; it must be 0 or more.").format(value=max_retries))
        self._endpoint = Endpoint(url, max_retries=max_retries, timeout=timeout, serves="reranker")
        base = self._endpoint.url.removesuffix("/rerank")
        # Those that are left to try; the first that answers stays.
        self._ways = [
            (f"{address}/rerank", texts)
            for address in dict.fromkeys((base, base.removesuffix("/v1")))
            for texts in ("documents", "texts")
        ]
        self._logits, self._revision = logits, revision
        self._masks = get_settings().mask if mask is None else mask
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
            **({"masking": MASKING_RECIPE} if self._masks else {}),
        }

    def score_batches(self, jd: str, resumes: Sequence[str]) -> Iterator[Reranked]:
        size = self.batch_size
        batches = [np.arange(at, min(at + size, len(resumes))) for at in range(0, len(resumes), size)]
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="rerank")
        try:
            answers = pool.map(lambda batch: self._scores_of(jd, [resumes[at] for at in batch]), batches)
            for positions, (scores, in_windows) in zip(batches, answers, strict=True):
                yield Reranked(positions, 1 / (1 + np.exp(-scores)) if self._logits else scores, in_windows)
        finally:
            # Requests on the way are left to end by themselves: whoever interrupts does not wait for them.
            pool.shutdown(wait=False, cancel_futures=True)

    def _scores_of(self, jd: str, resumes: list[str]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """The scores, and which texts were read in windows."""
        size = min(self.batch_size, len(resumes))
        try:
            # What is smaller by now has been found out by a batch before this one.
            parts = [self._ask(jd, resumes[at : at + size]) for at in range(0, len(resumes), size)]
            return np.concatenate(parts), np.zeros(len(resumes), dtype=bool)
        except RefusedError as error:
            if len(resumes) == 1:
                return np.array([self._best_window(jd, resumes[0], error)]), np.ones(1, dtype=bool)
            middle = (len(resumes) + 1) // 2
            halves = [self._scores_of(jd, half) for half in (resumes[:middle], resumes[middle:])]
            scores, in_windows = map(np.concatenate, zip(*halves, strict=True))
            if not in_windows.any():  # else a text was too long: their number was no reason
                self.batch_size = min(self.batch_size, middle)
            return scores, in_windows

    def _best_window(self, jd: str, resume: str, refused: RefusedError) -> float:
        """The best score of halves of the longer text, which are halved again where they are refused."""
        if max(len(jd), len(resume)) < SHORTEST_WINDOW:
            raise EncoderError(
                _("{error} It was a text of {n} characters.").format(error=refused, n=f"{len(resume):,}")
            ) from refused
        if len(jd) > len(resume):
            pairs = [(half, resume) for half in _halves(jd)]
        else:
            pairs = [(jd, half) for half in _halves(resume)]
        scores = []
        for pair in pairs:
            try:
                scores.append(float(self._ask(pair[0], [pair[1]])[0]))
            except RefusedError as error:
                scores.append(self._best_window(*pair, error))
        return max(scores)

    def _ask(self, jd: str, resumes: list[str]) -> FloatArray:
        """One request, in the way that the server is known to understand, or in each until one is."""
        failed: list[EncoderError | EncoderUnavailableError] = []
        if self._masks:
            jd, resumes = mask(jd), list(map(mask, resumes))
        ways = self._ways  # as they are now: another thread may find the right one meanwhile
        for url, texts in ways:
            body: dict[str, Any] = {"query": jd, texts: resumes}
            if texts == "documents":
                body |= {"model": self.name, "top_n": len(resumes)}
            try:
                answer = self._endpoint.post(url, body, once=bool(failed))
            except (EncoderError, EncoderUnavailableError) as error:
                code = getattr(error.__context__, "status_code", None)
                if not failed and (len(ways) == 1 or code not in _ANOTHER_WAY):
                    raise
                failed.append(error)
            else:
                self._ways = [(url, texts)]
                return self._scores_in(url, answer, jd, resumes)
        # A refusal may be about the texts, and says more than a path that is not there.
        raise next((error for error in failed if isinstance(error, RefusedError)), failed[0])

    def _scores_in(self, url: str, answer: Any, jd: str, resumes: list[str]) -> FloatArray:
        """The scores of an answer in the order of `resumes`, with its shape checked."""
        try:
            entries = answer["results"] if isinstance(answer, dict) else answer
            found = [float(_score_of(entry)) for entry in entries]
            unnumbered = len(entries) > 1 and all(entry.get("index") is None for entry in entries)
            if unnumbered and found == sorted(found, reverse=True):
                # Best first, perhaps: which text is which cannot be told of several at once.
                return np.concatenate([self._ask(jd, [resume]) for resume in resumes])
            indexes = self._endpoint.indexes_of(entries)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise EncoderError(
                _("{url} gave no list of results with index and relevance_score ({reason}).").format(
                    url=url, reason=reason_of(error)
                )
            ) from None
        if sorted(indexes) != list(range(len(resumes))):
            raise EncoderError(
                _("{url} gave {n} score(s) for {asked} text(s), or not one for each.").format(
                    url=url, n=len(found), asked=len(resumes)
                )
            )
        return np.array(found)[np.argsort(indexes)]


def _score_of(entry: Mapping[str, Any]) -> Any:
    return entry["relevance_score"] if "relevance_score" in entry else entry["score"]


def _halves(text: str) -> list[str]:
    """Two halves that overlap a little, so that what is cut in one stands whole in the other."""
    middle, more = len(text) // 2, len(text) // 16
    return [text[: middle + more], text[middle - more :]]
