"""Tools of the project: the local AWS for the demo and the end-to-end tests, packaging, releases, lints, `make test`."""
