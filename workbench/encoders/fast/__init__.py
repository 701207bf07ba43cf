"""What encoders run on and a user never sees: checkpoints, batches, models without padding, CUDA.

An encoder says here *what* is computed; nothing here knows which encoder asks. torch and transformers are
imported by :mod:`~workbench.encoders.fast.operations`, the packed models and
:mod:`~workbench.encoders.fast.cuda`, which encoders therefore import when they first run.
"""
