"""Forgetting a person: :mod:`~workbench.forgetting.act` is what is done,
:mod:`~workbench.forgetting.places` where.
"""
