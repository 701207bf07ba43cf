"""The app: pages for people without a notebook, served by Voilà; a kernel a visitor, one encoder for all.

:mod:`~workbench.app.server` runs in the process that the command starts, :mod:`~workbench.app.encoder` in
one beside it, and :mod:`~workbench.app.page` in each visitor's kernel. Pages are panels; nothing is computed
here.
"""
