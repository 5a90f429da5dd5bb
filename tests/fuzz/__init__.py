"""Inputs that hypothesis makes of a small corpus: cut, repeated, overwritten, spliced.

Nothing that arrives may raise what its reader does not declare. By default the same few hundred
examples each time; `deploy/test --full` makes ten times as many new ones. What once went wrong is
in `corpus/`, a directory for each reader.
"""
