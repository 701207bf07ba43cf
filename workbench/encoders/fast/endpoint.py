"""One OpenAI-compatible server: its address, the key for it, the client, and its errors as sentences.

What is asked of it, and what its answers must look like, is the encoder's or the reranker's; retries are left
to the ``openai`` client. Texts are sent to this address only: a redirect is an error.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from workbench.encoders.fast.wire import MOST_BYTES, TooMuchError, bounded
from workbench.errors import EncoderError, EncoderUnavailableError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext

# Seconds after which a host that does not even accept a connection is taken for not there.
CONNECT_TIMEOUT = 10.0
# A vendor's key goes to that vendor only; any other server gets WORKBENCH_API_KEY, or nothing.
_VENDOR_KEYS = {".aliyuncs.com": "DASHSCOPE_API_KEY", ".openai.com": "OPENAI_API_KEY"}
# Of what a server says; more would not be shown.
MOST_WORDS = 1000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(EncoderError):
    """The server refuses a request for what is in it: too many texts at once, or one too long."""


class Endpoint:
    """A server and how to reach it.

    Parameters
    ----------
    url : str
        ``http(s)://host:port/v1#model``; the model may be left out. ``/embeddings`` may follow, and tells
        of a server that has no ``/v1``.
    max_retries : int
    timeout : float
        Seconds for one answer, from the first byte sent to the last one received.
    serves : {"encoder", "reranker"}
        What to call it in an error.

    Raises
    ------
    InputError
        If the address is none, or holds a password.

    Examples
    --------
    >>> endpoint = Endpoint("http://localhost:8000#BAAI/bge-m3", max_retries=0, timeout=60)
    >>> endpoint.url, endpoint.model
    ('http://localhost:8000/v1', 'BAAI/bge-m3')
    """

    def __init__(
        self,
        url: str,
        *,
        max_retries: int,
        timeout: float,
        serves: Literal["encoder", "reranker"] = "encoder",
    ) -> None:
        self.url, self.model = _split(url)
        self.serves = serves
        self.max_retries = max_retries
        self._is_unnumbered = False
        self.timeout = timeout

    @cached_property
    def client(self) -> Any:
        """The ``openai.OpenAI`` client."""
        import openai

        local = self._host in _LOOPBACK
        warn_of_plain_text(self.url)
        # A proxy from the environment cannot reach this very machine.
        http_client = openai.DefaultHttpxClient(trust_env=not local, follow_redirects=False)
        return openai.OpenAI(
            base_url=self.url,
            # The client insists on a key; servers of one's own do not look at it.
            api_key=self._key or "none",
            max_retries=self.max_retries,
            timeout=openai.Timeout(self.timeout, connect=min(self.timeout, CONNECT_TIMEOUT)),
            http_client=bounded(http_client, self.timeout),
        )

    def post(self, url: str, body: dict[str, Any], *, once: bool = False) -> Any:
        """The JSON that is answered to a request; with `once`, it is not sent again where it fails.

        Raises
        ------
        EncoderError, EncoderUnavailableError
            If there is no answer, no JSON, or one that says an error, with whatever status.
        RefusedError
            If the request is refused for what is in it.
        """
        import openai

        try:
            retries = 0 if once else self.max_retries
            answer = self.client.post(url, cast_to=object, body=body, options={"max_retries": retries})
        except (openai.OpenAIError, TooMuchError) as error:
            # Not "from error": a traceback would show the client's, with all that the server said.
            raise self.in_words(error, _texts_in(body)) from None
        except (ValueError, RecursionError) as error:
            raise EncoderError(
                _("The answer of {url} cannot be read: {said}").format(url=self.url, said=reason_of(error))
            ) from None
        if isinstance(answer, dict) and not (answer.get("data") or answer.get("results")):
            said = _sentence_in(answer)
            if said:
                raise EncoderError(
                    _("The server at {url} answers with an error: {said}").format(
                        url=self.url, said=self._shown(said, _texts_in(body))
                    )
                )
        return answer

    def indexes_of(self, entries: list[dict[str, Any]]) -> list[int]:
        """Which text each entry of an answer is for; without numbers, they are taken in order, and said."""
        if entries and all(entry.get("index") is None for entry in entries):
            if not self._is_unnumbered:
                self._is_unnumbered = True
                warnings.warn(
                    _(
                        "The server at {url} does not say which text each part of its answer is for; they "
                        "are taken in the order of the texts."
                    ).format(url=self.url),
                    stacklevel=2,
                )
            return list(range(len(entries)))
        return [int(entry["index"]) for entry in entries]

    def served_models(self) -> list[str]:
        """The names of the models that the server says it serves."""
        import openai

        try:
            return [model.id for model in self.client.models.list()]
        except (openai.OpenAIError, TooMuchError) as error:
            raise self.in_words(error) from None
        except (AttributeError, TypeError, ValueError) as error:
            raise EncoderUnavailableError(
                _(
                    "{url} does not list its models as OpenAI's /v1/models does ({reason}); name one after a "
                    "'#': {url}#model. The address should end in /v1."
                ).format(url=self.url, reason=error)
            ) from error

    def only_model(self) -> str:
        """The model that the address names, else the only one that the server serves."""
        if self.model:
            return self.model
        served = self.served_models()
        if not served:
            raise EncoderUnavailableError(
                _("The server at {url} serves no model yet; start one there, then try again.").format(
                    url=self.url
                )
            )
        if len(served) > 1:
            raise EncoderUnavailableError(
                _("The server at {url} serves {n} models; name one of them after a '#': {models}").format(
                    url=self.url,
                    n=len(served),
                    models=", ".join(f"{self.url}#{model}" for model in served),
                )
            )
        return served[0]

    def in_words(self, error: Exception, sent: Sequence[str] = ()) -> EncoderError | EncoderUnavailableError:
        """An error of the client as one of ours: what happened, where, what to do, and nothing of `sent`."""
        import openai

        root, kind_of_model = _root_of(error), "Reranker" if self.serves == "reranker" else "Embedding"
        if isinstance(error, openai.APITimeoutError):
            return EncoderError(
                _(
                    "The server at {url} did not answer within {seconds} s, asked {tries}. Load the {what} "
                    "with a longer timeout or a smaller batch_size."
                ).format(url=self.url, seconds=f"{self.timeout:g}", tries=_tries(error), what=self._called())
            )
        if isinstance(root, TooMuchError):
            return EncoderError(
                _(
                    "The server at {url} sent more than {most} MB for one answer. Load the {what} with a "
                    "smaller batch_size, or check what answers there."
                ).format(url=self.url, most=MOST_BYTES // 2**20, what=self._called())
            )
        if isinstance(error, openai.APIConnectionError):
            return EncoderUnavailableError(
                _(
                    "There is no server at {url} ({reason}). Check the address, or start one, for example "
                    "with: vllm serve Qwen/Qwen3-{kind}-4B --port 8000"
                ).format(
                    url=self.url,
                    reason=getattr(root, "strerror", None) or str(root) or type(root).__name__,
                    kind=kind_of_model,
                )
            )
        said = self._said(error, sent)
        if not isinstance(error, openai.APIStatusError):
            return EncoderError(
                _("The answer of {url} cannot be read: {said}").format(url=self.url, said=said)
            )
        kind: type[EncoderError | EncoderUnavailableError] = EncoderUnavailableError
        match error.status_code:
            case 401 | 403:
                sentence = _(
                    "The server at {url} gives no access ({code}): {said} Put a key for it into the "
                    "environment variable WORKBENCH_API_KEY."
                )
            case 404 if self.model:
                sentence = _(
                    "The server at {url} does not have what was asked for ({code}): {said} The address "
                    "should end in /v1, and '{model}' be a model that it serves."
                )
            case 404:
                sentence = _(
                    "The server at {url} does not have what was asked for ({code}): {said} The address "
                    "should end in /v1, or in /v1#model for a server that does not list its models."
                )
            case 301 | 302 | 303 | 307 | 308:
                sentence = _(
                    "The server at {url} points to another address ({code}), to which no texts are sent; "
                    "give that address itself."
                )
            case 400 | 413 | 422:
                kind, sentence = RefusedError, _("The server at {url} refuses the request ({code}): {said}")
            case _code:
                kind, sentence = EncoderError, _("The server at {url} fails ({code}, asked {tries}): {said}")
        return kind(
            sentence.format(
                url=self.url, code=error.status_code, said=said, model=self.model, tries=_tries(error)
            )
        )

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def _key(self) -> str | None:
        vendor = next((key for domain, key in _VENDOR_KEYS.items() if self._host.endswith(domain)), None)
        return os.environ.get("WORKBENCH_API_KEY") or (os.environ.get(vendor) if vendor else None)

    def _called(self) -> str:
        return _("reranker") if self.serves == "reranker" else _("encoder")

    def _said(self, error: Exception, sent: Sequence[str]) -> str:
        body = getattr(error, "body", None)
        return self._shown(_sentence_in(body) or body or error, sent)

    def _shown(self, said: object, sent: Sequence[str]) -> str:
        """A server's words in one line, as a sentence, without the texts and the key that they repeat."""
        words = " ".join(str(said)[:MOST_WORDS].split())
        if self._key:
            words = words.replace(self._key, "***")
        words = _without(words, [" ".join(text.split()) for text in sent])
        words = words if len(words) <= 200 else words[:199] + "…"
        return words if words.endswith((".", "!", "?", "…", "。")) else words + "."


