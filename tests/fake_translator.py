"""A fake of the three translation services, which cost money or gigabytes: real HTTP on a real
socket, in the wire format of each. It translates nothing: it says the language before each line.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "the-secret-key-of-the-service"
DETECTED = "ko"
KNOWN = {"ko", "en", "de", "fr", "ja", "zh", "zh-Hans"}
QUOTA, BUSY, WRONG_KEY = "quota", "busy", "wrong key"
# What each service answers then, as its documentation says.
REFUSALS = {
    "libretranslate": {BUSY: 429, WRONG_KEY: 403},
    "deepl": {QUOTA: 456, BUSY: 429, WRONG_KEY: 403},
    "azure": {QUOTA: 403, BUSY: 429, WRONG_KEY: 401},
}


class Server(ThreadingHTTPServer):
    """A server whose clients may go away."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: who waits no longer has what it wants."""


class FakeTranslator:
    """One service. `mood` is how it answers: well (None), by a refusal, a status, or bytes."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.mood: str | int | bytes | None = None
        self.loses_marks = False
        self.asked: list[dict[str, Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.arrived = threading.Event()
        self._server = Server(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings with which a microblog asks this service."""
        return {
            "translator": self.service,
            "translator_url": self.url,
            "translator_key": KEY,
            "translator_timeout_seconds": 5,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                asked = {"path": self.path, "headers": dict(self.headers), "body": json.loads(raw)}
                fake.asked.append(asked)
                fake.arrived.set()
                fake.may_answer.wait()
                status, answer = fake.answer(asked)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if status == 302:
                    self.send_header("Location", f"{fake.url}/elsewhere")
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    def answer(self, asked: dict[str, Any]) -> tuple[int, Any]:
        if isinstance(self.mood, bytes):
            return 200, self.mood
        if isinstance(self.mood, int):
            return self.mood, {"error": f"the text was {asked['body']}"}
        if self.mood is not None:
            return REFUSALS[self.service][self.mood], {"error": {"message": self.mood}}
        by_name = {"libretranslate": self._libre, "deepl": self._deepl, "azure": self._azure}
        return by_name[self.service](asked)

    def _libre(self, asked: dict[str, Any]) -> tuple[int, Any]:
        body = asked["body"]
        if asked["path"] != "/translate" or body.get("format") != "html":
            return 404, {"error": "not found"}
        if body.get("api_key") != KEY:
            return 403, {"error": "Invalid API key"}
        if body["target"] not in KNOWN:
            return 400, {"error": f"{body['target']} is not supported"}
        answer: dict[str, Any] = {"translatedText": self._all(body["q"], body["target"])}
        if body["source"] == "auto":
            answer["detectedLanguage"] = [
                {"language": DETECTED, "confidence": 90} for _ in body["q"]
            ]
        return 200, answer

    def _deepl(self, asked: dict[str, Any]) -> tuple[int, Any]:
        body = asked["body"]
        if asked["path"] != "/v2/translate" or body.get("tag_handling") != "html":
            return 404, {"message": "Not found"}
        if asked["headers"].get("Authorization") != f"DeepL-Auth-Key {KEY}":
            return 403, {"message": "Forbidden"}
        target = body["target_lang"].partition("-")[0].lower()
        if target not in KNOWN:
            return 400, {"message": "Value for 'target_lang' not supported."}
        source = body.get("source_lang", DETECTED.upper())
        found = [
            {"detected_source_language": source, "text": text}
            for text in self._all(body["text"], target)
        ]
        return 200, {"translations": found}

    def _azure(self, asked: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(asked["path"])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        expected = {"api-version": "3.0", "textType": "html"}
        if parts.path != "/translate" or not expected.items() <= query.items():
            return 404, {"error": {"code": "404", "message": "Resource not found"}}
        headers = {name.lower(): value for name, value in asked["headers"].items()}
        if headers.get("ocp-apim-subscription-key") != KEY:
            return 401, {"error": {"code": 401000, "message": "The request is not authorized."}}
        if query["to"] not in KNOWN:
            told = "The target language is not valid."
            return 400, {"error": {"code": 400036, "message": told}}
        found = []
        for text in self._all([one["Text"] for one in asked["body"]], query["to"]):
            one: dict[str, Any] = {"translations": [{"text": text, "to": query["to"]}]}
            if "from" not in query:
                one["detectedLanguage"] = {"language": DETECTED, "score": 1.0}
            found.append(one)
        return 200, found

    def _all(self, lines: list[str], target: str) -> list[str]:
        made = [f"{target}: {line}" for line in lines]
        return [line.replace("code", "b") for line in made] if self.loses_marks else made

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def fake_translator(service: str) -> Iterator[FakeTranslator]:
    """Open the fake of a service until the block ends."""
    fake = FakeTranslator(service)
    thread = threading.Thread(target=fake._server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield fake
    finally:
        fake.close()
        thread.join()
