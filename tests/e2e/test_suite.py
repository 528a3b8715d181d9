"""The runner of ``make test`` and ``make lint``: which steps run, in which order, and what is printed of them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local import suite
from local.paths import ROOT
from local.suite import Step


def step(folder: Path, name: str, code: str, *needs: str, beside: bool = False) -> Step:
    script = folder / f"{name}.py"
    script.write_text(code)
    return Step(name, [sys.executable, str(script)], needs=needs, beside=beside)


def test_a_failed_step_stops_only_those_that_need_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps = [
        step(tmp_path, "set-up", "raise SystemExit(3)", beside=True), step(tmp_path, "a lint", "print('linted')", "set-up", beside=True),
        step(tmp_path, "tests", "print('tested')"), step(tmp_path, "more tests", "print('more')", "set-up", "tests"),
        Step("gone", ["/no/such/program"]),
    ]
    assert suite.run(steps) == 1
    output = capfd.readouterr().out
    assert re.findall(r"(?m)^  (\w+) +\d+ s  (.*)$", output) == [
        ("failed", "set-up"), ("failed", "a lint"), ("passed", "tests"), ("failed", "more tests"), ("failed", "gone"),
    ]
    assert output.endswith("  1 of 5 steps passed\n")
    assert "tested" in output
    assert "linted" not in output
    assert "\nmore\n" not in output
    assert output.count("not run: set-up failed") == 2
    assert "cannot be run: " in output


def test_a_step_runs_beside_the_others_and_its_output_is_in_one_piece(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # Each of the first two steps ends only when the other has begun.
    meet = "import pathlib, sys, time\nsys.stderr.write('{0} met\\n')\npathlib.Path('{0}').touch()\nwhile not pathlib.Path('{1}').exists(): time.sleep(.01)"
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    steps = [
        step(tmp_path, "one", meet.format(one, other)), step(tmp_path, "other", meet.format(other, one), beside=True),
        step(tmp_path, "next", "print('last')", "other"),
    ]
    assert suite.run(steps) == 0
    captured = capfd.readouterr()
    # The errors of a step that runs beside others are in its place; those of another stay errors.
    assert re.search(rf"\n==> other: .*?\n{re.escape(other)} met\n", captured.out, re.DOTALL)
    assert f"{one} met" not in captured.out
    assert captured.err == f"{one} met\n"
    assert captured.out.index("==> one:") < captured.out.index("==> summary")
    assert "3 of 3 steps passed" in captured.out


def test_no_step_gets_what_leads_to_an_account_or_to_another_make(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_PROFILE", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MAKER", "stays")
    names = "import os; print(sorted(name for name in os.environ if name.startswith(('AWS_', 'MAKE', 'MFLAGS', 'OWN'))))"
    assert suite.run([Step("names", [sys.executable, "-c", names], settings={"OWN": "1"})]) == 0
    assert "['MAKER', 'OWN']" in capfd.readouterr().out


def test_what_make_is_told_reaches_no_make_below_it(tmp_path: Path) -> None:
    # As `make test` runs the suite, from a make that tells it to print folders.
    (tmp_path / "Makefile").write_text(
        f"all:\n\t@exec {sys.executable} -c 'import sys; from local.suite import *; sys.exit(run([Step(\"m\", [\"make\", \"-f\", \"{tmp_path}/inner\"])]))'\n",
    )
    (tmp_path / "inner").write_text("NAME = own\nall:\n\t@echo name $(NAME)\n")
    result = subprocess.run(
        ["make", "-w", "-f", str(tmp_path / "Makefile"), "NAME=given"], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "\nname own\n" in result.stdout


def test_what_a_step_needs_comes_before_it_and_a_step_beside_others_waits_for_none_of_them() -> None:
    for steps in (suite.test(), suite.lint()):
        names = [one.name for one in steps]
        assert len(set(names)) == len(names)
        for place, one in enumerate(steps):
            before = {other.name: other for other in steps[:place]}
            assert all(name in before and (before[name].beside or not one.beside) for name in one.needs)