def _split(url: str) -> tuple[str, str]:
    """The address and the model that an encoder's URL names; the model may be empty."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises where it is no number
    except ValueError as error:
        raise InputError(
            _("The address of the server cannot be read: {reason}.").format(reason=error)
        ) from None
    if parts.username is not None or parts.password is not None:
        raise InputError(
            _(
                "The address of a server must not hold a user or password, since it is shown and saved; put "
                "a key into the environment variable WORKBENCH_API_KEY."
            )
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or port == 0:
        raise InputError(
            _("{url} is not the address of a server; write http://host:port/v1#model.").format(url=repr(url))
        )
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path.removesuffix('/embeddings')}", parts.fragment


@cache
def warn_of_plain_text(url: str) -> None:
    """Warn once of an address on another machine that texts are sent to for anybody to read."""
    if not url.startswith("http:") or urlsplit(url).hostname in _LOOPBACK:
        return
    warnings.warn(
        _(
            "Texts are sent to {url} as anybody on the way can read them; use https, or a tunnel to "
            "localhost."
        ).format(url=url),
        stacklevel=2,
    )


def _sentence_in(body: object) -> str | None:
    """What an answer says went wrong, in the ways of OpenAI, TEI, vLLM, FastAPI and others."""
    if isinstance(body, list) and body:
        return _sentence_in(body[0])
    if isinstance(body, dict):
        words = (_sentence_in(body[key]) for key in ("error", "message", "detail", "msg") if key in body)
        return next(filter(None, words), None)
    return body if isinstance(body, str) and body.strip() else None


def reason_of(error: Exception) -> str:
    """Why an answer was not understood; of a value that was no number, only that: it may repeat a text."""
    told = isinstance(error, LookupError | json.JSONDecodeError)
    return f"{type(error).__name__}: {error}" if told else type(error).__name__


def _tries(error: Any) -> str:
    """How often was asked: the client numbers its requests."""
    count = int(error.request.headers.get("x-stainless-retry-count", 0)) + 1
    return _("twice") if count == 2 else ngettext("once", "{n} times", count).format(n=count)


def _texts_in(body: Any) -> list[str]:
    """All texts of a request."""
    if isinstance(body, dict | list):
        return [
            text for one in (body.values() if isinstance(body, dict) else body) for text in _texts_in(one)
        ]
    return [body] if isinstance(body, str) else []


def _without(words: str, sent: Sequence[str]) -> str:
    """Words without what they share with a text: a dozen letters, or four characters of Chinese."""
    kept, at = "", 0
    while at < len(words):
        end = at + (12 if words[at].isascii() else 4)
        if end > len(words) or not any(words[at:end] in text for text in sent):
            kept, at = kept + words[at], at + 1
            continue
        while end < len(words) and any(words[at : end + 1] in text for text in sent):
            end += 1
        kept, at = f"{kept}…", end
    return kept


def _root_of(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
