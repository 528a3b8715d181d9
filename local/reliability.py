"""The figures of the reliability tests, which they write under ``target/reliability``: ``python3 -m local.reliability``."""

from local.paths import TARGET


def main() -> None:
    """Print a line for each test that has run."""
    files = sorted((TARGET / "reliability").glob("*.txt"))
    for file in files:
        print(file.read_text(), end="")
    if not files:
        print("no reliability test has run")


if __name__ == "__main__":
    main()
