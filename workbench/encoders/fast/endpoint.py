"""One OpenAI-compatible server: its address, the key for it, the client, and its errors as sentences.

What is asked of it, and what its answers must look like, is the encoder's; retries and time-outs are left to
the ``openai`` client.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from workbench.errors import EncoderError, EncoderUnavailableError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext

__all__ = ["Endpoint", "RefusedError"]

# Seconds after which a host that does not even accept a connection is taken for not there.
CONNECT_TIMEOUT = 10.0
# A vendor's key goes to that vendor only; any other server gets WORKBENCH_API_KEY, or nothing.
_VENDOR_KEYS = {".aliyuncs.com": "DASHSCOPE_API_KEY", ".openai.com": "OPENAI_API_KEY"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(EncoderError):
    """The server refuses a request for what is in it: too many texts at once, or one too long."""


class Endpoint:
    """A server and how to reach it.

    Parameters
    ----------
    url : str
        ``http(s)://host:port/v1#model``; the model may be left out.
    max_retries : int
    timeout : float
        Seconds.

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

    def __init__(self, url: str, *, max_retries: int, timeout: float) -> None:
        self.url, self.model = _split(url)
        self.max_retries = max_retries
        self.timeout = timeout

    @cached_property
    def client(self) -> Any:
        """The ``openai.OpenAI`` client."""
        import openai

        return openai.OpenAI(
            base_url=self.url,
            # The client insists on a key; servers of one's own do not look at it.
            api_key=self._key or "none",
            max_retries=self.max_retries,
            timeout=openai.Timeout(self.timeout, connect=min(self.timeout, CONNECT_TIMEOUT)),
            # A proxy from the environment cannot reach this very machine.
            http_client=openai.DefaultHttpxClient(trust_env=self._host not in _LOOPBACK),
        )

    def served_models(self) -> list[str]:
        """The names of the models that the server says it serves."""
        import openai

        try:
            return [model.id for model in self.client.models.list()]
        except openai.OpenAIError as error:
            raise self.in_words(error) from error
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

    def in_words(self, error: Exception) -> EncoderError | EncoderUnavailableError:
        """An error of the client as one of ours: what happened, where, and what to do."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return EncoderError(
                _(
                    "The server at {url} did not answer within {seconds} s, asked {tries}. Load the encoder "
                    "with a longer timeout or a smaller batch_size."
                ).format(url=self.url, seconds=f"{self.timeout:g}", tries=self._tries())
            )
        if isinstance(error, openai.APIConnectionError):
            return EncoderUnavailableError(
                _(
                    "There is no server at {url} ({reason}). Check the address, or start one, for example "
                    "with: vllm serve Qwen/Qwen3-Embedding-4B --port 8000"
                ).format(url=self.url, reason=_root_of(error))
            )
        said = self._said(error)
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
                    "should end in /v1."
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
                url=self.url, code=error.status_code, said=said, model=self.model, tries=self._tries()
            )
        )

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def _key(self) -> str | None:
        vendor = next((key for domain, key in _VENDOR_KEYS.items() if self._host.endswith(domain)), None)
        return os.environ.get("WORKBENCH_API_KEY") or (os.environ.get(vendor) if vendor else None)

    def _said(self, error: Exception) -> str:
        body = getattr(error, "body", None)
        message = body.get("message") if isinstance(body, dict) else None
        words = " ".join(str(message or body or error).split())
        if self._key:
            # Some servers send the key that they refused back in their message.
            words = words.replace(self._key, "***")
        words = words if len(words) <= 200 else words[:199] + "…"
        return words if words.endswith((".", "!", "?", "…", "。")) else words + "."

    def _tries(self) -> str:
        count = self.max_retries + 1
        return _("twice") if count == 2 else ngettext("once", "{n} times", count).format(n=count)


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
    path = parts.path.rstrip("/").removesuffix("/embeddings") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}", parts.fragment


def _root_of(error: BaseException) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
