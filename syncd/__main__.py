"""`python -m syncd`: the command line."""

from syncd.cli import main

if __name__ == "__main__":
    main()
