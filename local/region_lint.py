"""Checks the templates with cfn-lint for every Region of every partition that cfn-lint knows.

``python -m local.region_lint [TEMPLATE...]``, in cfn-lint's own environment (``target/venv/cfn-lint``). Each Region is checked
by itself: with `--regions ALL_REGIONS`, cfn-lint tries combinations of the Regions and takes hours instead of minutes.
"""

import multiprocessing
import sys
from collections import defaultdict
from pathlib import Path

from cfnlint.api import ManualArgs, lint
from cfnlint.helpers import REGIONS

from local.paths import ALL_TEMPLATES, ROOT


def findings(job: tuple[Path, str]) -> list[tuple[str, str]]:
    """The findings on a template in a Region, each with the Region."""
    template, region = job
    return [
        (f"{template.name}:{match.linenumber}: {match.rule.id} {match.message}", region)
        for match in lint(template.read_text(), config=ManualArgs(regions=[region]))
    ]


def main(*templates: Path) -> int:
    jobs = [(template, region) for region in REGIONS for template in templates or ALL_TEMPLATES]
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
