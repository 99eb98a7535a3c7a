"""`python -m lib`: see `lib.cli.commands`."""

import sys


def run() -> None:
    """Run the command line."""
    try:
        from lib.cli.commands import main  # takes long enough for a Ctrl-C
    except KeyboardInterrupt:
        sys.exit(130)  # as `lib.cli.terminal` does from then on
    main(prog_name="python -m lib")


if __name__ == "__main__":
    run()
