"""Bodies that are sent many times: compressed once, named by their content, and not sent to who has them."""

from __future__ import annotations

import gzip
from hashlib import blake2b
from typing import Any

import brotli
from flask import Request, Response

#: Of a file that is named by its content: never asked for again.
FOR_EVER = "public, max-age=31536000, immutable"
#: Kept by the browser alone, and asked for again each time by its tag.
ASK_AGAIN = "private, no-cache"
#: Effort of brotli and gzip: for what is made for a request, and for files.
PAGE_EFFORT, FILE_EFFORT = (5, 5), (9, 9)


class Body:
    """One answer in the codings that browsers take."""

    __slots__ = ("_coded", "_effort", "etag", "mimetype")

    def __init__(self, raw: bytes, mimetype: str, effort: tuple[int, int] = PAGE_EFFORT) -> None:
        self.mimetype = mimetype
        self.etag = blake2b(raw, digest_size=12).hexdigest()
        self._coded: dict[str, bytes] = {"br": brotli.compress(raw, quality=effort[0])}
        self._effort = effort[1]

    def size(self) -> int:
        """Bytes that it takes in memory, about: gzip is made when somebody asks for it, and then kept."""
        return 3 * len(self._coded["br"]) + 500

    def raw(self) -> bytes:
        """As it was before it was compressed."""
        raw: bytes = brotli.decompress(self._coded["br"])
        return raw

    def _in(self, coding: str) -> bytes:
        if coding not in self._coded:
            self._coded[coding] = gzip.compress(self.raw(), self._effort, mtime=0)
        return self._coded[coding]

    def answer(self, asked: Request, caching: str) -> Response:
        """The answer to a request; 304 where the browser has it."""
        coding = asked.accept_encodings.best_match(("br", "gzip"))
        made = Response(self._in(coding) if coding else self.raw(), mimetype=self.mimetype)
        headers: dict[str, Any] = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
        if coding:
            headers["Content-Encoding"] = coding
        made.headers.update(headers)
        made.set_etag(self.etag, weak=True)
        made.make_conditional(asked)
        return made
