"""Checkpoints for tests and benchmarks, made on the spot from packages, since no hub need be reached.

``qwen3`` builds a random Qwen3 model around the real Qwen tokenizer, ``e5`` rebuilds the real
multilingual-e5-small, ``shared`` makes parallel test workers build each only once.
"""
