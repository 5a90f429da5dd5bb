"""TOML and secrets → frozen models, with file and line for every error."""
