"""The page of the API's document: it works offline, under the policy, and calls can be tried."""

from playwright.async_api import expect

from tests.journeys.browsing import chromium, person
from tests.serving import Serving


async def test_call_can_be_tried_on_the_page_of_the_document(server: Serving) -> None:
    asked: list[str] = []
    async with chromium() as browser, person(browser, server.url) as reader:
        reader.page.on("request", lambda request: asked.append(request.url))
        await reader.go("/api/docs")
        await reader.page.locator('[data-path="/api"]').click()
        await reader.page.get_by_role("button", name="Execute").click()
        await expect(reader.page.locator(".live-responses-table .response")).to_contain_text("200")
    assert {url for url in asked if not url.startswith((server.url, "data:", "blob:"))} == set()
