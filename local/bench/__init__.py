"""``make bench``: the function beside the same job in Python and in Node.js, on one machine and one local AWS.

- ``programs.py``: the three programs, and how each is built and started.
- ``runtime_api.py``: Lambda's Runtime API for one process; ``throttle.py``: a share of a CPU, as a small function has it.
- ``tls.py``, ``certificates.py``: the local AWS over TLS, with a latency for each call.
- ``measure.py``: the runs; ``scale.py``: how the cost of a check grows; ``results.py``, ``plots.py``: tables and plots.
"""
