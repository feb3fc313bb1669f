"""The command line: one file for each group of commands, imported only when it is asked for."""

import logging
import sys
from importlib import import_module
from typing import Final

import click
from click.exceptions import NoArgsIsHelpError

from detector.errors import ConfigError, ParityError, did_you_mean

#: Command -> module of `detector.cli` that defines it under the same name, and its one line of help.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("init", "Look around, and write a first parity.yml."),
    "diff": ("diff", "Compare two files, environments or snapshots."),
    "status": ("status", "Show the matrix: worst open, age, score, coverage."),
    "gate": ("gate", "Answer a pipeline: may this go to prod?"),
    "promotion": ("promotion", "Show how long versions take from environment to environment."),
    "search": ("search", "Say which services run a package, in which versions."),
    "missing": ("missing", "List the keys that the code reads and an environment lacks."),
    "report": ("report", "Report by the twelve factors, also as HTML, JUnit, SARIF, CycloneDX."),
    "log": ("log", "Show since when things differ."),
    "explain": ("explain", "Say why an item has its verdict."),
    "accept": ("accept", "Let a difference be, with a reason and a last day."),
    "check": ("check", "Validate parity.yml; with --online reach every source."),
    "config": ("config", "Show the configuration in force, or its schema."),
    "snapshot": ("snapshot", "Collect now, and store what changed."),
    "once": ("once", "Collect, compare and deliver once, for cron and CI."),
    "push": ("push", "Send an observation from inside a closed network."),
    "deploy": ("deploy", "Announce a deployment, so that it alarms nobody."),
    "serve": ("serve", "Run the service."),
    "token": ("token", "Make, list and revoke tokens."),
    "db": ("db", "Care for the database."),
    "doctor": ("doctor", "Say what is wrong with this installation."),
    "version": ("version", "Print the version."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they run: comparing two files needs no web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        known = COMMANDS.get(cmd_name)
        if known is None:
            ctx.fail(f"no command {cmd_name}{did_you_mean(cmd_name, list(COMMANDS))}")
        command: click.Command = getattr(import_module(f"detector.cli.{known[0]}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def parity() -> None:
    """What is different between dev, staging and prod, since when, and does it matter?

    Start with two files: parity diff .env.staging .env.prod
    """


def _show_usage(error: click.UsageError) -> None:
    """Say how a command is written, and last what was wrong."""
    if isinstance(error, NoArgsIsHelpError):
        click.echo(error.ctx.get_help(), err=True)
        click.echo("parity: give a command", err=True)
        return
    if error.ctx is not None:
        click.echo(f"{error.ctx.get_usage()}\n{error.ctx.command_path} --help says more", err=True)
    message = error.format_message().rstrip(".")
    click.echo(f"parity: {message[:1].lower()}{message[1:]}", err=True)


def main() -> None:
    """Run the command line: data on stdout, the rest on stderr, whose last line says why."""
    # What libraries warn of may hold an address: commands that want to hear of it say so themselves.
    logging.lastResort = logging.NullHandler()
    try:
        parity.main(standalone_mode=False)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        count = len(error.problems)
        click.echo(f"parity: {count} problem{'s' * (count != 1)} in the configuration", err=True)
        sys.exit(error.exit_code)
    except ParityError as error:
        click.echo(f"parity: {error}", err=True)
        sys.exit(error.exit_code)
    except click.UsageError as error:
        _show_usage(error)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"parity: {error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("parity: stopped", err=True)
        sys.exit(130)
    except OSError as error:
        # Files and networks have their own errors above: what is left is the output itself.
        click.echo(f"parity: cannot go on ({error.strerror or type(error).__name__})", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - its text may hold a value; 1 would mean drift
        from detector.logging import place_of

        where = f"{type(error).__name__} at {place_of(error)}"
        click.echo(f"parity: a defect of Parity ({where}): please report it", err=True)
        sys.exit(2)
