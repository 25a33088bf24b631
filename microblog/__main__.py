"""`python -m microblog` is the command line."""

from microblog.cli import main

main()
