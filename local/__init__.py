"""An AWS on this machine: servers, packaging and stacks for the demo and the end-to-end tests."""
