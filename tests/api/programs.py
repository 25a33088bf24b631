"""Programs for tests: clients of the API that hold an access token, and no cookie."""

from typing import Any

from quart import Quart, Response

from tests.people import PASSWORD


class Program:
    """A client of the API."""

    def __init__(self, app: Quart, token: str | None = None) -> None:
        self._app = app
        self.token = token

    async def call(self, method: str, path: str, **how: Any) -> Response:
        headers = dict(how.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        # A client of its own each time: whatever cookies come, none goes out again.
        client = self._app.test_client(use_cookies=False)
        answer: Response = await client.open(path, method=method, headers=headers, **how)
        return answer

    async def json(self, method: str, path: str, status: int = 200, **how: Any) -> Any:
        """Return the decoded answer, which must have that status."""
        answer = await self.call(method, path, **how)
        text = await answer.get_data(as_text=True)
        assert answer.status_code == status, text
        return await answer.get_json(force=True) if text else None

    async def problem(self, method: str, path: str, status: int, **how: Any) -> Any:
        """Return a problem, which must have that status and the form of one."""
        answer = await self.call(method, path, **how)
        told = await answer.get_json(force=True)
        assert answer.status_code == status, told
        assert answer.content_type == "application/problem+json"
        assert told["status"] == status
        return told

    async def log_in(self, username: str = "mina", password: str = PASSWORD) -> dict[str, Any]:
        """Take tokens, use them from here on, and return the pair."""
        pair: dict[str, Any] = await self.json("POST", "/api/tokens", auth=(username, password))
        self.token = pair["access_token"]
        return pair
