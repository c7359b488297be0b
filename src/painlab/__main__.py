"""`python -m painlab` is the command `painlab`."""

from painlab.cli import main

if __name__ == "__main__":
    main(prog_name="painlab")
