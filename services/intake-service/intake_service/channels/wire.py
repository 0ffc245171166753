"""Wire formats of our own: what programs of the house send us, written by many hands and in the field for years.

What such a program adds is passed over (it is in the raw bytes), numbers are taken for text, and signs that the record
does not take are cleaned away. Everything else must be as the format says.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from intake_service.channels.wording import clean_line, clean_text
from intake_service.domain.channels import Unreadable
from shared.contracts.envelope import Bilingual

MAX_FAULTS = 10
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


def _of_text(clean: Callable[[object], str]) -> BeforeValidator:
    def cleaned(value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return clean(str(value)) if number or isinstance(value, str) else value

    return BeforeValidator(cleaned)


#: What a person wrote, cut off after 100,000 characters.
Words = Annotated[str, _of_text(clean_text)]
#: One line about it, cut off after 200 characters.
Label = Annotated[str, _of_text(clean_line)]
#: An address of the web.
Url = Annotated[str, Field(max_length=2_000, pattern=r"^https?://[!-~]+$")]

M = TypeVar("M", bound=BaseModel)


def parsed(raw: bytes) -> Any:
    """The JSON in it; None where there is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def read(model: type[M], raw: bytes) -> M | Unreadable:
    """What was sent, or why it is no `model`, with the places."""
    try:
        text = json.dumps(json.loads(raw), ensure_ascii=False)
        return model.model_validate_json(_SURROGATE.sub("\ufffd", text))
    except ValidationError as error:
        faults = [
            f"/{'/'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FAULTS]
        ]
        return unreadable("; ".join(faults))
    except (ValueError, RecursionError):
        return unreadable("it is no JSON")


def unreadable(why: str) -> Unreadable:
    return Unreadable(Bilingual(zh=f"与格式不符：{why}", en=f"It is not of the format: {why}"))


def line_of(zh: str, en: str, *told: str) -> str:
    """`应用 App 5.2.0, 1234`; empty where nothing was told."""
    said = ", ".join(filter(None, told))
    return f"{zh} {en}: {said}" if said else ""
