"""``python3 -m local NAME...`` makes these Python environments; ``python3 -m local all`` makes all of them."""

import sys

from local import environments


def main(arguments: list[str]) -> int:
    names = environments.NAMES if arguments in ([], ["all"]) else tuple(arguments)
    unknown = [name for name in names if name not in environments.NAMES]
    if unknown:
        print(f"no environment `{unknown[0]}`: there are {', '.join(environments.NAMES)}", file=sys.stderr)
        return 2
    try:
        environments.ensure(names)
    except environments.SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
