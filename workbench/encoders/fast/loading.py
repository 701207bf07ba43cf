"""A model from a checked folder, by its library: safetensors only, no code of the checkpoint's own."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from workbench.encoders.fast.checkpoints import loading_bar, weight_files, weights_of
from workbench.encoders.fast.options import Precision
from workbench.errors import EncoderUnavailableError
from workbench.i18n import gettext as _

# Two that replace the same function of torch would leave it replaced.
_ONE_AT_A_TIME = Lock()


def load_model(
    folder: Path, precision: Precision, device: str, *, name: str, next_token: bool = False
) -> Any:
    """Load a model for inference.

    Parameters
    ----------
    folder : Path
    precision : Precision
    device, name : str
        Where to run it, and what to call it in errors.
    next_token : bool
        With the head that tells the next token, for causal models.

    Raises
    ------
    EncoderUnavailableError
        If it cannot be loaded, does not fit into memory, or lacks tensors.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoModelForCausalLM

    try:
        with loading_bar(weight_files(folder)):
            model, report = (AutoModelForCausalLM if next_token else AutoModel).from_pretrained(
                folder,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                **precision.loading_options(device),
            )
            if str(model.device) != device:
                model = model.to(device)
    except torch.OutOfMemoryError as error:
        raise EncoderUnavailableError(
            _(
                "{name} in {precision} does not fit into the memory of {device}; load it in "
                "nf4, take a smaller model, or free the GPU ('nvidia-smi' shows who uses it)."
            ).format(name=name, precision=precision.name, device=device)
        ) from error
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise EncoderUnavailableError(
            _("transformers cannot load the weights in {folder}: {reason}").format(
                folder=folder, reason=error
            )
        ) from error
    # transformers fills what a checkpoint lacks with random numbers, and only warns.
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise EncoderUnavailableError(
            _(
                "The checkpoint in {folder} lacks {n} of the model's tensors, such as {tensor}; download "
                "it again."
            ).format(folder=folder, n=len(missing), tensor=repr(missing[0]))
        )
    return model.eval()


def load_by_sentence_transformers(kind: str, folder: Path, precision: Precision, device: str) -> Any:
    """Load a ``SentenceTransformer`` or ``CrossEncoder``, as `kind` says, for inference.

    Raises
    ------
    EncoderUnavailableError
        If it cannot be loaded.
    """
    from unittest import mock

    import sentence_transformers
    import torch

    def refuse(file: object, *_args: object, **_options: object) -> None:
        raise EncoderUnavailableError(
            _("{folder} would be loaded from {file}, a pickle, which can run code when opened.").format(
                folder=folder, file=file
            )
        )

    try:
        # The folder was looked through; should a module still find a pickle, it is not opened.
        with loading_bar(weights_of(folder)), _ONE_AT_A_TIME, mock.patch.object(torch, "load", refuse):
            model = getattr(sentence_transformers, kind)(
                str(folder),
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={**precision.loading_options("cpu"), "use_safetensors": True},
            )
    except (OSError, ValueError, ImportError, KeyError, TypeError) as error:
        raise EncoderUnavailableError(
            _("sentence-transformers cannot load {folder}: {reason}").format(folder=folder, reason=error)
        ) from error
    return model.eval()
