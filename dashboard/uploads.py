"""Uploads of secrets: they never touch the disk of this machine, and never fill its memory."""

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from dashboard.http import HttpRequest

MOST_BYTES = 1024 * 1024


class SecretUploadHandler(FileUploadHandler):
    """Keeps one byte more than is allowed, so that a form can say it, and drops the rest."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.content = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.content.write(raw_data[: MOST_BYTES + 1 - self.content.tell()])

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        size = self.content.tell()
        self.content.seek(0)
        return InMemoryUploadedFile(
            self.content, self.field_name, self.file_name or "", "", size, None
        )


def of_any_size(
    too_large: Callable[..., HttpResponse], *, is_secret: bool = False
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Answer in words also what is too large to be read at all, cross-site check included."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def read_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if is_secret:
                request.upload_handlers = [SecretUploadHandler(request)]
            try:
                request.POST  # noqa: B018
            except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
                return too_large(request, *args, **kwargs)
            return csrf_protect(view)(request, *args, **kwargs)

        return read_first

    return decorate
