"""The schema of each file: keys, types, limits, defaults.

monitor, network (also sites/<id>.toml), alerts and maintenance are the files; common holds what
several of them share; field_types holds types of values such as addresses and names of secrets.
"""
