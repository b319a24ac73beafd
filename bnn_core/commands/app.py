"""The command line: ``python -m bnn_core COMMAND``.

Results go to standard output (``--json``: one JSON document and nothing else), progress and errors to
standard error. Bad input is one sentence and exit code 2; a run stopped by Ctrl-C or SIGTERM saves its
checkpoint and exits with 130 or 143.
"""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from bnn_core.commands.bench import bench
from bnn_core.commands.fields import fields
from bnn_core.commands.keep import readme, ship
from bnn_core.commands.models import evaluate, models, predict
from bnn_core.commands.reproduce import reproduce
from bnn_core.commands.runs import runs
from bnn_core.commands.train import branch, resume, train
from bnn_core.commands.worker import worker
from bnn_core.errors import InputError

app = typer.Typer(
    name="bnn_core",
    help="Train bitwise neural networks, and run them on packed bits.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (reproduce, train, resume, branch, evaluate, bench, predict, models, runs, fields, worker):
    app.command()(command)
for keeping in (ship, readme):
    app.command(hidden=True)(keeping)


def main() -> None:
    """Run the command line and exit."""
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except (InputError, TyperException) as error:
        message = error.format_message() if isinstance(error, TyperException) else str(error)
        print(f"Error: {message}", file=sys.stderr)
        code = 2
    except OSError as error:
        where = error.filename or "standard output"
        print(f"Error: {where} cannot be used: {error.strerror or error}.", file=sys.stderr)
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
