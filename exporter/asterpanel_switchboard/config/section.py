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
