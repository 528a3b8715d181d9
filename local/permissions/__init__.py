"""docs/permissions.md: what the templates give, and what whoever deploys and the command line need.

``python -m local.permissions`` writes the page, and ``make docs`` does it too.

- ``statements.py`` reads the statements of a template's roles, each with the parameters that it depends on.
- ``reasons.py``, ``deployment.py`` and ``commands.py`` have what a template cannot say: why a statement is there, what
  CloudFormation needs for a type of resource, and what a command calls.
- ``page.py`` makes the page of both. A statement, a type of resource or a parameter without its row is an error, and so is
  a row that is not needed.
"""
