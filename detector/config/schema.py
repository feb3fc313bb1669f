"""The JSON Schema of parity.yml, for editors and for `parity config schema`."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from detector.config.fields import Validity
from detector.config.models import ParityFile
from detector.config.problems import is_secret, models_in
from detector.model.clock import print_exactly


class _Schema(GenerateJsonSchema):
    def encode_default(self, dft: Any) -> Any:
        """Return a default as people write it."""
        if isinstance(dft, Validity):
            return str(dft)
        if isinstance(dft, timedelta):
            return print_exactly(dft)
        if isinstance(dft, SecretStr):
            # What the source code says is no secret.
            return dft.get_secret_value()
        if isinstance(dft, BaseModel):
            return {
                field.alias or name: self.encode_default(getattr(dft, name))
                for name, field in type(dft).model_fields.items()
            }
        return super().encode_default(dft)


def json_schema() -> JsonSchemaValue:
    """Return the schema as plain data (JSON Schema 2020-12). Options of plugins are left open."""
    schema = ParityFile.model_json_schema(schema_generator=_Schema)
    schema["$schema"] = _Schema.schema_dialect
    by_title = {"ParityFile": schema, **schema["$defs"]}
    for model in _models(ParityFile, set()):
        _add_file_forms(model, by_title[model.__name__])
    return schema


def _add_file_forms(model: type[BaseModel], schema: dict[str, Any]) -> None:
    for name, field in model.model_fields.items():
        if is_secret(field.annotation):
            schema["properties"][f"{field.alias or name}_file"] = {
                "type": "string",
                "description": f"Path of a file that holds {field.alias or name}",
            }


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    seen.add(model)
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            if inner not in seen:
                _models(inner, seen)
    return seen
