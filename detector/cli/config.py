"""`parity config`: what is in force, and the schema."""

import click

from detector.cli.output import config_option, say


@click.group()
def config() -> None:
    """Show the configuration in force, or its JSON Schema."""


@config.command("show")
@config_option
def show_config(config_path: str | None) -> None:
    """Print the configuration with every default filled in and every secret masked."""
    import yaml

    from detector.cli.asking import configuration
    from detector.config.show import show

    say(yaml.safe_dump(show(configuration(config_path)), sort_keys=False, allow_unicode=True), nl=False)


@config.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of parity.yml, for editors."""
    import orjson

    from detector.config.schema import json_schema

    say(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode())
