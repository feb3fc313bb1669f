"""`parity config`: what is in force, and the schema."""

import click

from detector.cli.output import config_option, say


@click.group()
def config() -> None:
    """Show the configuration in force, or its JSON Schema."""


@config.command("show")
@click.option("--rules", is_flag=True, help="Only the rules, the shipped ones first, as YAML.")
@config_option
def show_config(rules: bool, config_path: str | None) -> None:
    """Print the configuration with every default filled in and every secret masked."""
    import yaml

    from detector.cli.asking import configuration
    from detector.config.policy import policy_of
    from detector.config.show import rules_text, show

    if rules:
        say(rules_text(policy_of(configuration(config_path)).rules), nl=False)
        return
    say(yaml.safe_dump(show(configuration(config_path)), sort_keys=False, allow_unicode=True), nl=False)


@config.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of parity.yml, for editors."""
    import orjson

    from detector.config.schema import json_schema

    say(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode())
