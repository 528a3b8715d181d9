"""``make bench``, first part: ``python -m local.bench``, in the client environment.

RUNS is the number of runs of each program in each setting, 21 by default. With fewer, nothing is written to the
documentation, and the figures say little.
"""

import os
import sys

from local.bench import measure, results, tls
from local.bench.measure import Run, Setting
from local.bench.programs import all_programs
from local.processes import end_on_signals
from local.servers import running

SETTINGS = tuple(Setting(milliseconds, throttled) for throttled in (False, True) for milliseconds in (0, 20))


def main() -> int:
    end_on_signals()
    count = int(os.environ.get("RUNS") or results.RUNS)
    programs = all_programs()
    runs: dict[tuple[str, Setting], list[Run]] = {(program.name, setting): [] for program in programs for setting in SETTINGS}
    with running("bench") as aws:
        tls.make_certificates(aws.folder)
        gateways = {milliseconds: tls.start(aws.folder, aws.gateway, milliseconds) for milliseconds in (0, 20)}
        try:
            bench = measure.seeded(aws, gateways)
            for setting in SETTINGS:
                # The first run of each program fills the caches of the machine, and does not count.
                for number in range(count + 1):
                    for program in programs:
                        run = bench.run(program, setting)
                        if number:
                            runs[program.name, setting].append(run)
        finally:
            for gateway in gateways.values():
                gateway.child.stop()
    results.write(programs, runs, full=count >= results.RUNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
