"""Servers that answer as vLLM, Text Embeddings Inference (TEI) and Infinity do, errors and limits included.

Written after their sources: vLLM's ``entrypoints/pooling`` (``embed/protocol.py``, ``scoring/protocol.py``);
TEI's ``router/src/http/server.rs`` and ``types.rs``; and what infinity-emb 0.0.78 answered when it ran here
(``infinity_server.py``, ``fastapi_schemas/pymodels.py``). A token is a character here; vectors and
scores are ones that a test can work out.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from character_encoder import CharacterEncoder
from servers import ScriptedServer, embeddings

ENCODER = CharacterEncoder()
LONGEST = 400
NOT_FOUND = (404, {"detail": "Not Found"})


def share(jd: str, resume: str) -> float:
    """What a reranker says here: how many of the JD's characters the résumé has."""
    return len(set(jd) & set(resume)) / len(set(jd))


class Dialect(ScriptedServer):
    """What they have in common: an act for each path, and a 429 to the first `busy` requests."""

    busy = 0
    # Methods by the path that they answer.
    acts: ClassVar[dict[str, str]]

    def __init__(self, model: str = "toy") -> None:
        super().__init__(lambda *_: None, (model,))
        self.inside = self.most_inside = 0
        self.counting = threading.Lock()

    def answer(self, path: str, request: dict[str, Any], number: int) -> Any:
        act = self.acts.get(path)
        if act is None:
            return self.not_found()
        if number < self.busy:
            return self.failed(429, "Model is overloaded", "overloaded")
        with self.counting:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        try:
            time.sleep(0.005)
            return getattr(self, act)(request)
        finally:
            with self.counting:
                self.inside -= 1

    def not_found(self) -> Any:
        return NOT_FOUND

    def failed(self, code: int, said: str, kind: str) -> Any:
        """OpenAI's shape, as of vLLM since 0.10 and of Infinity."""
        return code, {"error": {"message": said, "type": kind, "param": None, "code": code}}

    def vectors(self, texts: Sequence[str], encoding_format: str = "float") -> dict[str, Any]:
        rows = ENCODER.encode_documents(list(texts), progress=False)
        found = embeddings(rows)
        if encoding_format == "base64":
            for entry, row in zip(found["data"], rows, strict=True):
                entry["embedding"] = base64.b64encode(row.astype("<f4").tobytes()).decode()
        return found


class VLLM(Dialect):
    """Takes any number of texts; refuses longer ones, and dimensions that the model was not trained for."""

    acts: ClassVar = {"/v1/embeddings": "embed", "/v1/rerank": "rerank", "/rerank": "rerank"}

    def embed(self, request: dict[str, Any]) -> Any:
        refused = self._refused(request, request["input"])
        if refused is None and request.get("dimensions"):
            said = f'Model "{request["model"]}" does not support matryoshka representation, changing output '
            refused = self.failed(400, f"{said}dimensions will lead to poor results.", "BadRequestError")
        return refused or self.vectors(request["input"], request.get("encoding_format", "float"))

    def rerank(self, request: dict[str, Any]) -> Any:
        if "documents" not in request:
            said = "[{'type': 'missing', 'loc': ('body', 'documents'), 'msg': 'Field required'}]"
            return self.failed(400, said, "BadRequestError")
        texts = [request["query"] + text for text in request["documents"]]
        results = [
            {"index": at, "document": {"text": text}, "relevance_score": share(request["query"], text)}
            for at, text in enumerate(request["documents"])
        ]
        results.sort(key=lambda result: -result["relevance_score"])
        return self._refused(request, texts) or {"id": "score-1", "model": "toy", "results": results}

    def _refused(self, request: dict[str, Any], texts: Sequence[str]) -> Any:
        if request["model"] not in self.models:
            said = f"The model `{request['model']}` does not exist."
            return self.failed(404, said, "NotFoundError")
        longest = max(map(len, texts))
        if longest <= LONGEST:
            return None
        said = (
            f"This model's maximum context length is {LONGEST} tokens. However, you requested {longest} "
            "tokens in the input for embedding generation. Please reduce the length of the input."
        )
        return self.failed(400, said, "BadRequestError")


