"""The demo: a stack sets, changes and restores the key of sessions on a local AWS."""
