"""Paths to the targets: hops, the usual path, where a path breaks off, what is traced when."""
