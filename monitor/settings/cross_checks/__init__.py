"""Checks that need more than one key or file: references, duplicates, the machine around them.

They read the parsed TOML, not the validated models, so a mistake elsewhere in a file hides none of
theirs. A value of the wrong type is ignored here: the schema reports it.
"""
