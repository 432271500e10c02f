"""The base of everything that is written to or read from a result file."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value; unknown fields are refused.

    A field that could not be measured is None, and `not_measured` of the same record, where it
    has one, says why: field name → reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")
