"""`python -m lib`: see `lib.cli.commands`."""

from lib.cli.commands import main

if __name__ == "__main__":
    main(prog_name="python -m lib")
