"""The workbench behind an address: HTTP for programs, MCP for assistants; needs the extra ``serve``.

:mod:`answers` knows what is asked and answered, :mod:`batching` how many questions share one encoder,
:mod:`api` and :mod:`tools` the two ways in, and :mod:`guard` who comes in, with how much.
"""
