"""`python -m offline_conversions`: the same as the command `offline-conversions`."""

from offline_conversions import main

if __name__ == "__main__":
    main()
