"""Checks the templates with cfn-lint for every Region of every partition that cfn-lint knows.

``python -m local.region_lint [TEMPLATE...]``, in cfn-lint's own environment (``target/venv/cfn-lint``). It takes a minute
on two cores. cfn-lint tries combinations of the Regions given, so that four Regions take hardly longer than one, twelve take
ten times as long, and `--regions ALL_REGIONS` takes hours.
"""

import multiprocessing
import sys
from collections import defaultdict
from pathlib import Path

from cfnlint.api import ManualArgs, lint
from cfnlint.helpers import REGIONS

from local.paths import ALL_TEMPLATES, ROOT

AT_ONCE = 4


def findings(job: tuple[Path, list[str]]) -> list[tuple[str, str]]:
    """The findings on a template in some Regions, each with its Region."""
    template, regions = job
    text = template.read_text()
    if not lint(text, config=ManualArgs(regions=regions)):
        return []
    return [
        (f"{template.name}:{match.linenumber}: {match.rule.id} {match.message}", region)
        for region in regions
        for match in lint(text, config=ManualArgs(regions=[region]))
    ]


def main(*templates: Path) -> int:
    groups = [REGIONS[start : start + AT_ONCE] for start in range(0, len(REGIONS), AT_ONCE)]
    jobs = [(template, group) for group in groups for template in templates or ALL_TEMPLATES]
    found: defaultdict[str, list[str]] = defaultdict(list)
    with multiprocessing.Pool() as pool:
        for matches in pool.imap_unordered(findings, jobs):
            for finding, region in matches:
                found[finding].append(region)
    for finding, regions in sorted(found.items()):
        where = "every Region" if len(regions) == len(REGIONS) else ", ".join(sorted(regions))
        print(f"{finding} ({where})")
    print(f"cfn-lint: {len(templates or ALL_TEMPLATES)} templates, {len(REGIONS)} Regions, {len(found)} findings")
    return 1 if found or not jobs else 0


if __name__ == "__main__":
    sys.exit(main(*[ROOT / name for name in sys.argv[1:]]))
