"""What the help of each command shows: commands to copy, and the statuses they end with.

`plainly` prints them below `--help`, `command_reference` into docs/commands.md; a test carries
them out.
"""

EXAMPLES = {
    "": (
        "microblog serve                     # begin; then open http://127.0.0.1:8000",
        "microblog doctor                    # is everything well?",
        "microblog db --help                 # each command has its own help",
        'eval "$(microblog completion bash)"  # the Tab key completes, in this terminal',
    ),
    "cert": (
        "microblog cert                      # for localhost and the name of this machine",
        "microblog cert blog.lan 192.168.1.7 --replace",
    ),
    "completion": (
        'eval "$(microblog completion bash)"  # now; for ever: put it into ~/.bashrc',
        'eval "$(microblog completion zsh)"   # likewise in ~/.zshrc',
        "microblog completion fish > ~/.config/fish/completions/microblog.fish",
    ),
    "config": (
        "microblog config",
        "microblog --env-file my.env config  # as it would be with that file",
        "microblog config --json             # for programs; secrets stay masked",
    ),
    "db": (
        "microblog db init                   # make it, with its tables",
        "microblog db backup                 # all data in one file, while servers run",
    ),
    "db backup": (
        "microblog db backup before.db",
        "microblog db backup --to backups    # its name is the time",
    ),
    "db check": ("microblog db check && echo well",),
    "db copy": ("microblog db copy --to postgresql://user:password@localhost/microblog",),
    "db init": (
        "microblog db init",
        "DATABASE_URL=postgresql://user:password@localhost/microblog microblog db init",
    ),
    "db migrate": ('microblog db migrate -m "a column for the colour"',),
    "db new-history": ("microblog db new-history            # after a restore by other means",),
    "db restore": ("microblog db restore before.db --yes",),
    "db upgrade": ("microblog db upgrade",),
    "demo": (
        "microblog demo                      # 500 posts of the last two weeks",
        "microblog demo --live               # and they go on, until Ctrl+C",
    ),
    "doctor": (
        "microblog doctor",
        "microblog doctor --json             # for programs and monitoring",
    ),
    "jobs": (
        "microblog jobs --concurrency 8      # work, until it is told to stop",
        "microblog jobs list --dead          # what failed as often as it may",
    ),
    "jobs cancel": ("microblog jobs cancel 17",),
    "jobs list": (
        "microblog jobs list                 # what waits, runs or failed",
        "microblog jobs list --dead",
    ),
    "jobs retry": ("microblog jobs retry 17",),
    "notes": (
        "microblog notes",
        "microblog notes --mark HACK",
    ),
    "routes": ("microblog routes",),
    "search": ("microblog search reindex",),
    "search reindex": ("microblog search reindex",),
    "secret": ("microblog secret rotate",),
    "secret rotate": (
        "microblog secret rotate             # nobody is logged out",
        "microblog secret rotate --forget-former",
    ),
    "serve": (
        "microblog serve",
        "microblog serve --host 0.0.0.0      # for the phones in your network too",
        "microblog serve --port 8080 --workers 4",
        "microblog serve --certfile var/tls/cert.pem --keyfile var/tls/key.pem  # HTTPS",
    ),
    "shell": (
        "microblog shell                     # Ctrl+D leaves",
        "echo 'await show(select(User))' | microblog shell",
        "microblog shell -c 'await show(select(Post).limit(5))'",
    ),
    "translate": ("microblog translate check",),
    "translate check": ("microblog translate check",),
    "translate compile": ("microblog translate compile",),
    "translate init": ("microblog translate init pt-BR",),
    "translate update": ("microblog translate update",),
    "user": ("microblog user create mina --email mina@example.org --admin",),
    "user create": (
        "microblog user create mina --email mina@example.org --admin",
        "echo 'a long sentence' | microblog user create jun --email jun@a.org --password-stdin",
    ),
    "user password": ("echo 'another sentence' | microblog user password jun --password-stdin",),
    "user restore": ('microblog user restore jun --reason "it was a mistake"',),
    "user role": ("microblog user role jun admin",),
    "user suspend": ('microblog user suspend jun --reason "advertising"',),
}

STATUSES = {
    0: "it is done",
    1: "something is wrong, told in one sentence; or you stopped it",
    2: "the command line is not understood",
}
OWN_STATUSES = {
    "db check": {1: "the tables are not what this program needs, or it cannot be told"},
    "doctor": {1: "something must be mended; a warning is no failure"},
    "shell": {
        1: "something failed in what was piped or given; never at the prompt",
        130: "Ctrl+C stopped it",
    },
    "translate check": {1: "something is missing or misshapen"},
}


def statuses(path: str) -> dict[int, str]:
    """Return what a command's statuses mean; the path is its words without the program's name."""
    return STATUSES | OWN_STATUSES.get(path, {})
