"""The description of the API, with the refusals that no route has to name itself."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from dashboard.api.schemas import Problem

_UNKNOWN_KEY = {401: "The key is missing or not known"}
_TOO_MANY = {429: "Too many requests: try again later"}
_BAD_FIELDS = {422: "A field is missing or wrong"}
_BAD_BODY = {400: "The body is no JSON", 413: "The body is too large", **_BAD_FIELDS}


class DescribedAPI(NinjaAPI):
    """Whoever writes a script against it finds every status that it may meet."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        for path in schema["paths"].values():
            for operation in path.values():
                for status, meaning in _refusals(operation).items():
                    operation["responses"].setdefault(status, _answer(meaning))
        return schema


def _refusals(operation: dict[str, Any]) -> dict[int, str]:
    # Every route has a limit of its own.
    refusals = dict(_TOO_MANY)
    if "security" in operation:
        refusals |= _UNKNOWN_KEY
    if operation.get("parameters"):
        refusals |= _BAD_FIELDS
    if "requestBody" in operation:
        refusals |= _BAD_BODY
    return refusals


def _answer(meaning: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": meaning, "content": {"application/json": {"schema": reference}}}
