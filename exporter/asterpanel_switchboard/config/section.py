"""What all sections of the configuration have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the file: unknown keys are refused, defaults are validated, nothing can be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, validate_by_name=True, validate_by_alias=True
    )


def empty_mapping_for_null(value: object) -> object:
    """A section whose every line is commented out is null to YAML; it means all defaults."""
    return {} if value is None else value


def keys_of(model: type[BaseModel]) -> frozenset[str]:
    """The keys that a section may have in the file: its fields, less those that the loader fills in."""
    return frozenset(
        field.alias or name
        for name, field in model.model_fields.items()
        if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("key") is False)
    )
