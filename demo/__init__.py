"""The demo: a stack sets, changes and gives back the session key, on a local AWS."""
