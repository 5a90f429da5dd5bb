"""One library each, strangers to one another; each implements a port of core.ports."""
