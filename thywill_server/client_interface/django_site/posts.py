"""POSTs from pages: bounded, checked and read before a view sees them.

The order matters: what is refused early costs little, and nothing of the body is looked at before
its size is known.

    method -> content type -> size -> CSRF -> syntax -> view
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from thywill_server.client_interface.django_site import responses, strict_json
from thywill_server.client_interface.django_site.answering import answering
from thywill_server.client_interface.django_site.component import DjangoSite
from thywill_server.client_interface.django_site.csrf import KnownTokens
from thywill_server.errors import Refusal

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 20
MAX_ID_CHARACTERS = 64
MAX_COMMAND_CHARACTERS = 100

Fields = Mapping[str, Any]
View = Callable[[HttpRequest, Fields], HttpResponse]


def post_only(find_site: Callable[[], DjangoSite]) -> Callable[[View], Callable[..., HttpResponse]]:
    """Make a view of a function that takes the request and its fields; refusals become JSON.

    Args:
        find_site: gives the component whose settings hold the limits, for each request anew.
    """

    def decorate(view: View) -> Callable[..., HttpResponse]:
        def read(request: HttpRequest, site: DjangoSite) -> HttpResponse:
            fields = read_fields(request, site.settings["max_message_depth"])
            try:
                return view(request, fields)
            except Refusal as refusal:
                return responses.error(refusal, fields.get("id"))

        csrf = KnownTokens(not_asked)

        @csrf_exempt  # from the check that comes before this function: ours comes after the size
        @answering("POST")
        @wraps(view)
        def endpoint(request: HttpRequest) -> HttpResponse:
            site = find_site()
            require_readable(request, site.settings["max_message_bytes"])
            # As csrf_protect does it, but for what the middleware of the site has done already.
            if "CSRF_COOKIE" not in request.META:
                csrf.process_request(request)
            refused = csrf.process_view(request, read, (), {})
            if refused is not None:
                return refused
            response = read(request, site)
            csrf.process_response(request, response)  # adds a cookie, if that is due
            return response

        return endpoint

    return decorate


def not_asked(request: HttpRequest) -> HttpResponse:
    """Stand where a middleware wants to know the next one."""
    raise NotImplementedError


def require_readable(request: HttpRequest, max_bytes: int) -> None:
    """Read the body, if its type and its size let us."""
    if request.content_type not in (JSON_TYPE, FORM_TYPE):
        raise Refusal("unsupported-media-type")
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip('"').lower() not in ("utf-8", "utf8"):
        raise Refusal("unsupported-media-type", "Send UTF-8.")
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdecimal()):
        raise Refusal("malformed-message", "Content-Length is not a number.")
    if int(announced) > max_bytes:
        raise _too_large(max_bytes)
    try:
        size = len(request.body)
    except RequestDataTooBig:
        raise _too_large(max_bytes) from None
    except UnreadablePostError:
        raise Refusal("malformed-message", "The message broke off.") from None
    if size > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> Refusal:
    return Refusal("message-too-large", f"The message is larger than {max_bytes} bytes.")


def read_fields(request: HttpRequest, max_depth: int) -> Fields:
    """Read the fields of a body, in JSON or as a form.

    Raises:
        Refusal: ``malformed-message``, with a sentence that says what is wrong.
    """
    if request.content_type == JSON_TYPE:
        try:
            # The outer object is the envelope: the message inside may be as deep as the setting.
            fields = strict_json.parse(request.body, max_depth + 1)
        except strict_json.MalformedJsonError as error:
            raise Refusal("malformed-message", f"The message cannot be read: {error}.") from None
    else:
        fields = _form_fields(request.body)
    if not isinstance(fields, dict):
        raise Refusal("malformed-message", "The message is not a JSON object.")
    for name, required, longest in (
        ("uuid", True, 64),
        ("token", True, 512),
        ("id", False, MAX_ID_CHARACTERS),
        ("command", False, MAX_COMMAND_CHARACTERS),
    ):
        _require_text(fields, name, required, longest)
    return fields


def _form_fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except UnicodeDecodeError:
        raise Refusal("malformed-message", "The form is not UTF-8.") from None
    except ValueError:
        raise Refusal(
            "malformed-message", f"The form has more than {MAX_FORM_FIELDS} fields."
        ) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Refusal("malformed-message", "The form has a field twice.")
    return fields


def _require_text(fields: dict[str, Any], name: str, required: bool, longest: int) -> None:
    value = fields.get(name)
    if value is None and not required:
        fields.pop(name, None)
        return
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        fields.pop(name, None)
        raise Refusal(
            "malformed-message", f'The field "{name}" must be text of 1 to {longest} characters.'
        )
