"""``make aws-check``: asks an AWS account the questions about AWS that no documentation answers.

The project is built for every answer that it can think of. The section *Not proven without an AWS account*
of docs/aws-behaviour.md lists what it assumes. Each question here tries one of these assumptions, and prints one line.

- ``options.py`` and ``__main__.py``: what the user asked for, and the run from beginning to end.
- ``questions/``: the questions, one file for each group; ``questions/__init__.py`` has the list.
- ``account.py``: the account that is asked; ``stack.py`` makes stacks in it, and ``permissions.py`` tries permissions.
- ``cleanup.py``: removes everything that was made.
"""