class TEI(Dialect):
    """Takes 32 texts, whatever name they ask for; cuts longer ones, or refuses all that came with one."""

    acts: ClassVar = {"/v1/embeddings": "embed", "/embeddings": "embed", "/rerank": "rerank"}
    most, cuts = 32, False

    def listed(self, path: str) -> Any:
        return 404, b""

    def not_found(self) -> Any:
        return 404, b""

    def failed(self, code: int, said: str, kind: str) -> Any:
        """Of the OpenAI-compatible paths; of the others see :meth:`rerank`."""
        return code, {"message": said, "code": code, "type": kind.capitalize()}

    def embed(self, request: dict[str, Any]) -> Any:
        said = self._refused(request["input"], request["input"])
        # It has no field `dimensions`, so it does not look at one.
        found = self.vectors(self._cut(request["input"]), request.get("encoding_format", "float"))
        return self.failed(413, said, "Validation") if said else found

    def rerank(self, request: dict[str, Any]) -> Any:
        if "texts" not in request:
            # Not JSON: axum's own words.
            said = "Failed to deserialize the JSON body into the target type: missing field `texts` at line 1"
            return 422, said.encode()
        said = self._refused(request["texts"], [request["query"] + text for text in request["texts"]])
        if said:
            return 413, {"error": said, "error_type": "Validation"}
        ranks = [
            {"index": at, "score": share(request["query"], text)} for at, text in enumerate(request["texts"])
        ]
        return sorted(ranks, key=lambda rank: -rank["score"])

    def _refused(self, sent: Sequence[str], texts: Sequence[str]) -> str | None:
        if len(sent) > self.most:
            return f"batch size {len(sent)} > maximum allowed batch size {self.most}"
        longest = max(map(len, texts))
        if longest <= LONGEST or self.cuts:
            return None
        return f"`inputs` must have less than {LONGEST} tokens. Given: {longest}"

    def _cut(self, texts: Sequence[str]) -> list[str]:
        return [text[:LONGEST] for text in texts]


class Infinity(Dialect):
    """Takes 2048 texts (here 40) of 122,880 characters (here 900), cuts each, and repeats what it refuses."""

    acts: ClassVar = {"/v1/embeddings": "embed", "/v1/rerank": "rerank"}
    most, longest = 40, 900

    def embed(self, request: dict[str, Any]) -> Any:
        refused = self._refused(request, "input")
        cut = [text[:LONGEST] for text in request["input"]]
        return refused or self.vectors(cut, request.get("encoding_format", "float"))

    def rerank(self, request: dict[str, Any]) -> Any:
        refused = self._refused(request, "documents")
        if refused:
            return refused
        results = [
            {"relevance_score": share(request["query"], text), "index": at, "document": None}
            for at, text in enumerate(request["documents"])
        ]
        results.sort(key=lambda result: -result["relevance_score"])
        return {"object": "rerank", "results": results[: request["top_n"]], "model": request["model"]}

    def _refused(self, request: dict[str, Any], field: str) -> Any:
        place, texts = ["body", field], request.get(field)
        if texts is None:
            return 422, {
                "detail": [{"type": "missing", "loc": place, "msg": "Field required", "input": request}]
            }
        if len(texts) > self.most:
            said = f"List should have at most {self.most} items after validation, not {len(texts)}"
            return 422, {"detail": [{"type": "too_long", "loc": place, "msg": said, "input": texts}]}
        for text in texts:
            if len(text) > self.longest:
                said = f"String should have at most {self.longest} characters"
                return 422, {
                    "detail": [{"type": "string_too_long", "loc": place, "msg": said, "input": text}]
                }
        if request["model"] not in self.models:
            said = f"Engine for model name `{request['model']}` not found. Available model names are "
            return self.failed(400, f"Invalid model: {said}{list(self.models)}", "null")
        return None


class InfinityWithoutPrefix(Infinity):
    """As it starts where nothing is said of a prefix: no ``/v1``."""

    acts: ClassVar = {"/embeddings": "embed", "/rerank": "rerank"}

    def listed(self, path: str) -> Any:
        return super().listed(path) if path == "/models" else NOT_FOUND
